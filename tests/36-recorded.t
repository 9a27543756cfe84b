#!/usr/bin/env python3
"""Programs and scripts print here what they printed on Linux: tests/linux/recorded/ holds what `make test-linux` recorded there, and with which
command. Those that are about memory do so in both page-table formats, the others in one or the other."""
import difflib
import itertools

from harness import *
import linux    # tools/linux.py

RECORDED = ROOT / "tests/linux/recorded"
COMMANDS = ROOT / "tests/linux/commands.txt"
ARCHIVES = [INITRD, BUILD / "rootfs-busybox.cpio", BUILD / "rootfs-bash.cpio", TEST_PROGRAMS]
FORMATS_OF_PROC = "formats"
ABSENT = (ROOT / "tests/linux/absent.txt").read_text(encoding="utf-8").splitlines()
# A host that is busy must not stand between a program's timer and its call that the timer interrupts.
VIRTUAL_TIME = qemu.count_instructions(shift=3)
ABOUT_MEMORY = ("memory", "random_memory", "processes", "shared", "threads", "formats", "bad_ranges")
RANDOM_STEPS = "3000"
RANDOM_PROGRAMS = ("random_memory", "random_files")
SHOWN = 10      # lines that differ
BANNER = "BusyBox v"    # so ash says at its start which one it is; others may say other things


def differences(wanted, seen):
    """The first lines that differ, as a text; empty if none do."""
    marks = difflib.unified_diff(wanted, seen, "on Linux", "here", lineterm="", n=1)
    return "\n".join(itertools.islice(marks, SHOWN * 2))


def banner(lines):
    return next((line for line in lines if line.startswith(BANNER)), None)


def recorded(t, path, paging):
    head, *wanted = path.read_text(encoding="utf-8").splitlines()
    command = head.partition(": ")[2]
    result = t.boot(f"paging={paging} swap=32M log=error -- {command}", modules=ARCHIVES, extra=VIRTUAL_TIME)
    seen = linux.comparable(path.stem, result.output).splitlines()
    if banner(seen) and banner(seen) != banner(wanted):
        t.skip(f"recorded with {banner(wanted)}, and this is {banner(seen)}")
        return
    t.ok(result.verdict == "pass", "ends with status 0", result)
    if path.stem == FORMATS_OF_PROC:
        wanted = [line for line in wanted if line not in ABSENT]
    differing = differences(wanted, seen)
    t.ok(not differing, "prints what it printed on Linux", differing)


recordings = sorted(RECORDED.glob("*.txt"))
for number, path in enumerate(recordings):
    for paging in FORMATS if path.stem.startswith(ABOUT_MEMORY) else [FORMATS[number % len(FORMATS)]]:
        case(f"{path.stem} paging={paging}", path, paging)(recorded)


def random_program(t, name, paging):
    """A seed that nobody has seen, on the host's own Linux and here. The program is root here."""
    if os.geteuid() != 0:
        t.skip("only root does there what root does here")
        return
    try:
        arguments = [BUILD / "tests/linux" / name, str(SEED), RANDOM_STEPS]
        wanted = subprocess.run(arguments, stdout=subprocess.PIPE, text=True, timeout=SECONDS, check=False).stdout
    except OSError:
        t.skip("this host does not run programs for i386")
        return
    t.note(f"SEED={SEED}")
    result = t.boot(f"paging={paging} swap=32M log=error -- /linux/{name} {SEED} {RANDOM_STEPS}", modules=[INITRD, TEST_PROGRAMS])
    differing = differences(wanted.splitlines(), result.output.splitlines())
    t.ok(not differing, f"the host's Linux and Belady agree, SEED={SEED}", differing)


for paging in FORMATS:
    for name in RANDOM_PROGRAMS:
        case(f"{name} paging={paging}", name, paging)(random_program)


@case("complete")
def _(t):
    lines = [line.split(None, 1) for line in COMMANDS.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    made = {path.stem: path.read_text(encoding="utf-8").partition("\n")[0].partition(": ")[2] for path in recordings}
    t.ok(made == dict(lines), "there is a recording of each command, and no other", sorted(set(made) ^ {name for name, _ in lines}))


main()
