"""The kernel as gdb sees it: its variables, types and constants, and the lists and trees of <bsd/sys/queue.h> and <bsd/sys/tree.h>.

Names are looked up among the kernel's own symbols only: a user program whose symbols are loaded too may use the same ones.
Constants that are macros leave no trace in the symbols, so they are read from the headers that define them.
"""
import functools
import pathlib
import re

import gdb

ROOT = pathlib.Path(__file__).resolve().parents[3]
FILE_NAME = "belady.elf"

# KERNEL_BASE of mm/units.h: physical memory from 0 on appears here in every address space.
DIRECT_MAP = 0xC0000000
PAGE_SHIFT = 12
PAGE_BYTES = 1 << PAGE_SHIFT


def symbol_file():
    """gdb's object for the kernel's symbols."""
    for objfile in gdb.objfiles():
        if pathlib.Path(objfile.filename or "").name == FILE_NAME:
            return objfile
    raise gdb.GdbError(f"the kernel's symbols are not loaded: start gdb by `make debug', or say `file build/{FILE_NAME}'")


def lookup(name, domain):
    """The kernel's symbol of that name, or an error that says what is wrong."""
    symbol = symbol_file().lookup_global_symbol(name, domain) or symbol_file().lookup_static_symbol(name, domain)
    if symbol is None:
        raise gdb.GdbError(f"the kernel has no `{name}' any more: tools/gdb/ must follow the kernel's names")
    return symbol


def variable(name):
    """A global or static variable."""
    return lookup(name, gdb.SYMBOL_VAR_DOMAIN).value()


def structure(name):
    """The type `struct name'."""
    return lookup(name, gdb.SYMBOL_STRUCT_DOMAIN).type


def enumeration(name, prefix):
    """The type `enum name' as a dictionary from value to what follows the prefix, in lower case."""
    fields = lookup(name, gdb.SYMBOL_STRUCT_DOMAIN).type.fields()
    return {field.enumval: field.name.removeprefix(prefix).lower() for field in fields}


@functools.lru_cache(maxsize=None)
def macros(header, prefix):
    """The constants that a header defines with this prefix, as a dictionary from what follows it, in lower case, to the value."""
    text = (ROOT / header).read_text(encoding="utf-8")
    pattern = re.compile(rf"^#define {prefix}(\w+)\s+(0x[0-9A-Fa-f]+|[0-9]+)[uUlL]*\b", re.MULTILINE)
    found = {name.lower(): int(value, 0) for name, value in pattern.findall(text)}
    if not found:
        raise gdb.GdbError(f"{header} defines no {prefix}* any more: tools/gdb/ must follow the kernel's names")
    return found


def flags_text(flags, bits):
    """The names of those bits that are set."""
    return " ".join(name for name, bit in bits.items() if flags & bit)


def need_started():
    """An error if the kernel has not come far enough to have memory that can be shown."""
    if gdb.selected_thread() is None:
        raise gdb.GdbError("no machine is being debugged: start one by `make debug'")
    try:
        started = int(variable("frame_table")) != 0
    except gdb.MemoryError:
        started = False
    if not started:
        raise gdb.GdbError("the kernel has not set up its memory yet: continue first, for instance to `break process_spawn_init'")


def pointer(value, structure_name):
    """A void pointer as one to `struct structure_name'."""
    return value.cast(structure(structure_name).pointer())


def is_null(value):
    """Whether a pointer is NULL."""
    return int(value) == 0


def elements(head, link):
    """The elements of a LIST or TAILQ: pointers. A list that runs in a circle is an error instead of a loop without end."""
    first = head.type.strip_typedefs().fields()[0].name
    following = {"lh_first": "le_next", "tqh_first": "tqe_next"}[first]
    element = head[first]
    seen = set()
    while not is_null(element):
        if int(element) in seen:
            raise gdb.GdbError(f"a list linked by `{link}' runs in a circle at {int(element):#x}")
        seen.add(int(element))
        yield element
        for field in link.split("."):
            element = element[field]
        element = element[following]


def tree_elements(element, link="link"):
    """The elements of an RB tree in order, from its root on: pointers."""
    if not is_null(element):
        yield from tree_elements(element[link]["rbe_left"], link)
        yield element
        yield from tree_elements(element[link]["rbe_right"], link)


def text(value):
    """A string in the kernel: an array or a pointer to char."""
    return value.string("utf-8", "replace")


def read_word(address, size):
    """A little-endian number of size bytes at a kernel address."""
    return int.from_bytes(bytes(gdb.selected_inferior().read_memory(address, size)), "little")


def plural(count, noun, nouns=None):
    """`1 page', `2 pages'."""
    return f"{count} {noun if count == 1 else nouns or noun + 's'}"
