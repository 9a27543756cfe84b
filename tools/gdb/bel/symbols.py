"""Symbols of user programs, by name. `bel symbols'.

All programs are linked to the same addresses, so only one program's symbols are loaded at a time. Where none are, a stop in a program
loads that program's.
"""
import pathlib

import gdb

from bel import command, kernel, process

DIRECTORIES = ("user", "tests/user")


def build_directory():
    """Where the kernel's file, and so everything built, lies."""
    return pathlib.Path(kernel.symbol_file().filename).parent


def program_file(name):
    """The file of a program with its symbols, or None."""
    files = [build_directory() / directory / name for directory in DIRECTORIES]
    return next((file for file in files if file.is_file()), None)


def loaded():
    """The programs whose symbols are loaded: gdb's objects."""
    directories = [build_directory() / directory for directory in DIRECTORIES]
    return [objfile for objfile in gdb.objfiles() if objfile.filename and pathlib.Path(objfile.filename).parent in directories]


def load(file):
    """Loads a program's symbols in place of those that are loaded."""
    for objfile in loaded():
        gdb.execute(f"remove-symbol-file {objfile.filename}", to_string=True)
    gdb.execute(f"add-symbol-file {file}", to_string=True)


def load_if_missing(_event):
    """At a stop in a user program without symbols: loads them, if they are known."""
    try:
        if loaded() or not process.in_user_mode():
            return
        name = process.current_name()
        file = program_file(name) if name else None
        if file:
            load(file)
            print(f"(symbols of {name} loaded)")
    except gdb.error:
        # Such a stop can come at any time, even before the kernel is there: then there is nothing to load.
        return


def follow():
    """From now on, every stop looks whether symbols are missing."""
    gdb.events.stop.connect(load_if_missing)


class Symbols(command.Command):
    """Load the symbols of a user program.
Usage: bel symbols [NAME]
NAME is a program of user/ or tests/user/; without it, the program that runs just now. They take the place of another program's. To stop
in one program only, since all lie at the same addresses: break main if $_streq($bel_name(), "cow")"""

    name = "symbols"
    most = 1
    needs_kernel = False

    def run(self, name=None):
        name = name or process.current_name()
        if not name:
            raise gdb.GdbError("no process runs yet: say which program's symbols you want")
        file = program_file(name) if "/" not in name else None
        if file is None:
            places = " or ".join(str(build_directory() / directory) for directory in DIRECTORIES)
            raise gdb.GdbError(f"there is no program `{name}' with symbols in {places}")
        load(file)
        print(f"symbols of {name} loaded from {file}")
