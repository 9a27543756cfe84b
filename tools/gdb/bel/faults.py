"""The counters: what happened so far, by the textbook's names. `bel faults'."""
from bel import command, kernel, process


def counted(counters):
    """The counters that are not 0: a dictionary from name to value."""
    values = {field.name: int(counters[field.name]) for field in counters.type.fields()}
    return {name: value for name, value in values.items() if value}


class Faults(command.Command):
    """The counters that are not 0, of the system and of a process.
Usage: bel faults [PID]
Every fault is counted as exactly one kind; mm/counters.h says what each name means."""

    name = "faults"
    most = 1

    def run(self, text=None):
        columns = [("system", counted(kernel.variable("counters")))]
        if text is not None:
            owner, aspace = process.find_aspace(text)
            columns.append((process.title(owner), counted(aspace["counters"])))
        widths = [max(len(title), 10) for title, _ in columns]
        print(f"{'':20}" + "".join(f"  {title:>{width}}" for (title, _), width in zip(columns, widths)))
        for name in (field.name for field in kernel.variable("counters").type.fields()):
            if any(name in values for _, values in columns):
                print(f"{name:20}" + "".join(f"  {values.get(name, 0):>{width}}" for (_, values), width in zip(columns, widths)))
