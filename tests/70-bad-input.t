#!/usr/bin/env python3
"""What a program may do wrong: each tests/user/bad_*.c, as init, does it and sees the errno or the signal; the kernel lives on. And who is
killed for memory while somebody is dying already, with a disk that is slower, or faster, than the patience with that one."""
from harness import *



def bad_input(t, name, paging):
    # Little memory, since some use it up.
    t.ktap(t.boot(f"paging={paging} swap=16M log=error init=/test/{name}", memory="64M", modules=[INITRD, TEST_PROGRAMS]))


for paging in FORMATS:
    for source in sorted(ROOT.glob("tests/user/bad_*.c")):
        case(f"{source.stem} paging={paging}", source.stem, paging)(bad_input)

# With QEMU counting instructions no time is spent waiting: seconds of the disk's are none of the host's.
VIRTUAL_TIME = qemu.count_instructions(shift=4)


@case("oom_patience")
def _(t):
    t.ktap(t.boot("log=error init=/test/oom_patience", memory="64M", modules=[INITRD, TEST_PROGRAMS], extra=VIRTUAL_TIME))


main()
