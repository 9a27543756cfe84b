#!/usr/bin/env python3
"""Every program of user/ that shows and checks a piece of the theory, as init, in both page-table formats."""
from harness import *

PROGRAMS = ("demand", "demand ramdisk.latency=500", "cow", "forks", "vfork", "dirty", "swap", "nx", "guard", "pager", "overflow",
            "pagetable", "mailbox", "ipc", "mmapfile", "gc", "server", "threads", "prefetch", "tour", "policies",
            "policies trace=/bin/policies", "locality")
SECONDS = 60

# Programs that live by the clock: a busy host must not stop it for them.
COUNT_INSTRUCTIONS = {"locality": ("-icount", "shift=4,sleep=off")}


def program(t, name, paging):
    """`name` may have further switches behind it."""
    result = t.boot(f"paging={paging} swap=64M log=error init=/bin/{name}", timeout=SECONDS, extra=COUNT_INSTRUCTIONS.get(name, ()))
    t.ok(result.verdict == "pass", "finds what the theory says", result)
    t.ok(len(result.output.split()) > 20, "tells a story", result)


# What the string costs with 3 and with 4 frames. lru is exact where every reference is seen.
ANOMALY = {"policy=fifo": (9, 10), "policy=clock": (9, 10), "policy=lru trace=/bin/belady": (10, 8)}


def anomaly(t, switches, paging):
    result = t.boot(f"paging={paging} swap=16M log=error {switches} init=/bin/belady", timeout=SECONDS)
    t.ok(result.verdict == "pass", "finds what the theory says", result)
    few, many = ANOMALY[switches]
    t.ok(f"{few} faults with 3 frames, {many} with 4" in result.output, f"{few} faults and {many}, as on paper", result)


# Among pages used often a new one is the policy's first choice. What one instruction needs must stay all the same.
def few_frames(t, policy):
    result = t.boot(f"policy={policy} swap=16M log=error init=/bin/sh -- -c 'ulimit -m 32; ls -l /bin; echo all of it'", timeout=SECONDS)
    t.ok(result.verdict == "pass" and "all of it" in result.output, "a program in eight frames comes to its end", result)


for policy in ("lfu", "mfu", "random"):
    case(f"few frames policy={policy}", policy)(few_frames)
for paging in FORMATS:
    for switches in ANOMALY:
        case(f"belady {switches} paging={paging}", switches, paging)(anomaly)
    for name in PROGRAMS:
        case(f"{name} paging={paging}", name, paging)(program)

main()
