"""Facts about the machine that do not come from the commands under test, and the report of the tests.

What the commands say is compared with the processor's own view (QEMU's monitor, CR3 and the tables behind it), with the files that were
booted, and with what the program being debugged knows about itself.
"""
import os
import re
import struct
import subprocess

import gdb

DIRECT_MAP = 0xC0000000
MIRROR = 0x60000000
PAGE_BYTES = 4096

PRESENT, NO_EXECUTE = 1, 1 << 63
FRAME_MASK = 0xFFFFF000

# Intel SDM volume 3, tables 4-6 and 4-20: bits of an entry that maps a page.
ENTRY_BITS = {0: "present", 1: "write", 2: "user", 3: "write_through", 4: "cache_disable", 5: "accessed", 6: "dirty", 8: "global",
              63: "no_execute"}

report = open(os.environ["BEL_REPORT"], "w", encoding="utf-8")


def ok(passed, what, evidence=""):
    """One assertion, with what to look at if it fails."""
    print(f"{'ok' if passed else 'not ok'} - {what}", file=report)
    if not passed:
        for line in str(evidence).splitlines():
            print(f"# {line}", file=report)
    report.flush()


def run(command):
    """What a command of gdb's prints."""
    return gdb.execute(command, to_string=True)


def refused(command, *words):
    """Asserts that a command ends with an error of one line that holds all these words."""
    try:
        message = f"not refused: {run(command)}"
        passed = False
    except gdb.error as error:
        message = str(error)
        passed = all(word in message for word in words) and "\n" not in message and "Python" not in message
    ok(passed, f"{command}: {message}" if passed else f"{command} is refused with a clear message", message)


def go_to(place, condition=""):
    """Runs until a place is reached for the first time; asserts that it is."""
    run(f"tbreak {place} {condition}")
    run("continue")
    here = gdb.newest_frame().name() or f"*{int(gdb.parse_and_eval('$eip')):#x}"
    ok(here == place, f"a breakpoint at {place} stops there", f"stopped in {here}")


def evaluate(expression):
    """The value of an expression, as a number."""
    return int(gdb.parse_and_eval(expression))


def find(pattern, output):
    """The first group that the pattern matches, or None."""
    match = re.search(pattern, output, re.MULTILINE)
    return match and match[1]


# ---- The processor ----------------------------------------------------------------------------------------------------------------


def word(address, size=4):
    """A number in memory."""
    return int.from_bytes(bytes(gdb.selected_inferior().read_memory(address, size)), "little")


def physical_word(frame, offset=0, size=4):
    """A number in a frame."""
    return word(DIRECT_MAP + frame * PAGE_BYTES + offset, size)


def store(address, value, size):
    """Changes a number in memory."""
    gdb.selected_inferior().write_memory(address, value.to_bytes(size, "little"))


def frame_behind(address):
    """The frame that the processor finds behind an address of the running process, or None."""
    physical = find(r"gpa: (0x[0-9a-f]+)", run(f"monitor gva2gpa {address:#x}"))
    return physical and int(physical, 16) // PAGE_BYTES


def mapped_ranges():
    """The ranges that the processor sees mapped: first address, address behind the last, rights such as `urw' or `-r-'."""
    ranges = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) [0-9a-f]+ (\S+)", run("monitor info mem"), re.MULTILINE)
    return [(int(first, 16), int(end, 16), text) for first, end, text in ranges]


def rights(address):
    """The processor's rights for an address, `---' where nothing is mapped."""
    return next((text for first, end, text in mapped_ranges() if first <= address < end), "---")


def user_pages(top):
    """How many pages of user space the processor sees mapped below an address."""
    return sum((min(end, top) - first) // PAGE_BYTES for first, end, text in mapped_ranges() if text[0] == "u" and first < top)


def control_register(number):
    """CR0 to CR4."""
    return int(find(rf"CR{number}=([0-9a-f]+)", run("monitor info registers")), 16)


def leaf_entry(address, pae):
    """The last entry of the walk that the processor does: its address and value, or None if the walk ends before."""
    shifts, size = ((30, 21, 12), 8) if pae else ((22, 12), 4)
    table = control_register(3) & ~0x1F
    for shift in shifts:
        bits = 2 if shift == 30 else 9 if pae else 10
        place = DIRECT_MAP + table + (address >> shift & (1 << bits) - 1) * size
        entry = word(place, size)
        if not entry & PRESENT and shift != 12:
            return None
        table = entry & FRAME_MASK
    return place, entry


def can_fetch(address, pae):
    """Whether the processor may execute at an address."""
    if not pae:
        return frame_behind(address + MIRROR) is not None
    return not leaf_entry(address, pae)[1] & NO_EXECUTE


# ---- Files ------------------------------------------------------------------------------------------------------------------------


def load_segments(file):
    """The segments of an ELF file that are loaded: address, bytes in memory, flags, offset, bytes in the file."""
    image = file.read_bytes()
    start, = struct.unpack_from("<I", image, 28)
    size, count = struct.unpack_from("<HH", image, 42)
    headers = [struct.unpack_from("<8I", image, start + number * size) for number in range(count)]
    return [(address, memory, flags, offset, stored)
            for kind, offset, address, _, stored, memory, flags, _ in headers if kind == 1]


def entry_point(file):
    """The first instruction of an ELF file."""
    return struct.unpack_from("<I", file.read_bytes(), 24)[0]


def kernel_symbol(file, name):
    """The address of a symbol, by nm."""
    listing = subprocess.run(["nm", file], stdout=subprocess.PIPE, text=True, check=True).stdout
    return int(find(rf"^([0-9a-f]+) \w {name}$", listing), 16)


def counter_names(header):
    """The counters in the order in which they lie in memory."""
    return re.findall(r"^\s+X\((\w+)\)", header.read_text(encoding="utf-8"), re.MULTILINE)
