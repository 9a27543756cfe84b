#!/usr/bin/env python3
"""Load control: thrashing shows, and its cure helps. With QEMU counting instructions time is the machine's own, and what a program finds
does not depend on how fast the host is."""
from harness import *

# 64 nanoseconds for an instruction: a slow machine, on which a fault is still much cheaper than the disk.
VIRTUAL_TIME = qemu.count_instructions(shift=6)

# Milliseconds, control_patience=.
PATIENCE = 1000

DECISION = re.compile(r"^control: (suspend|resume) \S+ \(\d+\), .*: .* and there are \d+$|^control: resume \S+ \(\d+\) after \d+ ms, .*$")


def thrash(t, paging):
    result = t.boot(f"paging={paging} swap=8M init=/bin/thrash", extra=VIRTUAL_TIME)
    t.ok(result.verdict == "pass", "finds what the theory says", result)
    lines = [line for line in result.output.splitlines() if line.startswith("control:")]
    t.ok(lines, "the log tells decisions")
    t.ok(all(DECISION.match(line) for line in lines), "each in one line: who, why, what is needed and what there is", "\n".join(lines))
    turns = [int(waited) for line in lines for waited in re.findall(r"after (\d+) ms, since it is its turn", line)]
    t.ok(all(waited >= PATIENCE for waited in turns), f"nobody has its turn before {PATIENCE} ms", turns)
    for kind in ("workingset", "pff"):
        suspended = sum(int(match) for match in re.findall(rf"^ +{kind} .* (\d+)$", result.output, re.MULTILINE))
        t.ok(suspended > 0, f"{kind}: {suspended} suspensions were counted", result)
    told = sum(line.startswith("control: suspend") for line in lines)
    counted = sum(int(match) for match in re.findall(r"^ +(?:off|workingset|pff) .* (\d+)$", result.output, re.MULTILINE))
    t.ok(told == counted, f"as many suspensions are told as counted: {told} and {counted}", result)


def program(t, name, switches):
    t.ktap(t.boot(f"{switches} swap=32M log=error init=/test/{name}", modules=[INITRD, TEST_PROGRAMS], memory="64M",
                  extra=VIRTUAL_TIME))


# With more rows, thrash all, the laboratory runs it, and holds each to the theory (17-lab).
for paging in FORMATS:
    case(f"thrash paging={paging}", paging)(thrash)
for switches in ("paging=2level", "paging=pae alloc=equal", "policy=random check=5000", "accessed=software chaos=50"):
    case(f"suspension {switches}", "suspension", switches)(program)
case("shares alloc=priority", "shares", "alloc=priority")(program)
for paging in FORMATS:
    case(f"load_control paging={paging}", "load_control", f"paging={paging}")(program)

main()
