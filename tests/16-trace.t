#!/usr/bin/env python3
"""The kernel's traces: complete, and kernel and simulator come to the same faults and victims from the same references, one by one, under
every policy. A recorded run makes policy=opt possible."""
import tempfile

from harness import *

PAGESIM = BUILD / "pagesim"
POLICIES = re.findall(r"POLICY\((\w+)\)", (ROOT / "mm/policy.h").read_text())

# Two games of twelve frames, before and after an exec, and with fork a third one in the child.
PROGRAM = "/test/replaced"


def traced(t, program, switches, directory, recording=None, name="trace"):
    """Boots the program as init, traced. Returns the boot's result and the path of the trace."""
    path = pathlib.Path(directory) / name
    modules = [INITRD, TEST_PROGRAMS, *([recording] if recording else [])]
    tracing = "" if recording else f"trace={program}"
    result = t.boot(f"swap=8M log=info {tracing} init={program} {switches}", memory="64M", modules=modules,
                    extra=("-serial", f"file:{path}"))
    t.ok(result.verdict == "pass", f"{program} ends with status 0", result)
    return result, path


def pagesim(*arguments):
    return subprocess.run([PAGESIM, *map(str, arguments)], capture_output=True, text=True, check=False)


def agree(t, path, games):
    """Kernel and simulator agree on each game of the trace; returns the faults of each."""
    compared = pagesim("--compare", path)
    faults = [int(number) for number in re.findall(r"(\d+) faults agree", compared.stdout)]
    victims = re.findall(r"(\d+) victims agree", compared.stdout)
    evidence = compared.stdout + compared.stderr
    t.ok(compared.returncode == 0 and len(faults) == len(victims) == games, f"the same faults and victims in {games} games", evidence)
    return faults


def told_whole(t, policy, victims, result):
    """explain=on: a line of the log for each victim, which names it, and of which nothing is cut off."""
    lines = re.findall(rf"^{policy}: (.*)$", result.output, re.MULTILINE)
    t.ok(len(lines) == len(victims) > 0, f"{len(victims)} victims are explained in as many lines", result)
    wrong = [line for victim, line in zip(victims, lines)
             if not re.search(rf"\b{victim}\b", line) or line.count("(") != line.count(")") or line.count("{") != line.count("}")]
    t.ok(not wrong, "each names its victim, to the end of the line", "\n".join(wrong))


def same(t, policy, paging):
    with tempfile.TemporaryDirectory() as directory:
        result, path = traced(t, PROGRAM, f"policy={policy} paging={paging} explain=on", directory)
        faults = agree(t, path, 3)
        told_whole(t, policy, re.findall(r"^- ([0-9a-f]+)", path.read_text(), re.MULTILINE), result)
        t.ok(max(faults, default=0) > 60, "there were faults to agree on", faults)


# ---- opt ----

def record(t, directory, program, arguments="", switches=""):
    return traced(t, program, f"policy=lru {switches} {arguments}", directory, name="recording")[1]


def foreseen(t, paging):
    with tempfile.TemporaryDirectory() as directory:
        recording = record(t, directory, PROGRAM, "-- alone", f"paging={paging}")
        _, path = traced(t, PROGRAM, f"policy=opt paging={paging} -- alone", directory, recording)
        least = agree(t, path, 2)[-1:]
        others = agree(t, recording, 2)[-1:]
        t.ok(least < others, "opt has fewer faults than the run that was recorded", (least, others))


# In the binary form, which leaves the machine in half the time.
BINARY = "trace.format=binary"


@case("opt on the lecture's string")
def _(t):
    with tempfile.TemporaryDirectory() as directory:
        recording = record(t, directory, "/bin/belady", switches=BINARY)
        result, path = traced(t, "/bin/belady", f"policy=opt {BINARY}", directory, recording)
        t.ok("7 faults with 3 frames, 6 with 4" in result.output and "[ yes] on paper: 7 and 6" in result.output,
             "7 and 6 faults, as on paper", result)
        t.ok("a recorded run of /bin/belady\n" in result.output, "the log says whose record it is", result)
        t.ok(agree(t, path, 2) == [7, 6], "and as many in the simulator")

        # The same record, as a text that was cut off.
        lines = pagesim("--convert", "text", recording).stdout.splitlines(keepends=True)
        # In the middle of the second game: before its fourth fault.
        second = lines.index("frames 4 1\n")
        faults = [number for number, line in enumerate(lines) if number > second and line.startswith("f ")]
        recording.write_text("".join(lines[:faults[3]]))
        result, _ = traced(t, "/bin/belady", f"policy=opt {BINARY}", directory, recording)
        t.ok("Under policy=opt, given up:" in result.output and "with 3 frames opt was in force, with 4 clock" in result.output,
             "the program says that opt was given up, and for what", result)


@case("a program that departs from its record")
def _(t):
    with tempfile.TemporaryDirectory() as directory:
        recording = record(t, directory, PROGRAM, "-- alone")
        lines = recording.read_text().splitlines(keepends=True)
        # Another page is used late in the second game.
        last = max(i for i, line in enumerate(lines) if line.startswith("w 5f6"))
        recording.write_text("".join([*lines[:last], "w 12345\n", *lines[last + 1:]]))
        result, path = traced(t, PROGRAM, "policy=opt -- alone", directory, recording)
        said = re.findall(r"process 1 departs from the recorded run at reference \d+: page 12345 was recorded, and page 5f6\w\w is wanted",
                          result.output)
        t.ok(len(said) == 1, "is told once, with both pages", result)
        t.ok("\npolicy clock 1\n" in path.read_text(), "and goes on under clock")


