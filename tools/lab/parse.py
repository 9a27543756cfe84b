"""Reads what the experiments printed. Whatever is missing is named, with the recording that should have had it."""
import csv
import dataclasses
import re


class MissingOutput(Exception):
    """A recording is not there, or does not hold what it should."""


class Recording:
    """One experiment's output, `text`, and the `command` that made it."""

    def __init__(self, directory, name):
        self.path = directory / f"{name}.txt"
        if not self.path.is_file():
            raise MissingOutput(f"{self.path}: there is no such recording")
        first, _, self.text = self.path.read_text(encoding="utf-8").partition("\n")
        if not first.startswith("$ "):
            raise MissingOutput(f"{self.path}: the first line is not the command")
        self.command = first[2:]

    def missing(self, what):
        return MissingOutput(f"{self.path}: {what} is missing in what this printed: {self.command}")

    def find(self, pattern, what):
        match = re.search(pattern, self.text, re.MULTILINE)
        if not match:
            raise self.missing(what)
        return match

    def traced_program(self):
        """The path of the program that the command traced."""
        match = re.search(r"trace=(\S+)", self.command)
        if not match:
            raise MissingOutput(f"{self.path}: the switch trace= is missing in its command: {self.command}")
        return match[1]


def table_of(recording, columns):
    """The rows, as dictionaries, of the CSV table that the simulator wrote."""
    start = recording.find(rf"^{','.join(columns)}\b", f"a table with the columns {', '.join(columns)}").start()
    rows = list(csv.DictReader(recording.text[start:].splitlines()))
    if not rows:
        raise recording.missing("the table's first row")
    return rows


def read_sweep(recording):
    """{policy: [(frames, faults)]}, in the simulator's order of policies; and how many references there are."""
    curves, references = {}, 0
    for row in table_of(recording, ("policy", "frames", "references", "faults")):
        curves.setdefault(row["policy"], []).append((int(row["frames"]), int(row["faults"])))
        references = int(row["references"])
    return curves, references


def read_windows(recording):
    """[(window, mean, largest)]: the size of the working set by the length of the window."""
    return [(int(row["window"]), float(row["mean"]), int(row["largest"]))
            for row in table_of(recording, ("window", "mean", "largest"))]


def read_belady(recording):
    """(faults with 3 frames, faults with 4)."""
    few, many = recording.find(r"(\d+) faults with 3 frames, (\d+) with 4", "the faults with 3 and with 4 frames").groups()
    return int(few), int(many)


def read_walk(recording):
    """{frames: [(page, [the page in each frame, or None], whether it was a fault)]}, step by step."""
    walks = {}
    for game in re.split(r"^(?=\w+, \d+ frames?$)", recording.text, flags=re.MULTILINE)[1:]:
        steps = re.findall(r"^ +(\d+) [rwx] \|([ \d-]+)\|( \*)?", game, re.MULTILINE)
        if not steps:
            raise recording.missing("a step of the walk")
        held = [[None if page == "-" else int(page) for page in frames.split()] for _, frames, _ in steps]
        walks[len(held[0])] = [(int(page), frames, bool(star)) for (page, _, star), frames in zip(steps, held)]
    if len(walks) < 2:
        raise recording.missing("a walk with few frames and with more")
    return walks


def read_policies(recording):
    """(policies, [(workload, references, [faults by policy])])."""
    head = recording.find(r"^ +faults +of +(\w.*)$", "the table of faults")
    policies = head[1].split()
    rows = []
    for line in recording.text[head.end():].split("\n")[1:]:
        words = line.split()
        if len(words) != len(policies) + 2:
            break
        rows.append((words[0], int(words[1]), [int(word) for word in words[2:]]))
    if not rows:
        raise recording.missing("a workload")
    return policies, rows


def read_locality(recording):
    """(window, [(pages of the phase, [(time, working set, resident)])]), in milliseconds and pages."""
    window = int(recording.find(r"a window of\s(\d+)\sms", "the window")[1])
    parts = re.split(r"^ *-+ phase \d+: (\d+) pages$", recording.text, flags=re.MULTILINE)
    phases = []
    for pages, text in zip(parts[1::2], parts[2::2]):
        samples = re.findall(r"^ +(\d+) +(\d+) +(\d+)  #*$", text, re.MULTILINE)
        if not samples:
            raise recording.missing(f"a sample in phase {len(phases) + 1}")
        phases.append((int(pages), [tuple(map(int, sample)) for sample in samples]))
    if not phases:
        raise recording.missing("a phase")
    return window, phases


@dataclasses.dataclass
class Load:
    """What a number of processes came to: `utilisation` in percent, `rounds` of work and `faults` in a second."""
    processes: int
    utilisation: int
    rounds: int
    faults: int
    suspensions: int


@dataclasses.dataclass
class Thrashing:
    """`pages` that each process uses, for how many of them memory has `room`, and {control: [Load]}."""
    pages: int
    room: int
    curves: dict


def read_thrash(recording):
    room = int(recording.find(r"room\sfor\s(\d+)\sprocesses", "how many processes there is room for")[1])
    pages = int(recording.find(r"W\s=\s(\d+)\spages", "the size of a process")[1])
    curves = {"off": [], "workingset": [], "pff": []}
    for control, *row in re.findall(r"^ +(off|workingset|pff) +(\d+) +(\d+) % +(\d+) +(\d+) +\d+ +(\d+)$", recording.text, re.MULTILINE):
        curves[control].append(Load(*map(int, row)))
    for control, loads in curves.items():
        if len(loads) < 2:
            raise recording.missing(f"a table with control={control}")
    return Thrashing(pages, room, curves)


# The sweeps of user/prefetch, in the order in which it makes them.
SWEEPS = ("in order, a file", "at random, a file", "in order, the swap area", "at random, the swap area")


def read_prefetch(recording):
    """{sweep: [(N, major faults, useful, useless, microseconds)]}."""
    tables = recording.text.split("N  major faults  transfers  useful  useless")[1:]
    if len(tables) != len(SWEEPS):
        raise recording.missing(f"a table for each of {len(SWEEPS)} sweeps (there are {len(tables)})")
    sweeps = {}
    for name, text in zip(SWEEPS, tables):
        sweeps[name] = []
        for line in text.split("\n")[1:]:
            row = re.fullmatch(r" +(\d+) +(\d+) +\d+ +(\d+) +(\d+) +(\d+) us", line)
            if not row:
                break
            sweeps[name].append(tuple(map(int, row.groups())))
        if not sweeps[name]:
            raise recording.missing(f"the sweep {name}")
    return sweeps


def read_demand(recording):
    """(N, U, C, F): pages of the program and of these the used ones; instructions to load a page and to take a fault."""
    cost = recording.find(r"C = (\d+) instructions, a fault F = (\d+)", "what loading a page and a fault cost")
    pages = recording.find(r"N \* C += +(\d+) ", "the number of pages")
    used = recording.find(r"U \* \(C \+ F\) = +(\d+) ", "the number of pages used")
    return int(pages[1]), int(used[1]), int(cost[1]), int(cost[2])
