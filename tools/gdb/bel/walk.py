"""A page-table walk, what the kernel believes of the page, and whether the two agree. `bel walk'.

Page tables are a cache: an entry that is missing is never wrong. One that is there must not say more than the kernel's truth does.
"""
from bel import command, frame, kernel, memory, paging, process


# ---- Showing ----------------------------------------------------------------------------------------------------------------------


def print_step(layout, step):
    """One level: where the entry is, its value, each of its bits by name."""
    digits = layout.entry_bytes * 2
    present = step.entry & layout.bits["present"]
    aim = "page" if layout.is_leaf(step.level) else "table"
    target = f"{aim} in frame {layout.frame_number(step.entry):#x}" if present else "nothing"
    bits = layout.level_bits(step.level)
    print(f"  {layout.names[step.level]:9} [{step.index:4}] at {step.address:#x}: {step.entry:#0{digits + 2}x}, {target}")
    print(f"{'':12}set: {kernel.flags_text(step.entry, bits) or '-'}")
    print(f"{'':12}clear: {kernel.flags_text(~step.entry, bits) or '-'}")
    unnamed = layout.unnamed_bits(step.level, step.entry)
    if unnamed:
        print(f"{'':12}set without a meaning: {', '.join(f'bit {bit}' for bit in unnamed)}")


def rights_text(own, mirror):
    """What the processor lets a user program do."""
    if own.frame is None:
        return "nothing: the next access faults"
    fetchable = mirror.frame is not None if mirror else own.fetchable
    rights = [("read", own.user), ("write", own.user and own.writable), ("execute", own.user and fetchable)]
    return ", ".join(name if granted else f"not {name}" for name, granted in rights)


def print_belief(belief):
    """Region, object, chunk, anon and frame."""
    if belief.region is None:
        print("  region     none")
        return
    item = belief.object
    where = "" if memory.object_kind(item) == "zero" else f", page {belief.index} of {memory.object_pages(item)}"
    print(f"  region     {memory.region_text(belief.region)}, may become {memory.protection_text(int(belief.region['maximum']))}")
    print(f"  object     {memory.object_text(item)}{where}")
    print(f"  chunk      {chunk_text(belief)}")
    print(f"  anon       {'none' if belief.anon is None else frame.anon_text(belief.anon)}")
    if belief.frame is None:
        print("  frame      none: the page is not in memory")
    else:
        print(f"  frame      {frame.number_of(belief.frame):#x}: {frame.state_text(belief.frame)}")


def chunk_text(belief):
    """Whose the chunk is."""
    if belief.chunk is None:
        return "none" if kernel.is_null(belief.region["amap"]) else "none in the amap"
    references, used = int(belief.chunk["references"]), int(belief.chunk["used"])
    sharing = "shared with others since a fork" if references > 1 else "not shared"
    return f"{int(belief.chunk):#x}: {kernel.plural(references, 'reference')}, {sharing}; {kernel.plural(used, 'anon')}"


# ---- Comparing --------------------------------------------------------------------------------------------------------------------


def write_forbidden(belief):
    """Why the truth does not permit an entry that lets the program write; None if it does."""
    if not memory.permits(belief.region, "write"):
        return "the region forbids it"
    if not int(kernel.variable("pmap_harvest_mask")) & kernel.macros("mm/pmap.h", "ENTRY_")["dirty"] and not belief.frame["dirty"]:
        return "dirty=software must see the first write to a clean frame"
    if memory.is_shared(belief.region):
        return None
    if belief.anon is None:
        return "it is the object's page, and the region is private"
    if int(belief.anon["references"]) > 1:
        return "the anon is shared"
    return "the chunk is shared" if int(belief.chunk["references"]) > 1 else None


def entry_complaints(layout, own, belief):
    """How an entry that is there contradicts the truth."""
    if belief.region is None:
        return ["the page is mapped, but no region is there"]
    if belief.frame is None:
        return ["the page is mapped, but its contents are not in memory"]
    complaints = []
    if own.frame != frame.number_of(belief.frame):
        complaints.append(f"frame {own.frame:#x} is mapped, but the page is in frame {frame.number_of(belief.frame):#x}")
    if not own.user:
        complaints.append("the entries do not let the program in")
    if own.writable and (reason := write_forbidden(belief)):
        complaints.append(f"the entries permit writing, but {reason}")
    if own.has(layout, "execute") and not memory.permits(belief.region, "execute"):
        complaints.append("the entry permits execution, but the region forbids it")
    if layout.has_no_execute and own.has(layout, "execute") != own.fetchable:
        complaints.append("the bits for and against execution contradict each other")
    return complaints


