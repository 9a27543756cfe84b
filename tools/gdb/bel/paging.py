"""The page tables as they lie in memory, read through the direct map: the walk that the processor does, bit by bit.

The formats are Intel's (SDM volume 3, 4.3 and 4.4); which one is in force, and what the kernel keeps in the bits that are the system's own,
is looked up in the kernel.
"""
import collections

from bel import kernel

LEVEL_NAMES = {2: ("directory", "table"), 3: ("top table", "directory", "table")}

# Bits that mm/pmap.h has no name for, since the kernel never sets them, or, the last, keeps them in another form.
CACHE_BITS = {"write_through": 1 << 3, "cache_disable": 1 << 4}
LARGE_PAGE = {"large_page": 1 << 7}
ATTRIBUTE_TABLE = {"attribute_table": 1 << 7}
NO_EXECUTE = {"no_execute": 1 << 63}

Step = collections.namedtuple("Step", "level index address entry")


class Format:
    """The page-table format in force."""

    def __init__(self):
        value = kernel.variable("page_format")
        self.name = kernel.text(value["name"])
        self.levels = int(value["levels"])
        self.shifts = [int(value["level"][level]["shift"]) for level in range(self.levels)]
        self.entries = [int(value["level"][level]["entries"]) for level in range(self.levels)]
        self.entry_bytes = int(value["entry_bytes"])
        self.has_no_execute = int(value["no_execute"]) != 0
        self.mirror_pages = int(value["mirror_pages"])
        self.user_top = int(value["user_top"])
        self.names = LEVEL_NAMES[self.levels]
        self.bits = kernel.macros("mm/pmap.h", "ENTRY_")

    def is_leaf(self, level):
        """Whether this is the last level."""
        return level == self.levels - 1

    def has_rights(self, level):
        """Whether entries of this level grant rights: those of PAE's top table do not."""
        return self.levels == 2 or level > 0

    def level_bits(self, level):
        """The bits that have a meaning at this level, lowest first: a dictionary from name to bit."""
        # PAE's top table has no accessed bit, but QEMU sets it there too.
        names = ["present", "accessed", "execute"]
        extra = dict(CACHE_BITS)
        if self.has_rights(level):
            names += ["write", "user"]
            extra |= ATTRIBUTE_TABLE if self.is_leaf(level) else LARGE_PAGE
            if self.entry_bytes == 8:
                extra |= NO_EXECUTE
        if self.is_leaf(level):
            names += ["dirty", "global", "withheld", "locked"]
        bits = {name: self.bits[name] for name in names} | extra
        return dict(sorted(bits.items(), key=lambda item: item[1]))

    def frame_number(self, entry):
        """The frame that an entry names."""
        return (entry & self.bits["frame"]) >> kernel.PAGE_SHIFT

    def unnamed_bits(self, level, entry):
        """Numbers of the bits that are set though they mean nothing at this level."""
        known = self.bits["frame"] | sum(self.level_bits(level).values())
        return [bit for bit in range(self.entry_bytes * 8) if entry & ~known & 1 << bit]

    def walk(self, root, address):
        """The steps of the walk for an address, until the page or an entry that is not present. `root` is a kernel address."""
        table = root
        for level in range(self.levels):
            index = address >> self.shifts[level] & self.entries[level] - 1
            place = table + index * self.entry_bytes
            entry = kernel.read_word(place, self.entry_bytes)
            yield Step(level, index, place, entry)
            if not entry & self.bits["present"]:
                return
            table = kernel.DIRECT_MAP + (entry & self.bits["frame"])


class Mapping:
    """What a walk amounts to: `steps`; `frame`, the frame's number, or None; `entry`, the last one read; and the rights that all levels
    together grant."""

    def __init__(self, layout, root, address):
        self.steps = list(layout.walk(root, address))
        last = self.steps[-1]
        self.entry = last.entry
        self.reached_leaf = layout.is_leaf(last.level)
        mapped = self.reached_leaf and last.entry & layout.bits["present"]
        self.frame = layout.frame_number(last.entry) if mapped else None
        granting = [step.entry for step in self.steps if layout.has_rights(step.level)]
        self.user = bool(mapped) and all(entry & layout.bits["user"] for entry in granting)
        self.writable = bool(mapped) and all(entry & layout.bits["write"] for entry in granting)
        self.fetchable = bool(mapped) and not (layout.has_no_execute and any(entry & NO_EXECUTE["no_execute"] for entry in granting))

    def has(self, layout, name):
        """Whether the page's own entry has this bit."""
        return self.frame is not None and bool(self.entry & layout.bits[name])
