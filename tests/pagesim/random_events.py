"""Events at random for models.py, and as the text of a trace."""

FIRST_PROCESS = 7


# Of each event, that it is a tick, unmaps a page, or is fork, exec or exit; and of a reference, that the instruction before it made it.
CHANCES = [(0, 0, 0, 0), (0.03, 0, 0, 0), (0.03, 0.03, 0.02, 0.1), (0.2, 0.01, 0, 0.3), (0, 0, 0.1, 0)]


class Events:
    """References with locality by up to three processes, instructions of several pages, writes, ticks, unmapped pages, fork, exec, exit."""

    def __init__(self, generator, count=300):
        self.generator, self.events, self.processes, self.last = generator, [], [FIRST_PROCESS], FIRST_PROCESS
        self.pages = generator.randrange(4, 20)
        self.hot = generator.sample(range(self.pages), max(1, self.pages // 3))
        ticks, unmaps, lives, self.joins = generator.choice(CHANCES)
        while len(self.events) < count:
            what = generator.random()
            if what < ticks:
                self.events.append(("t", None))
            elif what < ticks + unmaps:
                self.events.append(("u", self.page()))
            elif what < ticks + unmaps + lives:
                self.live()
            else:
                self.reference()

    def page(self):
        local = self.generator.random() < 0.6
        return self.generator.choice(self.processes), self.generator.choice(self.hot) if local else self.generator.randrange(self.pages)

    def reference(self):
        joins = any(kind[-1] in "rwx" for kind, _ in self.events) and self.generator.random() < self.joins
        self.events.append(("+" * joins + self.generator.choice("rrwx"), self.page()))

    def live(self):
        process, kind = self.generator.choice(self.processes), self.generator.choice(["fork", "exec", "exit"])
        if kind == "fork" and len(self.processes) < 3:
            self.last += 1
            self.events.append((kind, (process, self.last)))
            self.processes.append(self.last)
        elif kind == "exit" and len(self.processes) > 1:
            self.events.append((kind, process))
            self.processes.remove(process)
        elif kind == "exec":
            self.events.append((kind, process))


def line(kind, what):
    if kind == "t":
        return kind
    if kind == "fork":
        return f"fork {what[0]} {what[1]}"
    if kind in ("exec", "exit"):
        return f"{kind} {what}"
    process = f" {what[0]}" if what[0] != FIRST_PROCESS else ""
    return f"{kind.replace('+', '+ ')} {what[1]:x}{process}"


def text(events):
    return "\n".join([f"belady-trace 1 page=4096 pid={FIRST_PROCESS}", *(line(*event) for event in events), ""])
