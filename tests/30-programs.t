#!/usr/bin/env python3
"""Every program of user/ that shows and checks a piece of the theory, as init, in both page-table formats."""
from harness import *

TOUR = ("demand", "pagetable", "nx", "overflow", "guard", "pager", "cow", "forks", "vfork", "swap", "prefetch", "dirty")
PROGRAMS = ("demand ramdisk.latency=500", "mailbox", "ipc", "mmapfile", "gc", "server", "threads", "policies", "locality")

# Programs that live by the clock, or compare what two ways cost: a busy host must not stop it for them.
VIRTUAL_TIME = qemu.count_instructions(shift=4)
COUNT_INSTRUCTIONS = {name: VIRTUAL_TIME for name in ("locality", "mmapfile", "server")}


def program(t, name, paging):
    """`name` may have further switches behind it."""
    result = t.boot(f"paging={paging} swap=32M log=error init=/bin/{name}", memory="64M",
                    extra=COUNT_INSTRUCTIONS.get(name, ()))
    t.ok(result.verdict == "pass", "finds what the theory says", result)
    t.ok(len(result.output.split()) > 20, "tells a story", result)


def tour(t, paging):
    result = t.boot(f"paging={paging} swap=32M log=error init=/bin/tour", memory="64M", extra=VIRTUAL_TIME)
    _, *stories = re.split(r"^== (\w+) =+$", result.output, flags=re.MULTILINE)
    told = dict(zip(stories[::2], stories[1::2]))
    for name in TOUR:
        story = told.pop(name, "")
        t.ok(re.search(rf"^{name}: [1-9]\d* as theory says, 0 not, ", story, re.MULTILINE), f"{name} finds what the theory says", story)
        t.ok(len(story.split()) > 20, f"{name} tells a story", story)
    t.ok(result.verdict == "pass" and not told, "no other story is told, and all went well", result)


# The binary form leaves the machine in half the time.
TRACED = "trace=/bin/belady trace.format=binary"

# What the string costs with 3 and with 4 frames. lru is exact where every reference is seen.
ANOMALY = {"policy=fifo": (9, 10), "policy=clock": (9, 10), f"policy=lru {TRACED}": (10, 8)}


def anomaly(t, switches, paging):
    result = t.boot(f"paging={paging} swap=16M log=error {switches} init=/bin/belady")
    t.ok(result.verdict == "pass", "finds what the theory says", result)
    few, many = ANOMALY[switches]
    t.ok(f"{few} faults with 3 frames, {many} with 4" in result.output, f"{few} faults and {many}, as on paper", result)


# The lecture's string under every policy that has an answer on paper: as the run, traced, is told of every reference.
ON_PAPER = {"nru": (9, 10), "lfu": (10, 8), "mfu": (9, 10), "2q": (11, 9), "arc": (10, 7)}


def on_paper(t, policy):
    result = t.boot(f"policy={policy} swap=16M log=error {TRACED} init=/bin/belady")
    few, many = ON_PAPER[policy]
    t.ok(result.verdict == "pass" and f"[ yes] on paper: {few} and {many}" in result.output, f"{few} faults and {many}, as on paper", result)
    stars = re.findall(r"^ +([34]) frames (.*?) +(\d+) faults$", result.output, re.MULTILINE)
    t.ok([(frames, row.count("*")) for frames, row, _ in stars] == [("3", few), ("4", many)], "and a star for each", result)


@case("belady untraced")
def _(t):
    result = t.boot("policy=lru swap=16M log=error init=/bin/belady")
    t.ok(result.verdict == "pass" and "trace=/bin/belady" in " ".join(result.output.split()) and "[skip] lru goes by references" in result.output,
         "a policy that sees no references does not pass for what it is on paper, and it says how to boot", result)


WRONG_USES = {"belady lru": 'belady: "lru": it takes no arguments', "policies 3": 'policies: "3"', "locality -h": 'locality: "-h"',
              "prefetch 8": 'prefetch: "8"', "thrash al": 'thrash: "al": the one argument that it takes is all',
              "thrash all 3": 'thrash: "all" and more'}


@case("arguments")
def _(t):
    commands = " ".join(f"{command}; echo status $?;" for command in WRONG_USES)
    result = t.boot(f"swap=16M log=error init=/bin/sh -- -c '{commands}'")
    t.ok(all(said in result.output for said in WRONG_USES.values()), "what is wrong is named, and what is allowed", result)
    t.ok(result.output.count("status 2") == len(WRONG_USES) and "==" not in result.output, "and no story begins", result)


@case("too few frames")
def _(t):
    result = t.boot("swap=16M log=error init=/bin/sh -- -c 'ulimit -m 64; prefetch && locality && thrash && policies && belady'")
    t.ok(result.verdict == "pass", "no story fails because of the user's own limit", result)
    told = re.findall(r"this takes \d+ frames, and the limit of this process \(ulimit -m, RLIMIT_RSS\) is 16", " ".join(result.output.split()))
    t.ok(len(told) == 3, "those that need more say how many, and how many there are", result)


@case("too small a swap area")
def _(t):
    none = t.boot("log=error init=/bin/sh -- -c 'swap && belady && dirty && prefetch && policies'", memory="32M")
    t.ok(none.verdict == "pass" and none.output.count("there is no swap area") == 4, "without one, no story fails; those that need it say so", none)
    small = t.boot("swap=8M log=error init=/bin/swap", memory="896M")
    t.ok(small.verdict == "pass" and "too few" in small.output and "killed" not in small.output,
         "one that all that RAM would need for its tables is not filled until somebody dies", small)


# Among pages used often a new one is the policy's first choice. What one instruction needs must stay all the same.
def few_frames(t, policy):
    result = t.boot(f"policy={policy} swap=16M log=error init=/bin/sh -- -c 'ulimit -m 32; ls -l /; echo all of it'")
    t.ok(result.verdict == "pass" and "all of it" in result.output, "a program in eight frames comes to its end", result)


for policy in ("lfu", "mfu", "random"):
    case(f"few frames policy={policy}", policy)(few_frames)
for policy in ON_PAPER:
    case(f"belady on paper policy={policy}", policy)(on_paper)
# With trace=/bin/policies the laboratory runs it, and holds each policy to the theory (17-lab).
for paging in FORMATS:
    for switches in ANOMALY:
        case(f"belady {switches} paging={paging}", switches, paging)(anomaly)
    case(f"tour paging={paging}", paging)(tour)
    for name in PROGRAMS:
        case(f"{name} paging={paging}", name, paging)(program)

main()
