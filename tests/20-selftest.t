#!/usr/bin/env python3
"""The in-kernel suites: in both page-table formats, with entries dropped at random, with accessed and dirty bits found out in software,
with every kind of fork, without execute protection, and with all of mm verified every few faults; under every policy and division
of memory, in one of the formats each. A T that names no file selects suites: make test T=mm_fork."""
from harness import *

SECONDS = 100
# opt is left out: it needs a recording of the future.
POLICIES = [policy for policy in re.findall(r"POLICY\((\w+)\)", (ROOT / "mm/policy.h").read_text()) if policy != "opt"]
DIVISIONS = ["policy=clock alloc=equal", "policy=lru alloc=proportional", "policy=arc alloc=priority prefetch=4"]

CONFIGURATIONS = [f"paging={paging} {further}" for paging in FORMATS for further in
                  ("policy=clock", "chaos=7", "dirty=software accessed=software", "fork=cow", "fork=copy", "nx=off", "check=20")]
CONFIGURATIONS += [f"paging={FORMATS[i % len(FORMATS)]} {further}" for i, further in
                   enumerate([f"policy={policy}" for policy in POLICIES if policy != "clock"] + DIVISIONS)]


def selftest(t, switches, suites):
    arguments = f"{switches} swap=16M seed={SEED} selftest" + (f"={suites}" if suites else "")
    result = t.boot(arguments, modules=[INITRD, TEST_PROGRAMS], timeout=SECONDS)
    if suites and parse_ktap(result.output)[0] == 0:
        t.skip(f"no suite matches {suites}")
        return
    t.ok(f"seed={SEED}" in result.output, f"prints its seed {SEED}", result)
    if not t.ktap(result):
        t.note(f"reproduce: make test T='{NAME}/{switches}' SEED={SEED}")


def suites_of(wanted):
    """The glob of suites that T asks for; empty if T means files or configurations instead."""
    files = [file.stem for file in ROOT.glob("tests/*.t")]
    if not wanted or "/" in wanted or any(wanted in name for name in files + CONFIGURATIONS):
        return ""
    return wanted if re.search(r"[*?\[]", wanted) else f"*{wanted}*"


chosen = suites_of(os.environ.get("T", ""))
if chosen:
    os.environ["T"] = ""
for configuration in CONFIGURATIONS:
    case(configuration, configuration, chosen)(selftest)

main()
