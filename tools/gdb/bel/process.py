"""Processes: which there are, and where each of them is. `bel ps'."""
import pathlib
import re

import gdb

from bel import command, kernel

# What `info symbol' says; the file is left out when there is only one.
SYMBOL = re.compile(r"(\S+)(?: \+ (\d+))? in section \S+(?: of (.+))?")

PRIVILEGE_MASK = 3  # the ring, in the low bits of a code selector


def every():
    """All processes, oldest first: pointers to struct process."""
    return kernel.elements(kernel.variable("process_list"), "all_link")


def find(text):
    """The process that an argument names."""
    number = command.number(text, "a process number", int(kernel.variable("pid_limit")))
    for process in every():
        if int(process["id"]) == number:
            return process
    raise gdb.GdbError(f"there is no process {number}: `bel ps' shows those that there are")


def find_aspace(text):
    """The process that an argument names, and its address space; an error if it has none."""
    process = find(text)
    if kernel.is_null(process["aspace"]):
        what = "a zombie: its address space has gone" if process["zombie"] else "about to end, or to have its first program"
        raise gdb.GdbError(f"{title(process)} is {what}")
    return process, process["aspace"]


def of_pmap(pmap):
    """Those that run on these page tables, as text: several after vfork."""
    users = [process for process in every() if not kernel.is_null(process["aspace"]) and process["aspace"]["pmap"].address == pmap]
    if not users:
        return f"the address space with page tables {int(pmap):#x}, which no process has"
    return " and ".join(title(process) for process in users)


def title(process):
    """`process 1 (cow)'."""
    return f"process {int(process['id'])} ({kernel.text(process['name'])})"


def first_thread(process):
    """The thread that is shown for its process, NULL for a zombie."""
    return process["threads"]["tqh_first"]


def running_thread():
    """The thread that has the processor; NULL before there are threads."""
    return kernel.variable("cpu_local")["thread"]


def in_user_mode():
    """Whether the processor runs a user program just now."""
    return int(gdb.parse_and_eval("$cs")) & PRIVILEGE_MASK != 0


def state(process):
    """What it does, in a word."""
    thread = first_thread(process)
    if process["zombie"] or kernel.is_null(thread):
        return "zombie"
    if thread == running_thread():
        return "running"
    states = kernel.enumeration("thread_state", "THREAD_")
    return states[int(thread["state"])]


def symbol_at(address, program):
    """` name+offset' of a function of this program, or nothing: the symbols that are loaded may be another's."""
    found = SYMBOL.match(gdb.execute(f"info symbol {address:#x}", to_string=True))
    if not found or pathlib.Path(found[3] or kernel.FILE_NAME).name != program:
        return ""
    return f" {found[1]}+{found[2] or 0}"


def entry_reason(frame):
    """Why a process is in the kernel, from the registers that it entered with."""
    vectors = kernel.macros("kernel/x86/trap.h", "VECTOR_")
    vector = int(frame["vector"])
    if vector == vectors["system_call"]:
        return f"system call {system_call_name(int(frame['error']))}"
    if vector >= vectors["irq_first"]:
        return "interrupt"
    return next((name.replace("_", " ") for name, value in vectors.items() if value == vector), f"exception {vector}")


def system_call_name(number):
    """Its name in the kernel's table, without the prefix."""
    if number >= int(kernel.variable("syscall_table_length")):
        return str(number)
    function = kernel.variable("syscall_table")[number]
    name = symbol_at(int(function), kernel.FILE_NAME).strip().split("+")[0]
    return name.removeprefix("sys_") or str(number)


def place(process):
    """Where it is: an address in its program, and what it does in the kernel, if it is there."""
    thread = first_thread(process)
    if kernel.is_null(thread):
        return f"ended with wait status {int(process['exit_status']):#x}"
    address = int(gdb.parse_and_eval("$eip"))
    if thread == running_thread() and in_user_mode():
        return f"user {address:#010x}{symbol_at(address, kernel.text(process['name']))}"
    frame = kernel.pointer(thread["frame"], "trap_frame")
    now = symbol_at(address, kernel.FILE_NAME) if thread == running_thread() else ""
    return f"kernel{now}, {entry_reason(frame)} from {int(frame['eip']):#010x}"


def memory(process):
    """Pages in regions, pages mapped, page tables: as three columns."""
    aspace = process["aspace"]
    if kernel.is_null(aspace):
        return "-", "-", "-"
    return int(aspace["regions"]["pages"]), int(aspace["pmap"]["resident"]), int(aspace["pmap"]["table_count"])


class Ps(command.Command):
    """The processes, and where each of them is.
Usage: bel ps
Columns: number, parent, state, pages in its regions, pages of these that are mapped just now, page-table pages, name, and where it is: an
address in its program, and in the kernel what it asked for or what interrupted it."""

    name = "ps"

    def run(self):
        columns = "{:>5} {:>6} {:9} {:>6} {:>6} {:>6} {:15} {}"
        print(columns.format("PID", "PARENT", "STATE", "PAGES", "MAPPED", "TABLES", "NAME", "WHERE"))
        for process in every():
            identity = int(process["id"]), int(process["parent"]["id"])
            print(columns.format(*identity, state(process), *memory(process), kernel.text(process["name"]), place(process)))


class CurrentName(gdb.Function):
    """$bel_name(): the name of the process that runs.
All programs are linked to the same addresses; this stops in one of them only: break main if $_streq($bel_name(), "cow")"""

    def __init__(self):
        super().__init__("bel_name")

    def invoke(self):
        return current_name()


def current_name():
    """The name of the process that runs; empty before there is one."""
    try:
        thread = running_thread()
        return "" if kernel.is_null(thread) else kernel.text(thread["process"]["name"])
    except gdb.MemoryError:
        return ""
