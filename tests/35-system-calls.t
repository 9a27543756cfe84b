#!/usr/bin/env python3
"""What programs may rely on, as on Linux: each tests/user/*.c that is not about bad input, in both page-table formats; what is about fork's
memory under every kind of fork, what is about files' pages in a shortage, and what is about waiting for pages with a device that is
slow. Many share a boot."""
from harness import *


# What threads do to each other's memory, where page-table entries vanish, the disk is slow and memory is short.
THREADS = ("threads", "thread_memory", "thread_signals", "futex")
DISTURBED = (("chaos=2", "64M"), ("fork=copy chaos=7 ramdisk.latency=200", "32M"))

# What comes to files' pages, where entries vanish, dirty bits are found out in software, the disk is slow and memory is short.
FILES = ("file_pages", "fuzz_files", "tmpfs")
SHORTAGE = "chaos=3 dirty=software accessed=software ramdisk.latency=100"

# What is no test itself, or run by another file.
HELPERS = ("sleeper", "several", "replaced", "suspension", "load_control", "shares", "oom_patience")

# What asks something of the first process or of the machine, takes the most of it, or leaves it another one than it was.
ALONE = ("tty",)

# What sets timers and then waits, or measures how long something took: a busy host must not come between, so QEMU counts instructions.
TIMED = ("clock_setting", "epoll", "futex", "futex_rules", "kernel_log", "locks", "poll_rules", "posix_timers", "process_rules", "processes",
         "scheduling", "semaphores", "signal_details", "signal_rules", "signals", "time", "working_set")
VIRTUAL_TIME = qemu.count_instructions(shift=3)

# A second serial line, for ttyS1; and it sets timers.
FURTHER_OPTIONS = {"tty": (*VIRTUAL_TIME, "-serial", "null")}


def program(t, name, switches, memory="64M"):
    t.ktap(t.boot(f"{switches} swap=32M log=error init=/test/{name}", modules=[INITRD, TEST_PROGRAMS], memory=memory,
                  extra=FURTHER_OPTIONS.get(name, ())))


def program_of(t, name, together):
    t.ktap(together.result(t, name))


def cases_together(programs, switches, memory="64M", extra=()):
    """A case for each of these programs, a pair of its case's name and its own."""
    selected = [name for called, name in programs if matches(f"{NAME}/{called}")]
    together = Together(f"{switches} swap=32M log=error", selected, modules=[INITRD, TEST_PROGRAMS], memory=memory, extra=extra)
    for called, name in programs:
        case(called, name, together)(program_of)


def is_small(name):
    return not name.startswith("bad_") and name not in HELPERS + ALONE + TIMED


names = [source.stem for source in sorted(ROOT.glob("tests/user/*.c"))]
names += ["linked_pie", "linked_dynamic"]
for paging in FORMATS:
    cases_together([(f"{name} paging={paging}", name) for name in names if is_small(name)], f"paging={paging}")
    cases_together([(f"{name} paging={paging}", name) for name in TIMED], f"paging={paging}", extra=VIRTUAL_TIME)
    for name in ALONE:
        case(f"{name} paging={paging}", name, f"paging={paging}")(program)
    for kind in ("cow", "copy"):
        case(f"fork_memory paging={paging} fork={kind}", "fork_memory", f"paging={paging} fork={kind}")(program)
    for switches, memory in DISTURBED:
        cases_together([(f"{name} paging={paging} {switches} {memory}", name) for name in THREADS], f"paging={paging} {switches}", memory)
    cases_together([(f"{name} paging={paging} {SHORTAGE} 24M", name) for name in FILES], f"paging={paging} {SHORTAGE}", "24M")
    case(f"together paging={paging} ramdisk.latency=1000", "together", f"paging={paging} ramdisk.latency=1000")(program)
case("fuzz_calls paging=pae 24M", "fuzz_calls", "paging=pae check=50", "24M")(program)
case("memory_stress paging=pae ramdisk.latency=50 accessed=software", "memory_stress -- 1 15", "paging=pae ramdisk.latency=50 accessed=software")(program)

main()
