"""gdb commands that show the kernel's view of memory.

    kernel      variables, types, constants, lists: everything that is read goes through it
    command     what all commands share: arguments, and messages for bad ones
    process     which processes there are, and where each is          bel ps
    memory      regions, objects, amaps, chunks, anons                bel regions
    paging      the walk of the page tables, bit by bit
    walk        the walk, and whether the kernel's belief agrees      bel walk
    frame       frames and their reverse map                          bel frame
    faults      the counters                                          bel faults
    symbols     user programs' symbols                                bel symbols

They only read: page tables and everything else through the kernel's direct map, which is the same in every address space, so that
any process can be looked at while any other, or the kernel, runs.
"""
import gdb

from bel import command, faults, frame, memory, process, symbols, walk


class Bel(gdb.Command):
    """Show the kernel's view of memory: `bel help' lists the commands."""

    def __init__(self):
        super().__init__("bel", gdb.COMMAND_STATUS, prefix=True)

    def invoke(self, argument, _from_tty):
        if argument:
            raise gdb.GdbError(f"there is no command `bel {argument}': `bel help' lists them")
        show_help()


class Help(gdb.Command):
    """List the commands.
Usage: bel help"""

    def __init__(self):
        super().__init__("bel help", gdb.COMMAND_STATUS)

    def invoke(self, _argument, _from_tty):
        show_help()


def show_help():
    """One line for each command."""
    for usage, summary in sorted((command.usage_of(cls), cls.__doc__.splitlines()[0]) for cls in [*command.Command.__subclasses__(), Help]):
        print(f"{usage:24} {summary}")
    print("`help bel NAME' tells more. Numbers are gdb expressions: $esp, &variable and the like.")


def load():
    """Adds the commands to gdb."""
    Bel()
    Help()
    for cls in command.Command.__subclasses__():
        cls()
    process.CurrentName()
    symbols.follow()
