#!/usr/bin/env python3
"""What each operation costs, in executed instructions: no row slower than on Linux, and fork's cost does not grow with memory."""
from harness import *


@case("costs")
def _(t):
    t.note(t.run(["tools/bench.py"], "every row is ahead of Linux's"))


main()
