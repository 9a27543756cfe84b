"""The commands while user/cow.c runs: two processes that share their pages after a fork, then copy them one by one.

The program notes the frame behind each of its pages (from /proc/self/pagemap) in `frames' before it forks: what the commands say of both
processes is compared with that.
"""
import pathlib
import re

import gdb

from bel import kernel, memory, paging, process, walk
from cases.facts import *

ROOT = pathlib.Path(__file__).resolve().parents[3]
PAGES, WRITTEN = 64, 32     # of cow.c
SAMPLED = 8                 # every so many pages of a region are compared with the page tables
FLAG_TEXT = ((4, "r"), (2, "w"), (1, "x"))  # of an ELF segment


def program():
    """The program's file, with symbols."""
    return pathlib.Path(gdb.lookup_objfile("cow").filename)


def kernel_file():
    return pathlib.Path(gdb.lookup_objfile("belady.elf").filename)


def noted_frame(page):
    """The frame behind a page before the fork, as the program has noted it."""
    return evaluate(f"'user/cow.c'::frames[{page}]")


def segment_at(address):
    """The program's segment that holds an address."""
    return next(segment for segment in load_segments(program()) if segment[0] <= address < segment[0] + segment[1])


def before_the_kernel():
    refused("bel ps", "not set up its memory")
    refused("bel walk 1 0", "not set up its memory")
    ok("frame N" in run("bel help") and "frame N" in run("bel"), "bel help and bel alone list the commands")
    refused("bel nonsense", "no command")


def at_main():
    """Stopped in the program by its own symbol."""
    here = evaluate("$eip")
    address, _, _, offset, _ = segment_at(here)
    stored = program().read_bytes()[offset + here - address:][:16]
    ok(bytes(gdb.selected_inferior().read_memory(here, 16)) == stored, "the memory there holds the program's main")


# ---- bel ps, bel regions ----------------------------------------------------------------------------------------------------------


def check_ps(top):
    rows = {int(line.split()[0]): line.split(maxsplit=7) for line in run("bel ps").splitlines()[1:]}
    ok(set(rows) == {1, 2}, "bel ps lists parent and child", rows)
    parent, child = rows[1], rows[2]
    waits = parent[2] == "sleeping" and "system call wait4" in parent[7]
    returns = parent[2] == "runnable" and "system call fork" in parent[7]
    ok(parent[1] == "0" and parent[6] == "cow" and (waits or returns), "the parent waits for it, or still returns from fork", parent)
    here = run("info symbol $eip").split()[0]
    ok(child[1:3] == ["1", "running"] and f"user {evaluate('$eip'):#010x} {here}+" in child[7], f"the child runs, in {here}", child)
    ok(int(child[4]) == user_pages(top), f"the child has as many pages mapped as the processor sees, {user_pages(top)}", child)


def region_rows(pid):
    """What bel regions prints: first address, address behind the last, rights, the rest of the line."""
    pattern = re.compile(r"^0x([0-9a-f]+)-0x([0-9a-f]+) ([-rwxsp]{4})(.*)", re.MULTILINE)
    output = run(f"bel regions {pid}")
    return output, [(int(row[1], 16), int(row[2], 16), row[3], row[4]) for row in pattern.finditer(output)]


def check_regions(top, base):
    output, rows = region_rows(2)
    for address, size, flags, _, _ in load_segments(program()):
        wanted = "".join(letter if flags & bit else "-" for bit, letter in FLAG_TEXT) + "p"
        pages = range(address & ~(PAGE_BYTES - 1), address + size, PAGE_BYTES)
        covered = all(any(first <= page < end and text == wanted for first, end, text, _ in rows) for page in pages)
        ok(covered, f"bel regions shows the segment at {address:#x} as {wanted}", output)
    stack = [row for row in rows if row[0] <= evaluate("$esp") < row[1]]
    ok(len(stack) == 1 and stack[0][2] == "rw-p" and "stack" in stack[0][3] and stack[0][1] == top, "and the stack, at the top", stack)
    shared = [row for row in rows if row[0] == base]
    ok(shared and shared[0][1] == base + PAGES * PAGE_BYTES, "and the pages that the parent wrote", output)
    ok(f"{PAGES} anons" in shared[0][3] and "shared)" in shared[0][3], "as anons in chunks that are shared since the fork", shared)
    total = sum(end - first for first, end, _, _ in rows) // PAGE_BYTES
    ok(f"{len(rows)} regions, {total} pages, {user_pages(top)} mapped" in output, "the sums are right", output)


