"""The library of the whole-system tests: tests/*.t are Python scripts that register cases here and call main().

    from harness import *

    @case("prompt paging=pae")
    def _(t):
        result = t.boot("paging=pae init=/bin/true")
        t.ok(result.verdict == "pass", "ends with status 0", result)

    main()

Every case makes any number of assertions, each a line of TAP on standard output; a case that makes none, or that raises, fails. The same
lines go to build/test/NAME.tap, where tests/run counts them, and every console to build/test/NAME.log.
T in the environment selects cases: a glob, or a part, of "NAME/CASE". Nothing selected: the file counts as skipped.
"""
import fnmatch
import os
import pathlib
import random
import re
import select
import shlex
import subprocess
import sys
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
os.chdir(ROOT)

import qemu  # noqa: E402 -- found through the path set above
from qemu import BUILD  # noqa: E402,F401 -- used by the tests

NAME = pathlib.Path(sys.argv[0]).stem
LOGS = BUILD / "test"
INITRD = BUILD / "initrd.cpio"
TEST_PROGRAMS = BUILD / "tests.cpio"
FORMATS = ("2level", "pae")
SEED = int(os.environ.get("SEED") or random.SystemRandom().randrange(1, 1 << 31))

# Nothing that ends by itself takes so long, though the host have ten times as much to do as it can: whoever does hangs. For a boot, and for
# an answer to what is typed.
SECONDS = 300
ANSWER_SECONDS = 60

# But a kernel that hangs should not take a day to fail: after the first hang of a file the others are given less time, after some no more
# boots are tried; and a session that did not answer is not waited for as long again.
HANGS = 3
SECONDS_AFTER_HANG = 30
ANSWER_SECONDS_AFTER_HANG = 5

# Diagnostics show so many of the console's last lines; all of them are in the log.
TAIL_LINES = 30
SESSION_TAIL_LINES = 10

cases = []


def case(name, *arguments):
    """Decorator: registers a function to be called as function(test, *arguments) under `name`."""
    def register(function):
        cases.append((name, function, arguments))
        return function
    return register


def matches(name):
    """Whether T selects this name."""
    wanted = os.environ.get("T", "")
    return wanted in name or fnmatch.fnmatchcase(name, wanted)


class Failed(Exception):
    """Ends a case early: what follows would make no sense."""


