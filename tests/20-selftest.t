#!/usr/bin/env python3
"""The in-kernel suites: in both page-table formats, with entries dropped at random, with accessed and dirty bits found out in software,
with every kind of fork, without execute protection, and with all of mm verified every few faults; under every policy and division
of memory, in one of the formats each; and on a machine that stands still now and then. A T that names no file selects suites:
make test T=mm_fork."""
from harness import *

# opt is left out: it needs a recording of the future.
POLICIES = [policy for policy in re.findall(r"POLICY\((\w+)\)", (ROOT / "mm/policy.h").read_text()) if policy != "opt"]
DIVISIONS = ["policy=clock alloc=equal", "policy=lru alloc=proportional", "policy=arc alloc=priority prefetch=4"]

CONFIGURATIONS = [f"paging={paging} {further}" for paging in FORMATS for further in
                  ("policy=clock", "chaos=7", "dirty=software accessed=software", "fork=cow", "fork=copy", "check=20")] + ["paging=pae nx=off"]
CONFIGURATIONS += [f"paging={FORMATS[i % len(FORMATS)]} {further}" for i, further in
                   enumerate([f"policy={policy}" for policy in POLICIES if policy != "clock"] + DIVISIONS)]


# Name, switches, and options of tools/qemu.py: last with QEMU stopped and continued at random, as by a loaded host.
CASES = [(configuration, configuration, {}) for configuration in CONFIGURATIONS]
CASES += [(f"paging={paging} stuttering", f"paging={paging}", {"stutter_seed": SEED}) for paging in FORMATS]


def selftest(t, switches, suites, options):
    arguments = f"{switches} swap=16M seed={SEED} selftest" + (f"={suites}" if suites else "")
    result = t.boot(arguments, modules=[INITRD, TEST_PROGRAMS], **options)
    if suites and parse_ktap(result.output)[0] == 0:
        t.skip(f"no suite matches {suites}")
        return
    t.ok(f"seed={SEED}" in result.output, f"prints its seed {SEED}", result)
    if not t.ktap(result):
        t.note(f"reproduce: make test T='{NAME}/{switches}' SEED={SEED}")


def suites_of(wanted):
    """The glob of suites that T asks for; empty if T means files or configurations instead."""
    files = [file.stem for file in ROOT.glob("tests/*.t")]
    if not wanted or "/" in wanted or any(wanted in name for name in files + [name for name, *_ in CASES]):
        return ""
    return wanted if re.search(r"[*?\[]", wanted) else f"*{wanted}*"


chosen = suites_of(os.environ.get("T", ""))
if chosen:
    os.environ["T"] = ""
for name, switches, options in CASES:
    case(name, switches, chosen, options)(selftest)

main()