# ---- bel walk ---------------------------------------------------------------------------------------------------------------------


def check_walk(pae, address, what):
    """The walk of an address of the running process, which is mapped, against the processor."""
    output = run(f"bel walk 2 {address:#x}")
    place, entry = leaf_entry(address, pae)
    size = 16 if pae else 8
    shown = f"at {place:#x}: 0x{entry:0{size}x}, page in frame {frame_behind(address):#x}"
    ok(shown in output, f"bel walk finds the frame of {what}", output)
    bits = find(r"set: (.*)", output.split(f"at {place:#x}:")[1]).split()
    known = {name for bit, name in ENTRY_BITS.items() if entry >> bit & 1}
    ok(set(bits) & set(ENTRY_BITS.values()) == known, f"and names the bits of its entry: {' '.join(sorted(known))}", output)
    granted = {"read": rights(address)[0] == "u", "write": rights(address)[2] == "w", "execute": can_fetch(address, pae)}
    words = ", ".join(name if grant else f"not {name}" for name, grant in granted.items())
    ok(f"the entries permit: {words}" in output, f"they permit: {words}", output)
    ok("Entries and belief agree." in output, "and the kernel agrees", output)
    return output


def check_absent(pae, base):
    output = run("bel walk 2 0")
    ok("region     none" in output and "No entry: entries and belief agree." in output, "bel walk of a null pointer finds nothing", output)
    output = run(f"bel walk 2 {base:#x}")
    ok("not mapped" in output or "nothing: the next access faults" in output, "the child's tables begin empty", output)
    ok(f"frame {noted_frame(0):#x}, no swap slot" in output, "but the anon has the frame that the program saw", output)
    ok("2 references, shared with others" in output, "in a shared chunk", output)
    ok("kernel's half" in run("bel walk 2 0xc0100000"), "a kernel address is named so")
    ok("The kernel's own tables" in run("bel walk 0 0x1000"), "PID 0 is the kernel")
    if not pae:
        ok("mirror of 0x08049000" in run("bel walk 2 0x68049000"), "an address in the mirror is named so")


def check_parent(base):
    """The parent does not run: its tables can be walked all the same."""
    for page in (0, WRITTEN, PAGES - 1):
        output = run(f"bel walk 1 {base + page * PAGE_BYTES:#x}")
        frame = noted_frame(page)
        found = f"page in frame {frame:#x}" in output and "Entries and belief agree." in output
        ok(found, f"bel walk finds the parent's page {page}", output)
        ok("the entries permit: read, not write" in output, "which fork has made read-only", output)
        ok(physical_word(frame, size=1) == ord("p"), "and the frame holds what the parent wrote")


def complaints(pid):
    """What bel walk would complain of: the first, the last and some more pages of each region of a process."""
    layout = paging.Format()
    _, aspace = process.find_aspace(str(pid))
    found = []
    for region in memory.regions(aspace):
        first, end = memory.bounds(region)
        for page in {*range(first, end, SAMPLED), end - 1}:
            own, mirror = walk.mappings_of(layout, aspace, page << kernel.PAGE_SHIFT)
            found += walk.complaints_of(layout, aspace["pmap"].address, page, own, mirror, memory.believe(aspace, page))
    return found


