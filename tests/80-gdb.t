#!/usr/bin/env python3
"""The debugger: tools/gdb/selftest prints TAP about its own commands; breakpoints by name work in the kernel and in a user program."""
from harness import *

SELFTESTS = [path for path in (ROOT / "tools/gdb/selftest.py", ROOT / "tools/gdb/selftest.sh") if path.exists()]


@case("commands")
def _(t):
    t.need(SELFTESTS, "there is a self-test")
    t.pass_on(t.run([SELFTESTS[0]], "the self-test ends with status 0"))


def breakpoints(t, paging):
    output = t.run([ROOT / "tools/debug.py", "--append", f"paging={paging} init=/bin/cow log=error", "--program", "cow", "--batch",
                    "--command", "break main", "--command", "continue", "--command", "backtrace", "--command", "next",
                    "--command", "info registers eip", "--timeout", str(SECONDS)], "gdb ends with status 0")
    t.ok(re.search(r"Breakpoint \d+, main ", output), "a breakpoint on main of a program stops there", output)
    t.ok(re.search(r"^#0 +main ", output, re.MULTILINE), "the backtrace names it", output)
    t.ok(re.search(r"<main\+\d+>", output), "and a step stays in it", output)


for paging in FORMATS:
    case(f"breakpoint in a program paging={paging}", paging)(breakpoints)

main()