class Test:
    """Counts and prints the assertions of one file."""

    def __init__(self):
        LOGS.mkdir(parents=True, exist_ok=True)
        self.tap = open(LOGS / f"{NAME}.tap", "w", encoding="utf-8")
        self.log = open(LOGS / f"{NAME}.log", "w", encoding="utf-8")
        self.count = 0
        self.hangs = 0
        self.case_name = ""

    def emit(self, line):
        print(line, flush=True)
        print(line, file=self.tap, flush=True)

    def note(self, text):
        for line in str(text).splitlines():
            self.emit(f"# {line}")

    def ok(self, passed, what, evidence=None):
        """One assertion. `evidence` is shown if it fails: a Result's last lines, or any text. Returns whether it passed."""
        self.count += 1
        # A '#' in a description would begin a TAP directive.
        description = f"{self.case_name}: {what}".replace("#", "")
        self.emit(f"{'ok' if passed else 'not ok'} {self.count} - {description}")
        if not passed and evidence is not None:
            self.note(describe(evidence))
        return passed

    def skip(self, reason):
        """What would be an assertion if it were not for `reason`."""
        self.count += 1
        self.emit(f"ok {self.count} - {self.case_name} # SKIP {reason}")

    def need(self, passed, what, evidence=None):
        """An assertion without which the rest of the case makes no sense."""
        if not self.ok(passed, what, evidence):
            raise Failed

    def boot(self, arguments="", **options):
        """Boots headless; see qemu.run for the options. Returns its Result."""
        if self.hangs == HANGS:
            self.need(False, f"is not tried: {HANGS} boots before it hung")
        options.setdefault("timeout", SECONDS)
        if self.hangs > 0:
            options["timeout"] = min(options["timeout"], SECONDS_AFTER_HANG)
        self.log.write(f"\n==== {self.case_name}: {shlex.join(qemu.command(append=arguments, **without_timeout(options)))}\n")
        result = qemu.run(append=arguments, **options)
        self.hangs += result.verdict == "hang"
        self.log.write(f"{result.output}\n---- {result.verdict} after {result.seconds:.2f} s\n")
        self.log.flush()
        return result

    def run(self, arguments, what, **options):
        """An assertion: a command ends with status 0. Returns its output."""
        done = subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False, **options)
        self.ok(done.returncode == 0, what, done.stdout)
        return done.stdout

    def ktap(self, result, context=""):
        """Passes on what the in-kernel tests of a boot reported, one assertion each, and asserts that the report is complete: a plan
        of at least one test, as many results as planned, numbered in order, and the verdict that they amount to."""
        plan, results = parse_ktap(result.output)
        prefix = f"{context} " if context else ""
        for _, passed, name in results:
            self.ok(passed, prefix + name)
        complete = bool(plan) and [number for number, _, _ in results] == list(range(1, plan + 1))
        self.ok(complete, f"{prefix}plan of {plan} is complete", result)
        expected = "pass" if all(passed for _, passed, _ in results) else "fail"
        self.ok(result.verdict == expected, f"{prefix}ends with {expected}", result)
        return complete and result.verdict == "pass"

    def pass_on(self, output):
        """Passes on TAP that another program printed, and asserts that its plan is complete."""
        plan, results = parse_ktap(output)
        for _, passed, name in results:
            self.ok(passed, name, None if passed else output)
        self.ok(bool(plan) and len(results) == plan, f"plan of {plan} is complete", output)


def without_timeout(options):
    return {name: value for name, value in options.items() if name not in ("timeout", "stutter_seed")}


def describe(evidence):
    if isinstance(evidence, (qemu.Result, Session)):
        tail = SESSION_TAIL_LINES if isinstance(evidence, Session) else TAIL_LINES
        return "\n".join(evidence.output.splitlines()[-tail:] + [f"({evidence.verdict})"])
    return "\n".join(str(evidence).splitlines()[-TAIL_LINES:])


def parse_ktap(output):
    """Returns (planned or None, [(number, passed, name)]). Console lines that are not TAP are passed over."""
    plan = None
    results = []
    for line in output.splitlines():
        if match := re.fullmatch(r"1\.\.(\d+)\s*", line):
            plan = int(match[1])
        elif match := re.fullmatch(r"(not )?ok (\d+)(?: -)? ?(.*)", line):
            results.append((int(match[2]), not match[1], match[3].strip()))
    return plan, results


class Together:
    """Programs of tests/user/ that share boots, since a boot costs more than most of them (tests/user/several.c). One that ends the
    machine, or hangs, has that for its verdict, and those behind it get another boot. T=FILE/CASE runs one alone."""

    PROGRAMS_PER_BOOT = 12

    def __init__(self, switches, names, **options):
        """`names` in the order in which they will be asked for; `options` as for Test.boot."""
        self.switches = switches
        self.names = list(names)
        self.options = options
        self.results = {}

    def result(self, t, name):
        """The Result of one of the programs; boots if it has not been run."""
        if name not in self.results:
            first = self.names.index(name)
            self.boot(t, self.names[first:first + self.PROGRAMS_PER_BOOT])
        return self.results[name]

    def boot(self, t, names):
        """Runs these, as far as they go: the first has a result afterwards."""
        whole = t.boot(f"{self.switches} init=/test/several -- {' '.join(names)}", **self.options)
        for name in names:
            before, begun, rest = whole.output.partition(f"== {name}\n")
            output, ended, rest = rest.partition(f"== {name}: ")
            verdict = {"exited 0": "pass", "exited 1": "fail"}.get(rest.partition("\n")[0], rest.partition("\n")[0]) if ended else whole.verdict
            if begun or name == names[0]:
                self.results[name] = qemu.Result(output if begun else before, verdict, whole.seconds)
            if not ended:
                return


