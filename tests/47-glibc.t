#!/usr/bin/env python3
"""Programs as people build them elsewhere, in C with glibc and in C++ with libstdc++, linked statically: each of tests/glibc/, as init."""
from harness import *

ARCHIVES = [INITRD, BUILD / "glibc.cpio"]


def program(t, name, switches):
    t.ktap(t.boot(f"{switches} swap=32M log=error init=/glibc/{name}", modules=ARCHIVES))


for paging in FORMATS:
    for source in sorted(ROOT.glob("tests/glibc/*.c*")):
        case(f"{source.stem} paging={paging}", source.stem, f"paging={paging}")(program)

main()
