#!/usr/bin/env python3
"""The kernel's traces: complete, and kernel and simulator come to the same faults and victims from the same references."""
import tempfile

from harness import *

PAGESIM = BUILD / "pagesim"
SECONDS = 60
# Policies that go by what is referenced alone: not by chance, not by the clock, not by the past of pages that are out, nor by the future.
POLICIES = "fifo clock nru lfu mfu lru".split()


def traced(t, program, switches, directory):
    """Boots the program as init, traced. Returns the boot's result and the trace's lines."""
    path = f"{directory}/trace"
    result = t.boot(f"swap=16M log=info trace={program} {switches} init={program}", memory="64M", extra=("-serial", f"file:{path}"),
                    timeout=SECONDS)
    return result, open(path).read().splitlines()


def under_limits(lines):
    """The parts of a trace that were recorded under a limit: (frames, lines) each."""
    parts = []
    for line in lines:
        if line.startswith("# frames="):
            parts.append((int(line.split("=")[1].split()[0]), []))
        elif parts:
            parts[-1][1].append(line)
    return [(frames, part) for frames, part in parts if frames < 100]


def same(t, policy, paging):
    with tempfile.TemporaryDirectory() as directory:
        result, lines = traced(t, "/bin/belady", f"policy={policy} paging={paging}", directory)
        t.ok(result.verdict == "pass", "the program runs traced", result)
        parts = under_limits(lines)
        t.ok([frames for frames, _ in parts] == [3, 4], "it ran with 3 frames, then with 4", result)
        for frames, part in parts:
            path = f"{directory}/part"
            pathlib.Path(path).write_text("\n".join([f"{lines[0]} frames={frames} policy={policy}", *part, ""]))
            compared = subprocess.run([PAGESIM, "--compare", "--policy", policy, "--frames", str(frames), path],
                                      capture_output=True, text=True)
            t.note(compared.stdout.strip() + compared.stderr.strip())
            t.ok(compared.returncode == 0, f"{frames} frames: faults and victims of kernel and simulator agree one by one")


def complete(t, paging):
    with tempfile.TemporaryDirectory() as directory:
        result, lines = traced(t, "/bin/true", f"paging={paging}", directory)
        t.ok(result.verdict == "pass", "the program runs traced", result)
        t.ok(lines[0].startswith("belady-trace 1 page=4096 program=/bin/true pid=1"), "the trace says what it is")
        references = [line for line in lines[1:] if line[0] in "rwx"]
        t.ok(f"made {len(references)} references" in result.output, "no reference is lost on the way out", result)
        # The first instructions of a musl program, from _start: no memory, no memory, then pushes.
        t.ok([line[0] for line in references[:6]] == list("xxxxwx"), "each instruction's fetch and its accesses are there, in order")


for paging in FORMATS:
    case(f"complete paging={paging}", paging)(complete)
    for policy in POLICIES:
        case(f"{policy} paging={paging}", policy, paging)(same)

main()