def check_disagreements(pae, address, text):
    """Entries are changed behind the kernel's back: bel walk says what is wrong."""
    place, entry = leaf_entry(address, pae)
    size = 8 if pae else 4

    def changed(value, words, what, where=place, looked_at=address):
        old = word(where, size)
        store(where, value, size)
        output = run(f"bel walk 2 {looked_at:#x}")
        ok("DISAGREEMENT" in output and words in output, f"bel walk notices {what}", output)
        store(where, old, size)

    changed(entry | 2, "the chunk is shared", "write access to a shared page")
    changed(entry + PAGE_BYTES, f"but the page is in frame {entry >> 12 & 0xfffff:#x}", "a wrong frame")
    changed(0, "the reverse map lists a mapping that is not there", "a stale reverse map")
    changed(entry & ~1, "neither empty nor present", "an entry that is not present and not empty")
    if pae:
        changed(entry & ~NO_EXECUTE, "contradict each other", "a page of data that can be executed")
    else:
        changed(0, "the mirror does not map", "a page of text that is not in the mirror", leaf_entry(text + MIRROR, pae)[0], text)
    ok("DISAGREEMENT" not in run(f"bel walk 2 {address:#x}"), "with the entry restored all is well")


# ---- bel frame, bel faults --------------------------------------------------------------------------------------------------------


def check_frame(base, page, owners):
    number = noted_frame(page)
    output = run(f"bel frame {number}")
    found = re.findall(r"mapped by  process (\d+) \(cow\) at (0x[0-9a-f]+)", output)
    expected = [(str(pid), f"{base + page * PAGE_BYTES:#010x}") for pid in owners]
    ok(sorted(found) == expected, f"bel frame: the frame of page {page} is mapped by {owners}", output)
    ok(f"frame {number:#x} at physical {number * PAGE_BYTES:#010x}: anonymous" in output and "dirty" in output, "and anonymous", output)


def check_other_frames(pae, text):
    output = run(f"bel frame {frame_behind(text):#x}")
    address, _, _, offset, _ = segment_at(text)
    page = offset + text - address >> 12
    ok("object, " in output and f"file /bin/cow, page {page}" in output, f"bel frame: the text is the file's page {page}", output)
    ok("process 1 (cow) at" in output and "process 2 (cow) at" in output, "mapped by both", output)
    table = leaf_entry(text, pae)[0] - DIRECT_MAP >> 12
    ok("page table of process 2 (cow)" in run(f"bel frame {table}"), "bel frame: a page table is the child's", run(f"bel frame {table}"))
    if not pae:
        root = control_register(3) >> 12
        ok("root table of process 2 (cow)" in run(f"bel frame {root}"), "bel frame: what CR3 holds is its root", run(f"bel frame {root}"))
    zero = evaluate("object_zero_frame - frame_table")
    ok("the shared frame of zeroes" in run(f"bel frame {zero}"), "bel frame: the shared frame of zeroes")
    frames, free_state = range(evaluate("frame_limit") - 1, 0, -1), evaluate("FRAME_FREE")
    free = next(number for number in frames if evaluate(f"frame_table[{number}].state") == free_state)
    ok("free" in run(f"bel frame {free}") and "nobody" in run(f"bel frame {free}"), "bel frame: a free frame is nobody's")


def counters_shown(pid=""):
    """What bel faults prints: from name to the last column."""
    return {line.split()[0]: int(line.split()[-1]) for line in run(f"bel faults {pid}").splitlines()[1:]}


def check_faults():
    names = counter_names(ROOT / "mm/counters.h")
    start = kernel_symbol(kernel_file(), "counters")
    raw = {name: word(start + 4 * index) for index, name in enumerate(names)}
    shown = counters_shown()
    nonzero = {name: value for name, value in raw.items() if value}
    ok(shown == nonzero, "bel faults shows the counters that lie in memory", f"{nonzero}\n{run('bel faults')}")
    ok(shown["fork_lazy"] == 1, "one fork")