@case("opt without a record")
def _(t):
    result = t.boot("policy=opt init=/bin/true")
    t.ok("needs a recorded future, and there is none" in result.output and result.verdict == "pass", "is clock, and says so", result)


@case("modules that are no record")
def _(t):
    with tempfile.TemporaryDirectory() as directory:
        for content, said in [("belady-trace 1 page=4096 program=/bin/true pid=1\nx 8048\nw 12g4\n", "line 3 of the recorded run: no such"),
                              ("belady-trace 1 page=4096 pid=1\n", "names no program"),
                              ("some text\n", "neither a cpio archive nor a recorded run")]:
            module = pathlib.Path(directory) / "module"
            module.write_text(content)
            result = t.boot("policy=opt init=/bin/true", modules=[INITRD, module])
            t.ok(said in result.output and result.verdict == "pass", f"{said}: named and left out", result)


# ---- The trace itself ----

def complete(t, paging):
    with tempfile.TemporaryDirectory() as directory:
        result, path = traced(t, "/bin/true", f"paging={paging}", directory)
        lines = path.read_text().splitlines()
        t.ok(lines[0].startswith("belady-trace 1 page=4096 program=/bin/true pid=1 policy=clock seed=1 window="), "it says what it is")
        references = re.findall(r"\b([rwx]) [0-9a-f]+", "\n".join(line for line in lines[1:] if line[0] in "rwx+"))
        t.ok(f"made {len(references)} references" in result.output, "no reference is lost on the way out", result)
        price = re.search(r"in (\d+) steps, at the price of (\d+) faults", result.output)
        t.ok(price and int(price[2]) >= int(price[1]) > 0, "there was a fault for each step at least", result)
        # The first instructions of a musl program, from _start: no memory, no memory, then pushes.
        t.ok(references[:6] == list("xxxxwx"), "each instruction's fetch and its accesses are there, in order")


@case("events")
def _(t):
    with tempfile.TemporaryDirectory() as directory:
        _, path = traced(t, PROGRAM, "policy=aging", directory)
        text = path.read_text()
        for event in ("fork 1 2", "exec 1", "exit 2", "exit 1", "frames 12 1", "frames 12 2", "policy aging 2", "t"):
            t.ok(f"\n{event}\n" in text, f"{event} is there")
        # Two pages are discarded while both are known, twenty unmapped at the end, all in the first process.
        t.ok(len(re.findall(r"^u 5f6\w\w$", text, re.MULTILINE)) == 22, "discarded and unmapped pages are told")
        t.ok(re.search(r"^x \w+ w \w+$", text, re.MULTILINE), "what one instruction does stands on one line")
        swept = pagesim("--policy", "all", "--frames", "8,16", "--csv", path)
        t.ok(swept.returncode == 0, "every policy goes through it", swept.stderr)


@case("binary")
def _(t):
    with tempfile.TemporaryDirectory() as directory:
        _, path = traced(t, PROGRAM, "policy=2q trace.format=binary", directory)
        agree(t, path, 3)
        text = pagesim("--convert", "text", path)
        converted = pathlib.Path(directory) / "converted"
        converted.write_text(text.stdout)
        agree(t, converted, 3)
        t.ok(path.stat().st_size * 2 < len(text.stdout), "it takes less than half the room")


@case("local allocation")
def _(t):
    with tempfile.TemporaryDirectory() as directory:
        _, path = traced(t, PROGRAM, "policy=clock alloc=equal", directory)
        agree(t, path, 3)


# Threads, vfork, handlers, what is shared, dirty pages of a file; and a process in the child.
def ways(t, policy, paging, form):
    with tempfile.TemporaryDirectory() as directory:
        _, path = traced(t, "/test/replaced_ways", f"policy={policy} paging={paging} trace.format={form}", directory)
        faults = agree(t, path, 2)
        t.ok(max(faults, default=0) > 200, "there were faults to agree on", faults)


for number, policy in enumerate(["fifo", "nru", "arc", "wsclock"]):
    case(f"the less usual ways of paging, {policy}", policy, FORMATS[number % 2], ["text", "binary"][number // 2])(ways)


# What an instruction needs stays, and is more than the limit: the kernel goes on above it, and so does the simulator.
@case("one frame")
def _(t):
    with tempfile.TemporaryDirectory() as directory:
        _, path = traced(t, "/test/minimum", "policy=mfu -- locked", directory)
        agree(t, path, 1)


for number, policy in enumerate(policy for policy in POLICIES if policy != "opt"):
    for paging in FORMATS if policy == "clock" else [FORMATS[number % len(FORMATS)]]:
        case(f"{policy} paging={paging}", policy, paging)(same)
for paging in FORMATS:
    case(f"complete paging={paging}", paging)(complete)
    case(f"opt paging={paging}", paging)(foreseen)

main()
