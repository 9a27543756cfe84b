#!/usr/bin/env python3
"""Every program of user/ that shows and checks a piece of the theory, as init, in both page-table formats."""
from harness import *

PROGRAMS = ("demand", "cow", "forks", "vfork", "dirty", "swap", "nx", "guard", "pager", "overflow", "pagetable", "mailbox", "ipc", "tour")
SECONDS = 60


def program(t, name, paging):
    result = t.boot(f"paging={paging} swap=64M log=error init=/bin/{name}", timeout=SECONDS)
    t.ok(result.verdict == "pass", "finds what the theory says", result)
    t.ok(len(result.output.split()) > 20, "tells a story", result)


for paging in FORMATS:
    for name in PROGRAMS:
        case(f"{name} paging={paging}", name, paging)(program)

main()