def check_copying(before, after):
    gained = after["fault_cow_copy"] - before["fault_cow_copy"]
    ok(WRITTEN <= gained <= WRITTEN + 2, f"bel faults 2: the child's {WRITTEN} writes copied {gained} pages")


# ---- Bad input, symbols, the end --------------------------------------------------------------------------------------------------


def check_bad_input():
    limit = evaluate("frame_limit")
    for command in ("bel regions 99", "bel walk 99 0", "bel faults 99"):
        refused(command, "there is no process 99", "bel ps")
    for command in ("bel regions abc", "bel walk abc 0", "bel faults abc"):
        refused(command, "`abc' is not a process number")
    for number in ("-1", "32768", "0x100000001"):
        refused(f"bel regions {number}", "is not a process number", "out of range")
    for command in ("bel regions", "bel walk", "bel walk 1", "bel frame", "bel ps 1"):
        refused(command, "usage: bel")
    refused("bel walk 1 nonsense", "`nonsense' is not an address", "No symbol")
    refused("bel walk 1 1 +", "is not an address", "syntax error")
    refused("bel walk 1 1.5", "is not an address", "fraction")
    refused("bel walk 1 0x100000000", "is not an address", "out of range")
    refused("bel walk 1 -1", "is not an address", "out of range")
    refused("bel frame xyz", "`xyz' is not a frame number")
    refused(f"bel frame {limit}", "out of range", f"{limit:#x}")
    refused("bel frame -1", "out of range")
    refused("bel symbols nonsense", "no program `nonsense'")
    refused("bel symbols ../belady.elf", "no program")


def check_symbols():
    run("bel symbols true")
    files = {pathlib.Path(objfile.filename).name for objfile in gdb.objfiles()}
    ok("true" in files and "cow" not in files, "bel symbols: one program's replace another's", files)
    run("bel symbols fpu")
    ok(gdb.lookup_objfile("fpu"), "bel symbols: the programs of tests/user/ too")
    run("bel symbols")
    ok(gdb.newest_frame().name() == "child_run", "bel symbols alone loads those of the process that runs", run("backtrace 1"))


def check_zombie():
    # Not the end of the kernel's first thread, which comes when that is given the processor once more.
    go_to("thread_exit", 'if $_any_caller_is("process_exit", 5)')
    rows = run("bel ps")
    ok(re.search(r"^ +2 +1 zombie .*wait status", rows, re.MULTILINE), "bel ps shows the zombie", rows)
    refused("bel regions 2", "process 2 (cow) is a zombie")
    refused("bel walk 2 0", "is a zombie")
    refused("bel faults 2", "is a zombie")


def main():
    before_the_kernel()
    go_to("main")
    at_main()
    pae = bool(control_register(4) & 1 << 5)
    top = DIRECT_MAP if pae else MIRROR
    go_to("child_run")
    base = evaluate("(unsigned) base")
    check_ps(top)
    check_regions(top, base)
    check_walk(pae, evaluate("$eip"), "the instruction")
    check_walk(pae, evaluate("$esp"), "the stack")
    check_absent(pae, base)
    check_parent(base)
    check_frame(base, 0, [1])
    check_bad_input()
    check_symbols()
    go_to("pages_write", 'if $_streq($bel_name(), "cow")')
    for page in (0, WRITTEN, PAGES - 1):
        check_frame(base, page, [1, 2])
    check_walk(pae, base, "a shared page")
    check_other_frames(pae, evaluate("$eip"))
    check_disagreements(pae, base, evaluate("$eip"))
    before = counters_shown(2)
    run("finish")
    check_copying(before, counters_shown(2))
    check_faults()
    check_frame(base, 0, [1])
    check_frame(base, WRITTEN, [1, 2])
    output = check_walk(pae, base, "a copied page")
    ok("1 reference, not shared" in output, "whose chunk has been split", output)
    found = complaints(1) + complaints(2)
    ok(not found, "entries and belief agree in every region of both", "\n".join(found))
    check_zombie()


main()
print("finished", file=report)
