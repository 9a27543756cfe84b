"""Physical frames and their reverse map. `bel frame'."""
from bel import command, kernel, memory, process

FLAGS = ("dirty", "referenced", "busy", "evictable", "orphan")


def descriptor(number):
    """The descriptor of a frame: a pointer."""
    return kernel.variable("frame_table") + number


def number_of(frame):
    """The number of a frame, from the pointer to its descriptor."""
    return int(frame - kernel.variable("frame_table"))


def state(frame):
    """`free', `kernel', `table', `anonymous', `object' or `absent'."""
    return kernel.enumeration("frame_state", "FRAME_")[int(frame["state"])]


def is_zero_frame(frame):
    """Whether it is the shared frame of zeroes."""
    return frame == kernel.variable("object_zero_frame")


def is_tracked(frame):
    """Whether it is in the reverse map."""
    return state(frame) in ("anonymous", "object")


def mappings(frame):
    """The reverse map of a frame: pairs of a pointer to struct pmap and a page number."""
    if not is_tracked(frame):
        return
    mapping = frame["first"].address
    while not kernel.is_null(mapping) and not kernel.is_null(mapping["pmap"]):
        yield mapping["pmap"], int(mapping["page"]["number"])
        mapping = mapping["next"]


def state_text(frame):
    """State, pins and flags."""
    words = ["the shared frame of zeroes" if is_zero_frame(frame) else state(frame), kernel.plural(int(frame["pins"]), "pin")]
    words += [flag if frame[flag] else f"not {flag}" for flag in FLAGS[:3]] + [flag for flag in FLAGS[3:] if frame[flag]]
    return ", ".join(words)


def anon_text(anon):
    """References, frame and slot of an anon."""
    slot = int(anon["slot"]["number"])
    place = "not in memory" if kernel.is_null(anon["frame"]) else f"frame {number_of(anon['frame']):#x}"
    copy = f"swap slot {slot}" if slot else "no swap slot"
    return f"anon {int(anon):#x}: {kernel.plural(int(anon['references']), 'reference')}, {place}, {copy}"


def owner_text(frame):
    """Who owns a frame."""
    owner, index, kind = frame["owner"], int(frame["index"]), state(frame)
    if kind not in ("table", "anonymous", "object"):
        return "nobody" if kind in ("free", "absent") else "the kernel"
    if kind == "table":
        return table_text(frame)
    if kernel.is_null(owner):
        return "nobody: the owner went during a transfer"
    if kind == "anonymous":
        return anon_text(kernel.pointer(owner, "anon"))
    return f"object {int(owner):#x}: {memory.object_text(kernel.pointer(owner, 'object'))}, page {index}"


def table_text(frame):
    """Whose page table a frame is. The frame of a root has no owner noted: the owner knows it."""
    if not kernel.is_null(frame["owner"]):
        owner, use = kernel.pointer(frame["owner"], "pmap"), frame["table"]
        start = int(frame["index"]) << kernel.PAGE_SHIFT
        return (f"page table of {process.of_pmap(owner)}, level {int(use['level'])}, from {start:#010x} on, "
                f"{kernel.plural(int(use['used']), 'used entry', 'used entries')}")
    users = [process.title(user) for user in process.every() if has_root(user, frame)]
    return f"root table of {' and '.join(users)}" if users else "nobody: a spare table"


def has_root(user, frame):
    """Whether the frame is the root of a process's page tables."""
    aspace = user["aspace"]
    return not kernel.is_null(aspace) and int(aspace["pmap"]["root_physical"]["value"]) >> kernel.PAGE_SHIFT == number_of(frame)


class Frame(command.Command):
    """A physical frame: state, owner, and who maps it.
Usage: bel frame N
N is a frame number (physical address / 4096). Shows its state, pins, whether it is dirty and referenced as far as harvested from the
page tables, whether it is busy; its owner; and by the reverse map each page that maps it."""

    name = "frame"
    least = most = 1

    def run(self, text):
        number = command.number(text, "a frame number", int(kernel.variable("frame_limit")))
        frame = descriptor(number)
        print(f"frame {number:#x} at physical {number << kernel.PAGE_SHIFT:#010x}: {state_text(frame)}")
        print(f"  owner      {owner_text(frame)}")
        found = [f"{process.of_pmap(pmap)} at {page << kernel.PAGE_SHIFT:#010x}" for pmap, page in mappings(frame)]
        if not found:
            found = ["nobody" if is_tracked(frame) else "(only frames that can be evicted have a reverse map)"]
        for line in found:
            print(f"  mapped by  {line}")
