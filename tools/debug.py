#!/usr/bin/env python3
"""Boots Belady under gdb: stopped at the kernel's first instruction, with symbols, and with the commands of tools/gdb/.

    tools/debug.py [--program NAME] [--memory 128M] [--append 'ARGS'] [--batch] [--command 'GDB COMMAND']...
    tools/debug.py --console        in another terminal: talk to the console of the machine being debugged; ^] leaves

--program adds a user program's symbols, and boots it as init unless ARGS say otherwise. The console's output appears in gdb's terminal.
"""
import argparse
import os
import pathlib
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
import tty

import qemu

TOOLS = pathlib.Path(__file__).resolve().parent
# On a busy host all this takes a while, and gdb by itself gives up after two seconds.
START_SECONDS = 60
REPLY_SECONDS = 60
ESCAPE = b"\x1d"


def entry_point(elf):
    """The kernel's first instruction: the entry field of its ELF header."""
    return struct.unpack_from("<I", elf.read_bytes(), 24)[0]


def program_file(name):
    """Where a program's unstripped file is, and its path in the machine."""
    for directory, mounted in (("user", "/bin"), ("tests/user", "/test")):
        if (qemu.BUILD / directory / name).exists():
            return qemu.BUILD / directory / name, f"{mounted}/{name}"
    sys.exit(f"debug: there is no program {name} in user/ or tests/user/")


def start_machine(arguments, directory):
    """Starts QEMU, stopped, out of reach of the terminal's ^C; returns the process."""
    modules = [module for module in (qemu.BUILD / "initrd.cpio", qemu.BUILD / "tests.cpio") if module.exists()]
    console = f"socket,id=console,path={directory}/console,server=on,wait=off,logfile=/proc/self/fd/1"
    stub = f"socket,id=gdb,path={directory}/gdb,server=on,wait=off"
    command = qemu.command(append=arguments.append, memory=arguments.memory, modules=modules, serial="chardev:console",
                           extra=["-chardev", console, "-chardev", stub, "-gdb", "chardev:gdb", "-S"])
    machine = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + START_SECONDS
    while not (directory / "gdb").exists():
        if machine.poll() is not None or time.monotonic() > deadline:
            sys.exit("debug: QEMU did not start")
        time.sleep(0.01)
    return machine


def gdb_command(arguments, directory, symbols):
    """gdb's command line."""
    kernel = qemu.BUILD / "belady.elf"
    # Until the kernel is loaded a breakpoint in memory would be overwritten, so the first one is in the processor.
    commands = ["set confirm off", "set architecture i386", f"set remotetimeout {REPLY_SECONDS}",
                f"target remote | {TOOLS / 'gdb-proxy.py'} {directory}/gdb", f"thbreak *{entry_point(kernel):#x}", "continue"]
    if symbols:
        commands.append(f"add-symbol-file {symbols}")
    commands += [f"source {script}" for script in sorted((TOOLS / "gdb").glob("*.py")) if script.stem != "selftest"]
    commands += arguments.command
    line = ["gdb", "-q", kernel]
    if arguments.batch:
        line += ["-nx", "-batch"]
    for command in commands:
        line += ["-ex", command]
    return line


def debug(arguments):
    """Runs gdb on a fresh machine; returns gdb's exit status."""
    symbols = None
    if arguments.program:
        symbols, path = program_file(arguments.program)
        if "init=" not in arguments.append:
            arguments.append += f" init={path}"
    directory = console_directory()
    if arguments.batch:
        directory = directory.with_name(f"debug-{os.getpid()}")
    directory.mkdir(parents=True, exist_ok=True)
    for name in ("console", "gdb"):
        (directory / name).unlink(missing_ok=True)
    if not arguments.batch:
        print("The console's output appears here. To type at it: tools/debug.py --console in another terminal.")
    machine = start_machine(arguments, directory)
    try:
        return subprocess.call(gdb_command(arguments, directory, symbols), timeout=arguments.timeout if arguments.batch else None)
    except subprocess.TimeoutExpired:
        sys.exit(f"debug: gdb did not end within {arguments.timeout} s")
    finally:
        machine.kill()
        machine.wait()
        shutil.rmtree(directory)


def console_directory():
    """Where the machine's sockets are."""
    return qemu.BUILD / "debug"


def talk():
    """Joins this terminal to the console."""
    console = socket.socket(socket.AF_UNIX)
    console.connect(str(console_directory() / "console"))
    settings = termios.tcgetattr(sys.stdin)
    tty.setraw(sys.stdin)
    try:
        while True:
            ready, _, _ = select.select([console, sys.stdin], [], [])
            data = console.recv(4096) if console in ready else os.read(sys.stdin.fileno(), 4096)
            if not data or (console not in ready and ESCAPE in data):
                return 0
            if console in ready:
                os.write(sys.stdout.fileno(), data)
            else:
                console.sendall(data)
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, settings)


def main():
    parser = argparse.ArgumentParser(description="Boots Belady under gdb.")
    parser.add_argument("--program", help="a user program, to break in")
    parser.add_argument("--memory", default="128M")
    parser.add_argument("--append", default="", help="the kernel's command line")
    parser.add_argument("--batch", action="store_true", help="run the commands and end")
    parser.add_argument("--timeout", type=float, default=100, help="with --batch: seconds after which it ends in any case")
    parser.add_argument("--command", action="append", default=[], help="a gdb command to run first")
    parser.add_argument("--console", action="store_true", help="talk to the console of the machine being debugged")
    arguments = parser.parse_args()
    # ^C is for gdb, which stops the target; a handler that does nothing is not inherited, as ignoring would be.
    signal.signal(signal.SIGINT, lambda *_: None)
    # Ended from outside, it must not leave its machine behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("debug: ended by a signal"))
    return talk() if arguments.console else debug(arguments)


sys.exit(main())
