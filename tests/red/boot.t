#!/usr/bin/env python3
"""Run only by 60-red.t, which expects it to fail: reports as in-kernel tests what one boot prints.

RED_KERNEL and RED_ARGUMENTS in the environment say which kernel, and with what command line; RED_BOOTS how often, and RED_SECONDS how
long at most.
"""
import os
import sys

sys.path.insert(0, "tests")

from harness import *  # noqa: E402



def boot(t):
    t.ktap(t.boot(os.environ["RED_ARGUMENTS"], kernel=os.environ["RED_KERNEL"], timeout=float(os.environ["RED_SECONDS"])))


for number in range(int(os.environ["RED_BOOTS"])):
    case(f"boot {number}")(boot)

main()
