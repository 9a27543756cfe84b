#!/usr/bin/env python3
"""The page-replacement simulator: published answers, properties on random traces, every form of trace, explanations, bad input."""
import csv
import gzip
import json
import resource
import shutil

from harness import *

sys.path.insert(0, str(ROOT / "tests/pagesim"))
import models  # noqa: E402 -- found through the path set above
import random_events  # noqa: E402

PAGESIM = BUILD / "pagesim"
WALK = pathlib.Path("tests/pagesim")
POLICIES = "fifo random clock nru aging lfu mfu lru wsclock 2q arc opt".split()

LECTURE = "0 1 2 3 0 1 4 0 1 2 3 4"
SILBERSCHATZ = "7 0 1 2 0 3 0 4 2 3 0 3 2 1 2 0 1 7 0 1"
BELADY = "1 2 3 4 1 2 5 1 2 3 4 5"
LOOP = " ".join(str(i % 50) for i in range(10000))
BY_COLUMNS = " ".join(str(row) for _ in range(128) for row in range(128))
BY_ROWS = " ".join(str(row) for row in range(128) for _ in range(128))

# Reference string, frames, faults under FIFO, LRU, OPT, CLOCK (None: no published figure).
GOLDEN = [
    (LECTURE, 3, 9, 10, 7, 9),
    (LECTURE, 4, 10, 8, 6, 10),
    (SILBERSCHATZ, 3, 15, 12, 9, 14),
    (SILBERSCHATZ, 4, 10, 8, 8, 9),
    (BELADY, 3, 9, 10, 7, 9),
    (BELADY, 4, 10, 8, 6, 10),
    ("0 1 2 0 1 3 0 3 1 2 1", 3, 7, 5, 5, 7),
    (LOOP, 49, 10000, 10000, 253, 10000),
    (LOOP, 50, 50, 50, 50, 50),
    ("2 3 2 1 5 2 4 5 3 2 5 2", 3, 9, 7, 6, 8),
    ("1 2 3 2 4 1 3 2 4 1", 3, 6, 9, 5, 6),
    ("1 2 3 4 3 1 4 2 5 2 1 2 3 4 5 1", 4, 11, 9, 6, 9),
    (BY_COLUMNS, 127, 16384, 16384, None, None),
    (BY_COLUMNS, 64, 16384, 16384, None, None),
    (BY_ROWS, 1, 128, 128, 128, 128),
]

WORKING_SET = "2 6 1 5 7 7 7 7 5 1 6 2 3 4 1 2 3 4 4 4 3 4 3 4 4 4"

# Reference bits of six pages in five ticks, and the counters they end with.
AGING = ["101011", "110010", "110101", "100010", "011000"]
COUNTERS = ["01111000", "10110000", "10001000", "00100000", "01011000", "00101000"]