def mirror_complaints(layout, own, mirror):
    """How the executable mirror contradicts the page's own entry."""
    if mirror.frame is None:
        return ["the entry permits execution, but the mirror does not map the page"] if own.has(layout, "execute") else []
    if not own.has(layout, "execute"):
        return ["the mirror maps the page, but the entry does not permit execution"]
    complaints = [] if mirror.frame == own.frame else [f"the mirror maps frame {mirror.frame:#x}"]
    return complaints + (["the mirror permits writing"] if mirror.writable else [])


def reverse_complaints(own, belief, pmap, page):
    """How the reverse map contradicts the entry."""
    if belief.frame is None or not frame.is_tracked(belief.frame):
        return []
    listed = any(other == pmap and number == page for other, number in frame.mappings(belief.frame))
    if listed == (own.frame == frame.number_of(belief.frame)):
        return []
    return ["the reverse map lists a mapping that is not there" if listed else "the mapping is missing in the reverse map"]


def complaints_of(layout, pmap, page, own, mirror, belief):
    """All ways in which the tables contradict what the kernel believes; empty if they agree."""
    complaints = []
    if own.frame is not None:
        complaints += entry_complaints(layout, own, belief)
    elif own.entry:
        complaints.append("an entry is neither empty nor present")
    if mirror:
        complaints += mirror_complaints(layout, own, mirror)
    return complaints + reverse_complaints(own, belief, pmap, page)


# ---- The command ------------------------------------------------------------------------------------------------------------------


def mappings_of(layout, aspace, address):
    """The walk of a user address, and that of its executable mirror or None."""
    root = int(aspace["pmap"]["root"])
    own = paging.Mapping(layout, root, address)
    return own, paging.Mapping(layout, root, mirror_address(layout, address)) if layout.mirror_pages else None


def mirror_address(layout, address):
    """Where the processor fetches the instruction at an address, in formats with a mirror."""
    return address + (layout.mirror_pages << kernel.PAGE_SHIFT)


def print_walk(layout, title, mapping):
    """All levels of one walk."""
    print(title)
    for step in mapping.steps:
        print_step(layout, step)


def compare(layout, aspace, address):
    """What is to be said of a user address besides its own walk: mirror, belief, verdict."""
    page = address >> kernel.PAGE_SHIFT
    own, mirror = mappings_of(layout, aspace, address)
    belief = memory.believe(aspace, page)
    if mirror:
        print_walk(layout, f"the executable mirror, {mirror_address(layout, address):#010x}:", mirror)
    print(f"the entries permit: {rights_text(own, mirror)}")
    print("the kernel believes:")
    print_belief(belief)
    complaints = complaints_of(layout, aspace["pmap"].address, page, own, mirror, belief)
    for complaint in complaints:
        print(f"DISAGREEMENT: {complaint}.")
    if not complaints:
        print("Entries and belief agree." if own.frame is not None else "No entry: entries and belief agree.")


class Walk(command.Command):
    """The page-table walk, and what the kernel believes of the page.
Usage: bel walk PID ADDRESS
Shows the entry of each level with every bit by name, and where execution is protected by the mirror the walk of that too; then what the
kernel knows of the page, from which any entry can be made again: region, object, chunk and anon, frame; and whether the entries agree.
PID 0 walks the kernel's own tables."""

    name = "walk"
    least = most = 2

    def run(self, pid, text):
        address = command.address(text)
        layout = paging.Format()
        owner, aspace = (None, None) if pid == "0" else process.find_aspace(pid)
        pmap = aspace["pmap"] if owner else kernel.variable("kernel_pmap")
        print_walk(layout, f"{process.title(owner) if owner else 'the kernel'}, {address:#010x}: paging={layout.name}, "
                   f"tables at physical {int(pmap['root_physical']['value']):#x}", paging.Mapping(layout, int(pmap["root"]), address))
        if address >= kernel.DIRECT_MAP:
            print("This is the kernel's half, the same in all address spaces.")
        elif address >= layout.user_top:
            print(f"This is the executable mirror of {address - mirror_address(layout, 0):#010x}: walk that address to compare.")
        elif owner:
            compare(layout, aspace, address)
        else:
            print("The kernel's own tables map no user page.")
