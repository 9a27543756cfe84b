"""The commands while user/swap.c runs, which has written more pages than there are frames. Each page holds a mark made from its number, so
that where a page is said to be, in a frame or in a slot of the swap area, it must be found."""
import pathlib
import re

import gdb

from cases.facts import *

BUILD = pathlib.Path(gdb.lookup_objfile("belady.elf").filename).parent
STEP = 61           # pages from one that is looked at to the next
LOOKED_AT = 40


def mark(page):
    """What swap.c writes to a page."""
    return (page + 1) * 2654435761 & 0xFFFFFFFF


def check_automatic_symbols():
    """No symbols were asked for: they come at the first stop in the program."""
    run(f"tbreak *{entry_point(BUILD / 'user/swap'):#x}")
    run("continue")
    ok("_start" in run("info symbol $eip"), "a stop in a program loads its symbols", run("info symbol $eip"))


def slot_word(slot):
    """The first word of a slot, from the ramdisk's memory."""
    return word(evaluate("((struct ramdisk *) 'mm/swap.c'::area)->memory") + slot * PAGE_BYTES)


def check_pages(base, pages):
    """Where the pages are said to be, they are."""
    seen = {"in memory": 0, "in the swap area": 0}
    wrong = []
    for page in range(0, min(pages, STEP * LOOKED_AT), STEP):
        output = run(f"bel walk 1 {base + page * PAGE_BYTES:#x}")
        frame, slot = find(r"anon .*, frame (0x[0-9a-f]+)", output), find(r"not in memory, swap slot (\d+)", output)
        right = physical_word(int(frame, 16)) == mark(page) if frame else bool(slot) and slot_word(int(slot)) == mark(page)
        seen["in memory" if frame else "in the swap area"] += 1
        if not right or "belief agree" not in output:
            wrong.append(output)
    ok(not wrong, f"bel walk: each page is where it is said to be ({seen})", "\n".join(wrong))
    ok(all(seen.values()), "some are in memory, some in the swap area", seen)


def check_sums():
    """What bel regions says is out of memory is not in a frame."""
    output = run("bel regions 1")
    anons = sum(map(int, re.findall(r"(\d+) anons?\b", output)))
    swapped = sum(map(int, re.findall(r"(\d+) in swap", output)))
    in_frames = evaluate("'mm/frame.c'::counts[FRAME_ANONYMOUS]")
    ok(anons - swapped == in_frames, f"bel regions: {anons} anons, {swapped} in swap, so {in_frames} in frames", output)
    ok(re.search(r"^pswpout +[1-9]", run("bel faults 1"), re.MULTILINE), "bel faults 1: pages were swapped out", run("bel faults 1"))


def main():
    check_automatic_symbols()
    go_to("marks_wrong")
    check_pages(evaluate("(unsigned) base"), evaluate("pages"))
    check_sums()


main()
print("finished", file=report)
