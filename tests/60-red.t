#!/usr/bin/env python3
"""What must turn a run red does: panics, a triple fault, a hang, reports that are empty, short or missing; and what a panic must show."""
from harness import *

KERNEL = BUILD / "belady.elf"
STAND_IN = BUILD / "red/stand_in.elf"
# The bug comes at a clock tick while a user program runs.
BUSY = 'init=/bin/sh -- -c "while :; do :; done"'
BUGS = ("null", "stack", "assert", "free")


def inner_run(kernel, arguments, build, wanted="", boots=1, seconds=5):
    """Runs tests/red/boot.t as `make test` would; returns (status, output). Its reports go to a directory of their own."""
    environment = dict(os.environ, RED_KERNEL=str(kernel.resolve()), RED_ARGUMENTS=arguments, RED_BOOTS=str(boots), RED_SECONDS=str(seconds),
                       BUILD=str(build), T=wanted)
    build.mkdir(parents=True, exist_ok=True)
    for name in ("initrd.cpio", "tests.cpio"):
        link = build / name
        link.unlink(missing_ok=True)
        link.symlink_to((BUILD / name).resolve())
    done = subprocess.run(["tests/run", "tests/red/boot.t"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    return done.returncode, done.stdout


def is_red(t, kernel, arguments):
    status, output = inner_run(kernel, arguments, BUILD / "red" / t.case_name.replace(" ", "-"))
    last = output.splitlines()[-1] if output else ""
    t.ok(status != 0, "the run's status is not 0", output)
    t.ok(re.fullmatch(r"\d+ passed, [1-9]\d* failed", last), "and its last line counts a failure", output)


for what, letter in (("triple fault", "r"), ("hang", "h"), ("zero tests", "z"), ("short report", "s"), ("no report", "p")):
    case(what, STAND_IN, letter)(is_red)
case("panic", KERNEL, f"bug=assert {BUSY}")(is_red)
case("no suite matches", KERNEL, "selftest=no.such.suite")(is_red)


@case("hangs")
def _(t):
    status, output = inner_run(STAND_IN, "h", BUILD / "red/hangs", boots=HANGS + 2, seconds=1)
    t.ok(status != 0 and len(re.findall(r"not ok .*: ends with pass", output)) == HANGS, f"after {HANGS} boots that hang", output)
    t.ok(output.count("is not tried") == 2, "the others of the file are not tried, and fail", output)


@case("nothing selected")
def _(t):
    status, output = inner_run(STAND_IN, "r", BUILD / "red/nothing", wanted="no-such-test")
    t.ok(status != 0, "the run's status is not 0", output)
    t.ok(output.endswith("\n0 passed, 0 failed\n"), "and its last line says so", output)


def panic(t, bug):
    result = t.boot(f"bug={bug} {BUSY}")
    t.ok(result.verdict == "panic", "ends with the status of a panic", result)
    t.ok(re.search(r"(?i)panic", result.output), "says that it is one", result)
    t.ok(re.search(r"(?i)\beip\W+(0x)?[0-9a-f]{8}", result.output), "shows registers", result)
    t.ok(len(re.findall(r"\b[a-z]\w+\+0x[0-9a-f]+", result.output)) >= 2, "shows a backtrace with function names", result)
    t.ok(re.search(r"(?i)process", result.output), "names the current process", result)


class Consoles:
    """In place of a Test: what boots would print, one after the other."""

    def __init__(self, *results):
        self.results = list(results)
        self.asked = []

    def boot(self, arguments, **_):
        self.asked.append(arguments.partition(" -- ")[2])
        return self.results.pop(0)


@case("programs that share a boot")
def _(t):
    consoles = Consoles(qemu.Result("== a\nok 1 - x\n1..1\n== a: exited 0\n== b\nok 1 - y\npanic: z\n", "panic", 1),
                        qemu.Result("== c\nnot ok 1 - x\n1..1\n== c: exited 1\n== d\n== d: killed by SIGKILL\n", "pass", 1),
                        qemu.Result("nothing at all\n", "reset", 1))
    together = Together("", ("a", "b", "c", "d", "e"))
    found = [(name, together.result(consoles, name).verdict) for name in together.names]
    t.ok(found == [("a", "pass"), ("b", "panic"), ("c", "fail"), ("d", "killed by SIGKILL"), ("e", "reset")],
         "each has its own verdict, those behind a panic as well", found)
    t.ok(consoles.asked == ["a b c d e", "c d e", "e"], "and nothing is run twice", consoles.asked)
    t.ok(together.result(consoles, "b").output == "ok 1 - y\npanic: z\n", "with what it has said, and nobody else")


for bug in BUGS:
    case(f"bug={bug}", bug)(panic)

main()
