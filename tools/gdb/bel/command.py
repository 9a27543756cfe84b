"""What the commands share: reading their arguments, with a clear message for every bad one."""
import gdb

from bel import kernel

ADDRESS_LIMIT = 1 << 32


class Command(gdb.Command):
    """A command `bel NAME'. A subclass's description begins with a line of summary and a line `Usage: ...'; run() gets the arguments as
    strings, `least' to `most' of them, of which the last takes all the rest of the line."""

    name = ""
    least = most = 0
    needs_kernel = True  # whether it makes sense only once the kernel runs

    def __init__(self):
        super().__init__(f"bel {self.name}", gdb.COMMAND_STATUS)

    def invoke(self, argument, _from_tty):
        # All the rest of the line belongs to the last argument; there is none behind it then.
        arguments = argument.strip().split(maxsplit=self.most - 1) if self.most else argument.split()
        if not self.least <= len(arguments) <= self.most:
            raise gdb.GdbError(f"usage: {usage_of(type(self))}")
        if self.needs_kernel:
            kernel.need_started()
        try:
            self.run(*arguments)
        except gdb.MemoryError as error:
            raise gdb.GdbError(f"the kernel's structures lead to memory that is not there: {error}") from error

    def run(self, *arguments):
        """Does what the command does."""
        raise NotImplementedError


def usage_of(cls):
    """How a command is called, from its description."""
    return cls.__doc__.splitlines()[1].removeprefix("Usage: ")


def number(text, what, limit):
    """An argument that is a number from 0 up to limit, as an expression of gdb's; a function or array stands for its address."""
    try:
        value = gdb.parse_and_eval(text)
        if value.type.strip_typedefs().code in (gdb.TYPE_CODE_FUNC, gdb.TYPE_CODE_ARRAY):
            value = value.address
        if value.type.strip_typedefs().code == gdb.TYPE_CODE_FLT:
            raise gdb.error("it has a fraction")
        result = int(value)
    except gdb.error as error:
        raise gdb.GdbError(f"`{text}' is not {what}: {error}") from error
    if not 0 <= result < limit:
        raise gdb.GdbError(f"`{text}' is not {what}: {result:#x} is out of range, it must be below {limit:#x}")
    return result


def address(text):
    """An argument that is a virtual address."""
    return number(text, "an address", ADDRESS_LIMIT)