def file_of(name, content):
    path = LOGS / f"pagesim-{name}"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def pagesim(*arguments, stdin=None):
    """Returns (status, standard output, standard error)."""
    done = subprocess.run([PAGESIM, *map(str, arguments)], input=stdin, capture_output=True, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace")


def sweep(trace, frames, *options, policies=POLICIES):
    """Returns {(policy, frames): (faults, write-backs)}."""
    status, output, errors = pagesim("--csv", "--tick", 16, "--policy", ",".join(policies), "--frames", frames, *options, trace)
    if status != 0:
        raise RuntimeError(errors)
    rows = csv.DictReader(output.splitlines())
    return {(row["policy"], int(row["frames"])): (int(row["faults"]), int(row["write_backs"])) for row in rows}


# ---- Known answers ----

@case("golden")
def _(t):
    for number, (string, frames, *expected) in enumerate(GOLDEN):
        found = sweep(file_of(f"golden-{number}", string), frames, policies=["fifo", "lru", "opt", "clock"])
        got = [found[policy, frames][0] for policy in ("fifo", "lru", "opt", "clock")]
        same = all(want is None or want == have for want, have in zip(expected, got))
        t.ok(same, f"{string[:24]}... with {frames} frames", f"expected {expected}, got {got}")


@case("anomaly")
def _(t):
    found = sweep(file_of("belady", BELADY), "3-4", policies=["fifo"])
    t.ok(found["fifo", 4][0] > found["fifo", 3][0], "more frames, more faults", found)


@case("working set")
def _(t):
    trace = file_of("working-set", WORKING_SET)
    _, output, _ = pagesim("--workingset", 10, "--explain", trace)
    steps = {int(line.split()[0]): line for line in output.splitlines()[1:]}
    t.ok(steps[10].endswith(" 5 {1 2 5 6 7}"), "{1 2 5 6 7} after 10 references", output)
    t.ok(steps[26].endswith(" 2 {3 4}"), "{3 4} after 26", output)
    naive = [len(set(WORKING_SET.split()[max(0, i - 10):i])) for i in range(1, 27)]
    _, output, _ = pagesim("--workingset", "3,10", "--explain", "--csv", trace)
    t.ok([int(line.split(",")[2]) for line in output.splitlines()[1:]] == naive, "its size after each reference", output)
    _, output, _ = pagesim("--workingset", 10, "--json", trace)
    found = json.loads(output)["windows"][0]
    t.ok(found["largest"] == max(naive) and found["last"] == 2, "its largest and last size", output)
    t.ok(abs(found["mean"] - sum(naive) / 26) < 0.001, "its mean size", output)


@case("aging")
def _(t):
    string = " | ".join(" ".join(str(page) for page in range(6) if bits[page] == "1") for bits in AGING) + " |"
    _, output, _ = pagesim("--policy", "aging", "--frames", 6, "--explain", file_of("aging", string))
    counters = {int(page): counter for page, counter in re.findall(r"(\d)=([01]{8})", output)}
    t.ok(counters == dict(enumerate(COUNTERS)), "counters of 8 bits", output)
    t.ok("next victim: 3 has" in output, "the lowest goes", output)


@case("explanations")
def _(t):
    found = ""
    for policy in ["fifo", "clock", "nru", "lru", "aging", "lfu", "mfu", "wsclock", "2q", "arc", "opt"]:
        _, output, errors = pagesim("--policy", policy, "--frames", 3, "--window", 3, "--explain", WALK / "walk.trace")
        found += ("\n" if found else "") + output + errors
    expected = (WALK / "walk.txt").read_text(encoding="utf-8")
    differing = [f"{want}\n{have}" for want, have in zip(expected.splitlines(), found.splitlines()) if want != have]
    t.ok(found == expected, "every step of eleven policies as in tests/pagesim/walk.txt", "\n".join(differing))
    many = file_of("many", " ".join(map(str, range(21))))
    steps = [pagesim("--policy", policy, "--frames", 20, "--explain", many)[1] for policy in ("clock", "wsclock", "fifo")]
    t.ok("hand: 4 others, then 4(used) 5(used)" in steps[0] and "(age,dirty): 3 others, then 4(" in steps[1] and "15 and 4 more}" in steps[2],
         "of more than sixteen candidates it says how many there are besides", "\n".join(steps))


# ---- Behaviour that the inventors promise ----

@case("scan resistance")
def _(t):
    # Forty hot pages, and between them pages that are used once.
    generator = random.Random(SEED)
    string = [generator.randrange(40) if generator.random() < 0.5 else 1000 + i for i in range(20000)]
    once = sum(page >= 1000 for page in string)
    found = sweep(file_of("scan", " ".join(map(str, string))), 56, policies=["lru", "2q", "arc", "opt"])
    faults = {policy: count - once for (policy, _), (count, _) in found.items()}
    for policy in ("2q", "arc"):
        t.ok(faults[policy] * 4 < faults["lru"], f"a scan does not drive the hot set out of {policy}", f"seed {SEED}: {faults}")


@case("lfu keeps what is popular")
def _(t):
    found = sweep(file_of("lfu", "1 1 1 2 2 3 4 5 6 7 1 2"), 3, policies=["lfu", "mfu", "lru"])
    t.ok([found[policy, 3][0] for policy in ("lfu", "mfu", "lru")] == [7, 9, 9], "mfu and lru do not", found)


@case("dirty pages")
def _(t):
    # With nru and wsclock, of two unused pages the clean one goes first, older or not.
    trace = file_of("dirty", "1w 2 3 | 3 4 1")
    found = sweep(trace, 3, "--window", 1, policies=["nru", "fifo"])
    t.ok(found["fifo", 3] == (5, 1), "fifo writes the oldest page", found)
    written = sweep(file_of("dirty-wsclock", "1w 2 3 3 3 3 3 4"), 3, "--window", 4, policies=["wsclock"])
    t.ok(written["wsclock", 3] == (4, 0), "wsclock takes the clean page outside the window", written)


# ---- Properties ----

def random_trace(generator, events):
    """A trace of the kernel's form with locality, writes, and perhaps unmapped pages."""
    pages = generator.randrange(1, 40)
    lines = ["belady-trace 1 page=4096 program=/bin/random pid=7"]
    for _ in range(generator.randrange(1, 2500)):
        page = generator.randrange(pages if generator.random() < 0.5 else max(1, pages // 4))
        what = generator.random()
        if events and what < 0.05:
            lines.append(f"u {page:x}" if what < 0.045 else "exit 7")
        elif events and what < 0.1:
            lines.append(f"x {page:x} r {generator.randrange(pages):x} w {generator.randrange(pages):x} 9")
        else:
            lines.append(f"{generator.choice('rrwx')} {page:x}")
    return pages, "\n".join(lines) + "\n"


def random_traces(count, events=False):
    generator = random.Random(SEED)
    for number in range(count):
        pages, text = random_trace(generator, events)
        yield number, pages, file_of("random", text)


@case("properties")
def _(t):
    broken = {"opt": [], "stack": [], "cold": [], "one pass": [], "bounds": []}
    for number, pages, trace in random_traces(25):
        found = sweep(trace, f"1-{pages}")
        distinct = found["opt", pages][0]
        for (policy, frames), (faults, written) in found.items():
            if faults < found["opt", frames][0]:
                broken["opt"].append((number, policy, frames))
            if policy in ("lru", "opt") and frames > 1 and faults > found[policy, frames - 1][0]:
                broken["stack"].append((number, policy, frames))
            if frames == pages and (faults != distinct or written):
                broken["cold"].append((number, policy))
            if faults < distinct or written > faults:
                broken["bounds"].append((number, policy, frames))
        alone = sweep(trace, f"1-{pages}", "--no-stack", policies=["lru", "opt"])
        if any(alone[key] != found[key] for key in alone):
            broken["one pass"].append(number)
    t.note(f"seed={SEED}")
    t.ok(not broken["opt"], "opt faults at most as often as every other policy", broken["opt"])
    t.ok(not broken["stack"], "lru and opt never fault more with a frame more", broken["stack"])
    t.ok(not broken["cold"], "with a frame for each page every policy faults once a page and writes nothing", broken["cold"])
    t.ok(not broken["bounds"], "no policy faults less than once a page, or writes more than it faults", broken["bounds"])
    t.ok(not broken["one pass"], "lru and opt in one pass: the same as for each number of frames alone", broken["one pass"])


# ---- Against models of our own ----

def model_trace(events):
    return file_of("model", random_events.text(events))


@case("models")
def _(t):
    generator = random.Random(SEED)
    differing = {policy: [] for policy in POLICIES}
    for number in range(12):
        chance = random_events.Events(generator)
        window = generator.choice([1, 5, 20, 60])
        frames = sorted({1, 2, 3, chance.pages // 2, chance.pages - 1, generator.randrange(1, 64)})
        trace = model_trace(chance.events)
        binary = subprocess.run([PAGESIM, "--convert", "binary", trace], capture_output=True, check=True).stdout
        _, output, _ = pagesim("--csv", "--window", window, "--frames", ",".join(map(str, frames)), file_of("model-binary", binary))
        for row in csv.DictReader(output.splitlines()):
            game = models.Game(models.MODELS[row["policy"]], int(row["frames"]), chance.events, window)
            for _ in game.play():
                pass
            if (game.faults, game.written) != (int(row["faults"]), int(row["write_backs"])):
                differing[row["policy"]].append((number, int(row["frames"]), row["faults"], row["write_backs"], game.faults, game.written))
    for policy in POLICIES:
        t.ok(not differing[policy], f"{policy}: as many faults and write-backs as by the naive model (seed={SEED})", differing[policy])


def steps_of_simulator(output):
    """Which pages were in memory after each reference and tick of pagesim --explain."""
    for line in output.splitlines()[2:]:
        if re.match(r" +(\S+ [rwx]|tick) +\|", line):
            pages = [page.rpartition(":") for page in line.split("|")[1].split() if page != "-"]
            yield {(int(process or random_events.FIRST_PROCESS), int(page, 16)) for process, _, page in pages}


@case("models, step by step")
def _(t):
    generator = random.Random(SEED)
    for policy in POLICIES:
        chance = random_events.Events(generator)
        frames = generator.randrange(2, chance.pages)
        _, output, _ = pagesim("--explain", "--policy", policy, "--frames", frames, model_trace(chance.events))
        found = list(steps_of_simulator(output))
        game = models.Game(models.MODELS[policy], frames, chance.events)
        wanted = [pages for (kind, _), pages in zip(chance.events, game.play()) if kind[-1] in "rwx" or kind == "t"]
        step = next((i for i, (have, want) in enumerate(zip(found, wanted)) if have != want), None)
        t.ok(len(found) == len(wanted) and step is None, f"{policy}: the same pages in memory after each event (seed={SEED})",
             None if step is None else (step, found[step], wanted[step], chance.events))


@case("a page that is not used for long")
def _(t):
    # Longer than the row in which the stack of lru keeps its pages is at first, so that it moves meanwhile.
    trace = file_of("seldom", "0 " + "1 2 " * 1000 + "0\n")
    found = sweep(trace, "1-4", policies=["lru"])
    t.ok([found["lru", frames][0] for frames in (1, 2, 3, 4)] == [2002, 4, 3, 3], "is still in its place of lru's stack", found)


@case("unmapped pages")
def _(t):
    broken = []
    for number, pages, trace in random_traces(15, events=True):
        found = sweep(trace, f"1-{2 * pages}", policies=["lru"])
        alone = sweep(trace, f"1-{2 * pages}", "--no-stack")
        if any(alone[key] != found[key] for key in found):
            broken.append(number)
    t.ok(not broken, f"every policy bears them, and lru in one pass is still lru (seed={SEED})", broken)


# ---- Forms of traces ----

@case("forms")
def _(t):
    for number, pages, trace in random_traces(5, events=True):
        text = trace.read_text()
        binary = subprocess.run([PAGESIM, "--convert", "binary", trace], capture_output=True, check=True).stdout
        again = subprocess.run([PAGESIM, "--convert", "text", "-"], input=binary, capture_output=True, check=True).stdout.decode()
        t.ok(again == text and len(binary) < len(text), f"text to binary and back, trace {number} (seed={SEED})")
        t.ok(sweep(file_of("binary", binary), f"1-{pages}") == sweep(trace, f"1-{pages}"), "the same faults in both")
    life = ("belady-trace 1 page=4096 program=/bin/x pid=3 new=field\n"
            "x 8048 r bffff\nt\nfork 3 4\nw bffff 4\nx 8048\nf 9 4\n+ r 9 4\n- 8048\n+ w 1 x 2 4\nexec 4\nexit 3\n"
            "i 5\no 5\nd 6\nframes 12 3\npolicy 2q 3\nshort 3\nu 1\n")
    binary = subprocess.run([PAGESIM, "--convert", "binary", "-"], input=life.encode(), capture_output=True, check=True).stdout
    again = subprocess.run([PAGESIM, "--convert", "text", "-"], input=binary, capture_output=True, check=True).stdout.decode()
    t.ok(again == life, "every event survives", again)


@case("page numbers")
def _(t):
    trace = file_of("plain", "1,2 3w\t4 # the rest is a comment: 5 6 7\n\n| 1 18446744073709551615\n")
    status, output, errors = pagesim("--json", "--frames", "2,8", "--policy", "fifo,lru", trace)
    found = json.loads(output) if status == 0 else {}
    t.ok(found.get("references") == 6 and found["pages"] == 5, "commas, comments, ticks, writes, 64 bits", output + errors)
    t.ok([row["write_backs"] for row in found["results"]] == [1, 0, 1, 0], "a write is written back once it goes", output)
    _, output, _ = pagesim("--frames", "2,8", "--policy", "fifo,clock,lru,2q,opt", trace)
    named = re.findall("fifo|clock|lru|2q|opt", output)
    t.ok(named == ["fifo", "clock", "lru", "2q", "opt"] and len(re.findall(r"^ +[28] ", output, re.MULTILINE)) == 4
         and max(map(len, output.splitlines())) < 100, "a table for three policies, and the others below, so that lines are short", output)
    status, output, _ = pagesim("--csv", "--frames", 3, "--policy", "fifo", file_of("empty", ""))
    t.ok(status == 0 and "fifo,3,0,0,0" in output, "an empty trace has no faults", output)


@case("lackey")
def _(t):
    trace = file_of("lackey", "==12== Lackey\n==12== \nI  04000ffe,4\n L 1fff000708,1\n S 04002000,4\n M 04003ffc,8\n==12== \n")
    status, output, errors = pagesim("--explain", "--policy", "lru", "--frames", 2, trace)
    steps = re.findall(r"^ *([0-9a-f]+) ([rwx]) \|", output, re.MULTILINE)
    expected = [("4000", "x"), ("4001", "x"), ("1fff000", "r"), ("4002", "w"), ("4003", "w"), ("4004", "w")]
    t.ok(steps == expected, "fetches, loads, stores; an access can touch two pages", output + errors)
    if not shutil.which("valgrind"):
        return
    real = LOGS / "pagesim-lackey-real"
    subprocess.run(["valgrind", "--tool=lackey", "--trace-mem=yes", f"--log-file={real}", "/bin/true"], check=False)
    found = sweep(real, "1-16", policies=["fifo", "lru", "opt"])
    t.ok(found["lru", 1][0] > found["lru", 16][0] >= found["opt", 16][0] > 10, "valgrind's own output", found)


# ---- Kernel against simulator ----

def kernel_trace(policy, swap=None):
    """What a kernel with 3 frames notes of the lecture's string, out of the simulator's own mouth; swap exchanges two victims."""
    trace = file_of("source", LECTURE)
    _, output, _ = pagesim("--explain", "--policy", policy, "--frames", 3, trace)
    lines = [f"belady-trace 1 page=4096 pid=1 frames=3 policy={policy}"]
    before = []
    for page, frames, fault in re.findall(r"^ +(\d) r \|([ \d-]+)\|( \*)?", output, re.MULTILINE):
        gone = set(before) - set(frames.split()) - {"-"}
        lines += [f"f {page}"] * bool(fault) + [f"- {victim}" for victim in gone] + [f"r {page}"]
        before = frames.split()
    if swap:
        first, second = [i for i, line in enumerate(lines) if line.startswith("-")][:2]
        lines[first], lines[second] = lines[second], lines[first]
    return file_of("kernel", "\n".join(lines) + "\n")


@case("compare")
def _(t):
    for policy in ("fifo", "clock", "lru", "2q", "arc", "opt"):
        status, output, errors = pagesim("--compare", kernel_trace(policy))
        agree = status == 0 and "faults agree" in output and "victims agree" in output
        t.ok(agree, f"{policy}: the same faults and victims", output + errors)
    status, output, _ = pagesim("--compare", kernel_trace("fifo", swap=True))
    t.ok(status == 1 and re.search(r"victim 1 differs: kernel 1 \(line \d+\), simulator 0 \(line \d+\)\n6 victims by the kernel, 6 by the "
                                   "simulator", output), "a difference is shown", output)
    status, _, errors = pagesim("--compare", file_of("unnamed", "belady-trace 1 page=4096 frames=3\nr 1\n"))
    t.ok(status == 2 and "policy" in errors, "a header that names no policy is refused", errors)
    status, _, errors = pagesim("--compare", file_of("unlimited", "belady-trace 1 page=4096 policy=clock\nr 1\n"))
    t.ok(status == 2 and "frames" in errors, "a trace without a limit of frames is refused", errors)


# Each page comes in for the first time, but for one that 2q and arc know, and call hot. That page leaves the policy's sight and returns:
# now it is new to it (which is what a page is that comes in unexpected), and goes in its turn. Derived by hand.
RETURNS = {
    "2q": "r1 r2 r3 r4-1 r1-2 o1 i1 r5-3 r6-4 r7-1",
    "arc": "r1 r2 h1 r3 r4-2 r2-3 o2 i2 r5-4",
}


@case("a page that returns")
def _(t):
    for policy, moves in RETURNS.items():
        lines = [f"belady-trace 1 page=4096 pid=1 frames=3 policy={policy}"]
        for move in moves.split():
            kind, page, victim = re.fullmatch(r"(.)(\d)(?:-(\d))?", move).groups()
            lines += [f"f {page}"] * (kind == "r") + [f"- {victim}"] * bool(victim) + [f"{'r' if kind == 'h' else kind} {page}"]
        status, output, errors = pagesim("--compare", file_of("returns", "\n".join([*lines, ""])))
        t.ok(status == 0 and "faults agree" in output, f"{policy}: is new to it", output + errors)


@case("events of the kernel's")
def _(t):
    # Of a page that is written out (d), a policy that goes by writes is told; a tick (t) is one in each game; a process that is short of
    # memory gives up a page, although its frames are not all in use.
    for name, lines in (("a tick", "policy=aging|f 1|r 1|f 2|r 2|t|r 1|t|f 3|- 2|r 3"),
                        ("a page without a copy", "policy=nru|f 1|r 1|d 1|f 2|r 2|f 3|- 2|r 3"),
                        ("shortage", "policy=fifo|f 1|r 1|f 2|r 2|- 1|short 1|f 3|r 3|f 4|- 2|r 4"),
                        ("fewer frames", "policy=fifo|f 1|r 1|f 2|r 2|frames 1 1|f 3|- 1|- 2|r 3"),
                        ("another policy", "policy=fifo|f 1|r 1|f 2|r 2|r 1|policy lru 1|r 1|f 3|- 2|r 3")):
        trace = file_of("events", "\n".join(["belady-trace 1 page=4096 pid=1 frames=2 " + lines.replace("|", "\n"), ""]))
        status, output, errors = pagesim("--compare", trace)
        t.ok(status == 0 and "victims agree" in output, f"{name}: the victims that paper says", output + errors)


@case("one instruction")
def _(t):
    # lfu would throw out page 2, which the instruction still needs.
    trace = file_of("instruction", "belady-trace 1 page=4096\nr 1\nr 1\nr 3\nr 3\nx 2 r 4\n")
    _, output, _ = pagesim("--explain", "--policy", "lfu", "--frames", 3, trace)
    t.ok(re.search(r"^ +4 r \| +4 +3 +2 \| \*", output, re.MULTILINE), "its pages stay until it is over", output)
    status, output, errors = pagesim("--frames", "1-2", trace)
    t.ok(status == 0, "more pages than frames: anything goes", output + errors)


# 2q and arc remember the page that the instruction brings in last, so it comes to a good place, from which three new pages do not drive it out.
# Before it comes, the pages that the instruction needs are put back. Derived by hand.
EXPECTED = {
    "2q": "r 1|r 2|r 3|r 4|x 2 r 1|r 5|r 6|r 7|r 1",
    "arc": "r 1|r 2|r 1|r 3|r 4|x 1 r 4 r 2|r 5|r 6|r 7|r 2",
}


@case("a page that comes behind those that were set aside")
def _(t):
    for policy, lines in EXPECTED.items():
        found = sweep(file_of("expected", "belady-trace 1 page=4096\n" + lines.replace("|", "\n") + "\n"), 3, policies=[policy])
        t.ok(found[policy, 3][0] == 8, f"{policy}: is remembered nevertheless", found)


@case("an instruction that outlives a process")
def _(t):
    # exec unmaps the program's pages; the same system call then writes the arguments to the new stack.
    text = "belady-trace 1 page=4096 pid=7\nx 1 r 2\nexec 7\n+ w 2\nr 1\n"
    binary = subprocess.run([PAGESIM, "--convert", "binary", "-"], input=text.encode(), capture_output=True, check=True).stdout
    for form, trace in (("text", text), ("binary", binary)):
        found = sweep(file_of("outlives", trace), 3)
        t.ok(set(found.values()) == {(4, 0)}, f"{form}: the pages are gone before it goes on", found)


# ---- Bad input ----

BAD_TRACES = [
    ("1 2 x 3\n", 1, "'x'"),
    ("1 2\n3 4z\n", 2, "'z'"),
    ("1\n-2\n", 2, "'-'"),
    ("99999999999999999999999\n", 1, "too large"),
    ("belady-trace 2 page=4096\nr 1\n", 1, "version"),
    ("belady-trace 1 page=4096 frames=many\nr 1\n", 1, "frames"),
    ("belady-trace 1 page=4096", 1, "header"),
    ("belady-trace 1 page=4096\nr 1\nq 2\n", 3, "'q'"),
    ("belady-trace 1 page=4096\nr\n", 2, "expected"),
    ("belady-trace 1 page=4096\nr 1 2 3\n", 2, "'3'"),
    ("belady-trace 1 page=4096\n\n# fine\nw 12g4\n", 4, "'g'"),
    ("belady-trace 1 page=4096\nfork 1\n", 2, "process"),
    ("belady-trace 1 page=4096\nr 1\n+ q 2\n", 3, "behind the plus sign"),
    ("belady-trace 1 page=4096\npolicy best 1\n", 2, "no policy 'best'"),
    ("belady-trace 1 page=4096\n" + "r 1 " * 300 + "\n", 2, "more than"),
    ("I  04000000\n", 1, "comma"),
    ("I  04000000,0\n", 1, "size"),
    ("I  04000000,4\nhello\n", 2, "lackey"),
    (b"belady-trace-binary 1 page=4096\n\x00", 2, "ends inside"),
    (b"belady-trace-binary 1 page=4096\n\x00\x02\xff", 3, "0xff"),
    (b"belady-trace-binary 1 page=4096\n\x10\x02", 2, "continue"),
    (b"belady-trace-binary 1 page=4096\n\x00" + b"\xff" * 12, 2, "too long"),
    (b"belady-trace-binary 1 page=4096\n\x0d\xff\xff\xff\xff\x0f\x1d\x07", 2, "frames is too large"),
    ("belady-trace 1 page=4096 pid=7\nr 1\nframes 2147483648 7\n", 3, "frames is too large"),
    ("belady-trace 1 page=0\nr 1\n", 1, "page= wants a number from 1"),
    ("belady-trace 1 page=4096\n\n# r 1\n+ r 1\n", 4, "there is none before"),
    ("belady-trace 1 page=4096 frames=2147483648\nr 1\n", 1, "frames= wants a number from 0 to 1048576"),
    ("belady-trace 1 page=4096 text=" + "x" * 5000 + "\nr 1\n", 1, "longer than 4096"),
    ("1 " + "9" * 100_000 + "\n", 1, "too large"),
    (gzip.compress(b"1 2 3\n"), 1, "compressed (gzip)"),
    (b"\xfd7zXZ\x00", 1, "compressed (xz)"),
]


@case("malformed traces")
def _(t):
    for number, (content, line, reason) in enumerate(BAD_TRACES):
        trace = file_of("bad", content)
        for arguments in (["--policy", "fifo,lru", "--frames", "1-4"], ["--policy", "opt", "--frames", 2], ["--convert", "text"]):
            status, _, errors = pagesim(*arguments, trace)
            named = re.fullmatch(rf"pagesim: {re.escape(str(trace))}:{line}: .*{re.escape(reason)}.*\n", errors)
            if status != 2 or not named:
                break
        t.ok(status == 2 and named, f"trace {number}: line {line} and {reason}", errors)


@case("line ends of other systems")
def _(t):
    for text in ("1 2 3 1w 4 | 2\n5 1\n",
                 "belady-trace 1 page=4096 pid=7 policy=fifo frames=3\nr 1\nw 2 r 3\nt\n\nf 4\n# rest\nr 4\nfork 7 8\nexit 8\n",
                 "==1== Lackey\nI  04000ffe,4\n\n L 1fff000708,8\n"):
        plain, carried = file_of("plain-ends", text), file_of("carried-ends", text.replace("\n", "\r\n"))
        t.ok(sweep(plain, "1-4") == sweep(carried, "1-4"), f"mean the same: {text.split()[0]}")
    t.ok(pagesim("--compare", carried := file_of("carried-header", "belady-trace 1 policy=fifo frames=3\r\nr 1\r\nf 2\r\nr 2\r\n"))[0] == 1,
         "also in a header", carried.read_text())


@case("a pipe")
def _(t):
    # It comes in two parts, the first of which ends within the first line.
    text = pagesim("--convert", "text", file_of("source", LECTURE))[1]
    slowly = f"printf %s '{text[:9]}'; sleep 0.2; printf '%s\\n' '{text[9:].rstrip()}'"
    done = subprocess.run(f"({slowly}) | {PAGESIM} --csv --policy fifo --frames 3 -", shell=True, capture_output=True, text=True, check=False)
    t.ok("fifo,3,12,9,0" in done.stdout, "is read as a file is", done.stdout + done.stderr)


@case("noise")
def _(t):
    generator = random.Random(SEED)
    beginnings = [b"", b"belady-trace 1\n", b"belady-trace-binary 1\n", b"I  0,1\n"]
    ends = set()
    for _ in range(60):
        noise = bytes(generator.choice(b"0123 rwxfu-t\n,|I\x00\x80\xff") for _ in range(200))
        ends.add(pagesim("--policy", "fifo,lru", "--frames", "1-4", "-", stdin=generator.choice(beginnings) + noise)[0])
    t.ok(ends <= {0, 2}, f"is read or refused, never crashes (seed={SEED})", ends)


@case("bad arguments")
def _(t):
    trace = file_of("good", LECTURE)
    for arguments, reason in [(["--frames", "0", trace], "--frames"), (["--frames", "3-1", trace], "1-3"),
                              (["--frames", "2000000000", trace], "1073741824"), (["--frames", "x", trace], "--frames"),
                              (["--frames", "3,", trace], "--frames"), (["--frames", "99999999999", trace], "--frames"), ([trace], "--frames"),
                              (["--frames", "3"], "trace"), (["--frames", "3", trace, trace], "one trace"), (["--nonsense"], "nonsense"),
                              (["--frames", "3", "/nonexistent"], "/nonexistent"), (["--frames", "3", "/"], "/"),
                              (["--workingset", "0", trace], "--workingset"), (["--tick", "0", trace], "--tick"),
                              (["--convert", "xml", trace], "text or binary"), (["--explain", "--frames", 3, trace], "--policy")]:
        status, _, errors = pagesim(*arguments)
        t.ok(status == 2 and reason in errors, f"{' '.join(map(str, arguments[:2]))} is refused", errors)
    status, _, errors = pagesim("--policy", "fifo,optimal", "--frames", 3, trace)
    t.ok(status == 2 and '"optimal"' in errors and all(f" {policy}" in errors for policy in POLICIES), "an unknown policy: the list", errors)
    full = subprocess.run(f"{PAGESIM} --frames 3 {trace} >/dev/full", shell=True, capture_output=True, text=True, check=False)
    t.ok(full.returncode == 2 and "standard output" in full.stderr, "a full disk is noticed", full.stderr)


# ---- Speed and memory ----

# Millions of references a second that are asked for; a host that is busy with the other tests may be this much slower.
GOALS = {"fifo": 20, "clock": 20, "lru": 5, "arc": 5, "opt": 1}
BUSY = 4
REFERENCES = 3_000_000


def processor_seconds(*arguments):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    status, _, errors = pagesim(*arguments)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if status != 0:
        raise RuntimeError(errors)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def half_faulting(form, generator):
    """Millions of references a second by clock, with random pages of which half are out, in one of the forms of traces."""
    pages = [generator.randrange(0x8048, 0x8048 + 1000) for _ in range(100_000)]
    head, line = ("", " {letter} {page:08x}ff0,4") if form == "lackey" else ("belady-trace 1 page=4096 pid=7\n", "{letter} {page:x}")
    letters = "LS" if form == "lackey" else "rw"
    trace = file_of("half", head + "".join(line.format(page=page, letter=generator.choice(letters)) + "\n" for page in pages) * 10)
    if form == "binary":
        trace = file_of("half-binary", subprocess.run([PAGESIM, "--convert", "binary", trace], capture_output=True, check=True).stdout)
    return max(10 * len(pages) / processor_seconds("--policy", "clock", "--frames", 500, trace) / 1e6 for _ in range(2))


def long_trace(generator):
    part = [generator.randrange(400) if generator.random() < 0.8 else generator.randrange(2000) for _ in range(100_000)]
    return file_of("speed", (" ".join(map(str, part)) + "\n") * (REFERENCES // len(part)))


@case("speed")
def _(t):
    generator = random.Random(SEED)
    trace = long_trace(generator)
    for policy, goal in GOALS.items():
        speed = max(REFERENCES / processor_seconds("--policy", policy, "--frames", 500, trace) / 1e6 for _ in range(2))
        t.ok(speed * BUSY > goal, f"{policy}: {goal} million references a second (at least a quarter on a busy host)", f"{speed:.1f} million")
        t.note(f"{policy}: {speed:.1f} million references a second")
    for form in ("text", "binary", "lackey"):
        speed = half_faulting(form, generator)
        t.ok(speed * BUSY > GOALS["clock"], f"clock: the same with random pages of which half fault, {form}", f"{speed:.1f} million")
        t.note(f"clock, {form}: {speed:.1f} million references a second")
    together = REFERENCES / processor_seconds("--policy", "lru", "--frames", "1-500", trace) / 1e6
    t.ok(together * BUSY > GOALS["lru"], "lru: the same for 500 numbers of frames in one pass", f"{together:.1f} million")


@case("constant memory")
def _(t):
    trace = long_trace(random.Random(SEED))
    limited = ["sh", "-c", 'ulimit -v 20000; exec "$0" "$@"', PAGESIM, "--policy", "fifo,lru,arc", "--frames", "16,500", trace]
    done = subprocess.run(limited, capture_output=True, text=True, check=False)
    t.ok(done.returncode == 0, "three million references in 20 MB, all but opt", done.stderr)


main()
