#!/usr/bin/env python3
"""What a program may do wrong: each tests/user/bad_*.c, as init, does it and sees the errno or the signal; the kernel lives on."""
from harness import *

SECONDS = 60


def bad_input(t, name, paging):
    # Little memory, since some use it up.
    t.ktap(t.boot(f"paging={paging} swap=16M log=error init=/test/{name}", memory="64M", modules=[INITRD, TEST_PROGRAMS], timeout=SECONDS))


for paging in FORMATS:
    for source in sorted(ROOT.glob("tests/user/bad_*.c")):
        case(f"{source.stem} paging={paging}", source.stem, paging)(bad_input)

main()
