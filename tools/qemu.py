#!/usr/bin/env python3
"""The one place that knows how Belady is booted in QEMU.

    tools/qemu.py [options] [--append 'ARGS']         interactive: the console is this terminal; ^A x leaves
    tools/qemu.py --timeout SECONDS [options] ...     headless: prints the console and a verdict

Exit status: 0 if the kernel ended with init's status 0 (or all its tests passed). Headless, what else happened is told apart:
1 fail, 2 panic, 3 reset (triple fault), 4 hang (time limit), 5 QEMU's own error.
"""
import argparse
import os
import pathlib
import random
import shlex
import signal
import subprocess
import sys
import threading
import time

BUILD = pathlib.Path(os.environ.get("BUILD", "build"))

# QEMU's exit status is 2v+1 for a value v written to the debug-exit port; a triple fault under -no-reboot exits 0.
VERDICTS = {33: "pass", 35: "fail", 37: "panic", 0: "reset"}
STATUSES = {"pass": 0, "fail": 1, "panic": 2, "reset": 3, "hang": 4, "error": 5}


# Seconds that a stuttering QEMU runs at a time, and that it is stopped for: now longer, now shorter than its clock's ticks.
STUTTER_GO = (0.001, 0.040)
STUTTER_STOP = (0.001, 0.060)


def count_instructions(shift):
    """Options for a run that is the same each time: an instruction takes 2^shift nanoseconds of the machine's own time, by which the
    battery clock goes as well, and none is spent waiting."""
    return ("-icount", f"shift={shift},sleep=off", "-rtc", "clock=vm")


class Result:
    """How a boot ended: `output` is the console's text, `verdict` one of STATUSES, `seconds` the time it took."""

    def __init__(self, output, verdict, seconds):
        self.output = output
        self.verdict = verdict
        self.seconds = seconds


def command(append="", memory="128M", cpu="max", modules=None, kernel=None, iso=None, serial="stdio", display="none", extra=()):
    """The QEMU command line as a list. `modules` are paths, optionally "path string"; `iso` boots through GRUB instead of -kernel."""
    line = ["qemu-system-i386", "-cpu", cpu, "-m", str(memory), "-display", display, "-serial", serial, "-net", "none",
            "-no-reboot", "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"]
    if iso:
        line += ["-cdrom", str(iso), "-boot", "d"]
    else:
        if modules is None:
            modules = [BUILD / "initrd.cpio"]
        line += ["-kernel", str(kernel or BUILD / "belady.elf")]
        if modules:
            line += ["-initrd", ",".join(str(module) for module in modules)]
        if append:
            line += ["-append", append]
    return line + list(extra)


def text_of(output):
    """Console bytes as text with plain line ends; a terminal may precede them by any number of carriage returns."""
    return (output or b"").decode("utf-8", "replace").replace("\r", "")


def stutter(process, seed):
    """Stops the process and continues it, at random, until it ends: so does a host that has other things to do. The guest meets its
    interrupts late, several at once, and at places where they come but rarely."""
    chance = random.Random(seed)
    while True:
        try:
            process.wait(chance.uniform(*STUTTER_GO))
            return
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGSTOP)
            time.sleep(chance.uniform(*STUTTER_STOP))
            process.send_signal(signal.SIGCONT)


def run(timeout=30, stutter_seed=None, **options):
    """Boots headless with nothing to read on the console; returns a Result. With `stutter_seed` QEMU does not run evenly."""
    start = time.monotonic()
    process = subprocess.Popen(command(**options), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if stutter_seed is not None:
        threading.Thread(target=stutter, args=(process, stutter_seed), daemon=True).start()
    try:
        output, _ = process.communicate(timeout=timeout)
        verdict = VERDICTS.get(process.returncode, "error")
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        verdict = "hang"
    return Result(text_of(output), verdict, time.monotonic() - start)


def parse_arguments():
    parser = argparse.ArgumentParser(description="Boots Belady in QEMU.")
    parser.add_argument("--append", default="", help="the kernel's command line")
    parser.add_argument("--memory", default="128M")
    parser.add_argument("--cpu", default="max")
    parser.add_argument("--kernel", help="default: build/belady.elf")
    parser.add_argument("--iso", help="boot this through GRUB instead of the kernel file")
    parser.add_argument("--module", action="append", dest="modules", help="default: build/initrd.cpio")
    parser.add_argument("--recording", help="a trace of an earlier run, handed over as one more module for policy=opt")
    parser.add_argument("--display", default="none", help="a QEMU display to show the VGA screen on, for instance gtk")
    parser.add_argument("--timeout", type=float, help="run headless and stop after so many seconds")
    parser.add_argument("--stutter", type=int, metavar="SEED",
                        help="with --timeout: stop QEMU and continue it, at random, as a loaded host does")
    parser.add_argument("--extra", default="", help="further QEMU options, in one string")
    parser.add_argument("--show", action="store_true", help="print the QEMU command first")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    options = {name: getattr(arguments, name) for name in ("append", "memory", "cpu", "kernel", "iso", "modules", "display")}
    options["extra"] = shlex.split(arguments.extra)
    if arguments.recording:
        options["modules"] = [*(arguments.modules or [BUILD / "initrd.cpio"]), arguments.recording]
    if arguments.timeout is None and arguments.stutter is not None:
        sys.exit("qemu.py: --stutter needs --timeout: a terminal's QEMU is not stopped")
    if arguments.timeout is None:
        # With the monitor on the same line, ^C reaches the guest instead of ending QEMU.
        options["serial"] = "mon:stdio"
    if arguments.show:
        print(shlex.join(command(**options)), file=sys.stderr, flush=True)
    if arguments.timeout is None:
        return 0 if subprocess.call(command(**options)) == 33 else 1
    result = run(timeout=arguments.timeout, stutter_seed=arguments.stutter, **options)
    sys.stdout.write(result.output)
    print(f"qemu: {result.verdict} after {result.seconds:.1f} s", file=sys.stderr)
    return STATUSES[result.verdict]


if __name__ == "__main__":
    sys.exit(main())