class Session:
    """A boot that is talked to over the serial line."""

    def __init__(self, arguments="", **options):
        self.process = subprocess.Popen(qemu.command(append=arguments, **options), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        self.start = time.monotonic()
        self.raw = b""
        self.seen = 0
        self.patience = ANSWER_SECONDS

    @property
    def output(self):
        return qemu.text_of(self.raw)

    @property
    def verdict(self):
        status = self.process.poll()
        return "running" if status is None else qemu.VERDICTS.get(status, "error")

    def send(self, text):
        """Types. A machine that has ended meanwhile shows in what is expected next."""
        try:
            self.process.stdin.write(text.encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            pass

    def expect(self, pattern, timeout=None):
        """Waits until the output not yet consumed matches; consumes it and returns the match, or None when time or output ends."""
        deadline = time.monotonic() + (self.patience if timeout is None else timeout)
        while True:
            fresh = self.output[self.seen:]
            if match := re.search(pattern, fresh, re.MULTILINE):
                self.seen += match.end()
                return match
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
            chunk = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not ready and timeout is None:
                self.patience = ANSWER_SECONDS_AFTER_HANG
            if not chunk:
                return None
            self.raw += chunk

    def wait(self, timeout=None):
        """Waits for the machine to end; returns the verdict, "hang" if it has to be stopped."""
        self.expect(r"(?!)", timeout)
        try:
            self.process.wait(1)
        except subprocess.TimeoutExpired:
            self.close()
            return "hang"
        return self.verdict

    def close(self):
        self.process.kill()
        self.process.wait()


class Shell(Session):
    """A session with a shell that has come to its prompt, a pattern that ends what is shown. `t` counts the assertions."""

    def __init__(self, t, arguments="swap=64M", prompt=r"[#$] \Z", **options):
        super().__init__(arguments, **options)
        self.t = t
        self.prompt = prompt
        t.need(self.expect(prompt), "shows a prompt", self)

    def become(self, command, greeting):
        """Replaces the shell by another one, which greets."""
        self.send(f"exec {command}\n")
        self.t.need(self.expect(greeting + r"(.*\n)*.*" + self.prompt), f"{command} shows its prompt", self)

    def run(self, command):
        """Types a command line; returns what it printed before the next prompt, or "" if no prompt came."""
        self.send(command + "\n")
        # The terminal echoes what was typed.
        if not self.expect(re.escape(command) + r"\n"):
            return ""
        match = self.expect(r"((?:.*\n)*?)(?:.*" + self.prompt + ")")
        return match[1] if match else ""

    def expect_prompt(self, what):
        """An assertion: the prompt returns."""
        return self.t.ok(self.expect(self.prompt), what, self)

    def leave(self):
        """Two assertions: the shell still answers, and ends the machine."""
        self.t.ok(self.run("echo alive") == "alive\n", "the shell works on", self)
        self.send("exit\n")
        self.t.ok(self.wait() == "pass", "exit ends the machine with status 0", self)


def run_case(test, name, function, arguments):
    test.case_name = name
    before = test.count
    try:
        function(test, *arguments)
        if test.count == before:
            test.ok(False, "makes at least one assertion")
    except Failed:
        pass
    except Exception:  # pylint: disable=broad-except -- whatever went wrong, the other cases still count
        test.ok(False, "runs to its end", traceback.format_exc())


def main():
    """Runs the selected cases and prints the plan."""
    selected = [entry for entry in cases if matches(f"{NAME}/{entry[0]}")]
    test = Test()
    if not selected:
        test.emit("1..0 # SKIP nothing here matches T")
        return
    for name, function, arguments in selected:
        run_case(test, name, function, arguments)
    test.emit(f"1..{test.count}")
