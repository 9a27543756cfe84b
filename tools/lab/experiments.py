"""Runs the experiments of the laboratory and keeps what they print.

Each experiment is one command that a reader can repeat. What it prints goes to a recording, DIRECTORY/NAME.txt, whose first line is the
command itself: `$ command`. Nothing is judged here; parse.py reads the recordings, and they can be drawn again without running anything.
"""
import concurrent.futures
import os
import pathlib
import re
import shlex
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import qemu  # noqa: E402 -- found through the path set above

SECONDS = 300
BUILD = pathlib.Path(os.environ.get("BUILD", "build"))

# One instruction takes a nanosecond of virtual time, by which the battery clock goes as well: the same figures on every machine. Where
# a program lives by the clock, 16 of them, so that its seconds do not take minutes.
EXACT = " ".join(qemu.count_instructions(shift=0))
CLOCKED = " ".join(qemu.count_instructions(shift=4))

LECTURE = "0 1 2 3 0 1 4 0 1 2 3 4"
LECTURE_FRAMES = "1-6"

# What is traced if nothing else is asked for: the shell counts to three, in some 700,000 references to 65 pages.
PROGRAM = "/bin/sh -c 'for i in 1 2 3; do echo $i; done'"
PROGRAM_FRAMES = "2-48"
# For policies that live by the clock, it ticks every so many references; wsclock's window, in references.
TICK = 1000
WINDOW = 5000
WINDOWS = "10,20,50,100,200,500,1000,2000,5000,10000,20000,50000,100000,200000"


class ExperimentFailed(Exception):
    """A command did not end as it should."""


class Laboratory:
    """Where the experiments run, and what they are. `directory` takes the recordings and the files that they need; `program` is the
    path and the arguments of the program that is traced."""

    def __init__(self, directory, program=PROGRAM):
        path, _, arguments = program.partition(" ")
        self.directory = pathlib.Path(directory)
        self.string = self.directory / "lecture.string"
        self.trace = self.directory / "program.trace"
        self.played = self.directory / "belady.trace"
        self.failed = False     # an experiment: no other is begun then
        # Experiments of one chain run one after another; chains run side by side, the longest first.
        self.chains = [
            [("trace", self.boot(f"log=warn trace={path} init={path} -- {arguments}",
                                 extra=f"{EXACT} -serial file:{self.trace}")),
             ("frames", self.replay(self.trace, f"--csv --policy all --frames {PROGRAM_FRAMES} --tick {TICK} --window {WINDOW}")),
             ("windows", self.replay(self.trace, f"--csv --workingset {WINDOWS}"))],
            [("thrash", self.boot("log=warn swap=8M init=/bin/thrash -- all", extra=CLOCKED))],
            [("locality", self.boot("log=warn init=/bin/locality", extra=CLOCKED))],
            [("prefetch", self.boot("log=error swap=32M ramdisk.latency=500 init=/bin/prefetch", extra=EXACT))],
            [("policies", self.boot("log=warn swap=16M trace=/bin/policies init=/bin/policies", extra=EXACT))],
            [("demand", self.boot("log=warn init=/bin/demand", extra=EXACT))],
            # The run under lru is recorded, which is the future that opt needs.
            [("belady-lru", self.boot("log=warn swap=16M policy=lru trace=/bin/belady trace.format=binary init=/bin/belady",
                                      extra=f"{EXACT} -serial file:{self.played}")),
             ("belady-opt", self.boot("log=warn swap=16M policy=opt init=/bin/belady", extra=EXACT, recording=self.played))],
            [("belady-fifo", self.boot("log=warn swap=16M policy=fifo init=/bin/belady", extra=EXACT))],
            [("anomaly", self.replay(self.string, f"--csv --policy all --frames {LECTURE_FRAMES}"))],
            [("walk", self.replay(self.string, "--explain --policy fifo --frames 3-4"))],
        ]

    @staticmethod
    def boot(append, extra="", recording=None):
        handed_over = ["--recording", str(recording)] if recording else []
        return ["tools/qemu.py", "--timeout", str(SECONDS), "--append", append, "--extra", extra, *handed_over]

    @staticmethod
    def replay(trace, options):
        return [str(BUILD / "pagesim"), *options.split(), str(trace)]

    def names(self):
        return [name for chain in self.chains for name, _ in chain]

    def run(self, jobs, only=None):
        """Runs everything, or only the chains of the experiments named, so many at a time. When one fails, no other is begun, and
        ExperimentFailed says which it was."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.string.write_text(LECTURE + "\n", encoding="utf-8")
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            chains = [pool.submit(self.run_chain, chain) for chain in self.chains
                      if only is None or any(name in only for name, _ in chain)]
            done, _ = concurrent.futures.wait(chains, return_when=concurrent.futures.FIRST_EXCEPTION)
            pool.shutdown(cancel_futures=True)
            for chain in done:
                chain.result()

    def run_chain(self, chain):
        for name, command in chain:
            if not self.failed:
                self.run_one(name, command)

    def run_one(self, name, command):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        # How long it took is nobody's business: what is kept is the same on every run.
        recording = f"$ {shlex.join(command)}\n" + re.sub(r"^(qemu: \w+) after .*$", r"\1", done.stdout, flags=re.MULTILINE)
        (self.directory / f"{name}.txt").write_text(recording, encoding="utf-8")
        if done.returncode != 0:
            self.failed = True
            raise ExperimentFailed(f"{name} ended with status {done.returncode}:\n{recording}")
