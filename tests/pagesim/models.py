"""The replacement policies once more, as a textbook tells them: plain lists, no cleverness, nothing shared with mm/policy/. What a policy
knows of a page is in the page's own fields, and the order of pages in memory is a list whose first is next in line.

    game = Game(Lru, 3, [("r", (7, 1)), ("+w", (7, 2)), ("t", None), ("fork", (7, 8)), ("r", (8, 1)), ("u", (7, 1)), ("exit", 8)])
    for pages in game.play():
        print(pages)
    print(game.faults, game.written)
"""
NEVER = float("inf")
COUNTER = 0x80              # of aging: what a use in the last tick counts
USED_SINCE_TICK = 0x100     # and a use since then
MASK = 0xffffffff


class Page:
    """A page in memory: its name, the bits that hardware sets, and what policies note of it."""

    def __init__(self, name):
        self.name = name
        self.used = self.dirty = False
        self.noted = 0          # nru: was used; aging: counter; wsclock: time of the last use seen
        self.count = 0          # references
        self.last = 0           # when the policy last heard of it

    def hear(self, now):
        self.count += 1
        self.last = now


class Policy:
    """First in, first out; the others differ from it. `game` tells the time and the future."""

    def __init__(self, game):
        self.game, self.line, self.expected_ghost = game, [], None

    def expect(self, name):
        """A page is about to come in. Until it does, others can be put back that were set aside."""

    def choose(self):
        return self.line[0]

    def came(self, page):
        self.line.append(page)

    def hit(self, page):
        pass

    def evicted(self, page):
        self.forget(page)

    def forget(self, page):
        self.line.remove(page)

    def tick(self):
        pass

    def pages(self):
        return self.line

    def to_the_end(self, page):
        self.line.remove(page)
        self.line.append(page)

    def pass_over(self):
        """The hand moves on: who was first is last."""
        self.to_the_end(self.line[0])


class Fifo(Policy):
    pass


class Random(Policy):
    """The sequence is Marsaglia's xorshift, as in the kernel. The last one takes the place of one that leaves."""

    def __init__(self, game):
        super().__init__(game)
        self.state = 2654435761

    def choose(self):
        x = self.state
        x ^= x << 13 & MASK
        x ^= x >> 17
        x ^= x << 5 & MASK
        self.state = x
        return self.line[x % len(self.line)]

    def forget(self, page):
        last = self.line.pop()
        if last is not page:
            self.line[self.line.index(page)] = last


class Clock(Policy):
    def choose(self):
        while self.line[0].used:
            self.line[0].used = False
            self.pass_over()
        return self.line[0]


class Nru(Policy):
    """The enhanced second chance. A page that has come in counts as used."""

    def came(self, page):
        super().came(page)
        page.noted = True

    def choose(self):
        for page in self.line:
            page.noted |= page.used
            page.used = False
        for wants_dirty in (False, True, False, True):
            for page in list(self.line):
                if not page.noted and page.dirty == wants_dirty:
                    return page
                if wants_dirty:
                    page.noted = False
                self.pass_over()
        raise AssertionError("in the third or fourth turn there is a victim")


class Aging(Policy):
    def came(self, page):
        super().came(page)
        page.noted = USED_SINCE_TICK

    def choose(self):
        while True:
            page = min(self.line, key=lambda page: page.noted)
            if not page.used or page.noted >= USED_SINCE_TICK:
                return page
            page.used = False
            page.noted |= USED_SINCE_TICK
            self.to_the_end(page)

    def tick(self):
        self.line.sort(key=lambda page: page.noted)
        for page in self.line:
            used = page.used or page.noted >= USED_SINCE_TICK
            page.used = False
            page.noted = (page.noted % USED_SINCE_TICK >> 1) + (COUNTER if used else 0)


class Lfu(Policy):
    def choose(self):
        return min(self.line, key=lambda page: (page.count, page.last))


class Mfu(Policy):
    def choose(self):
        return max(self.line, key=lambda page: (page.count, -page.last))


class Lru(Policy):
    def hit(self, page):
        self.to_the_end(page)


class Wsclock(Policy):
    def came(self, page):
        super().came(page)
        page.noted = self.game.time

    def choose(self):
        window, oldest, first_dirty = self.game.window, None, None
        for page in list(self.line):
            if page.used:
                page.used, page.noted = False, self.game.time
            age = self.game.time - page.noted
            if age > window and not page.dirty:
                return page
            if age > window:
                first_dirty = first_dirty or page
            elif oldest is None or (not page.dirty, age) > (not oldest.dirty, self.game.time - oldest.noted):
                oldest = page
            self.pass_over()
        victim = first_dirty or oldest
        while self.line[0] is not victim:
            self.pass_over()
        return victim


class TwoQueues(Policy):
    """`line` is the queue of recent pages."""

    def __init__(self, game):
        super().__init__(game)
        self.hot, self.ghosts = [], []

    def share(self, part):
        return max(1, len(self.pages()) // part)

    def pages(self):
        return self.line + self.hot

    def expect(self, name):
        self.expected, self.expected_ghost = name, name in self.ghosts
        if self.expected_ghost:
            self.ghosts.remove(name)

    def choose(self):
        return self.line[0] if len(self.line) > self.share(4) or not self.hot else self.hot[0]

    def came(self, page):
        (self.hot if self.expected_ghost and page.name == self.expected else self.line).append(page)

    def hit(self, page):
        if page in self.hot:
            self.hot.remove(page)
            self.hot.append(page)

    def evicted(self, page):
        if page in self.line:
            self.ghosts.append(page.name)
        del self.ghosts[:max(0, len(self.ghosts) - self.share(2))]
        self.forget(page)

    def forget(self, page):
        (self.line if page in self.line else self.hot).remove(page)


class Arc(Policy):
    """Figure 4 of Megiddo and Modha, with c the number of pages in memory and p an integer. T: pages, B: names of ghosts; 0 is T1, 1 T2."""

    def __init__(self, game):
        super().__init__(game)
        self.T, self.B, self.p = ([], []), ([], []), 0

    def pages(self):
        return self.T[0] + self.T[1]

    def expect(self, name):
        self.expected = name
        self.expected_ghost = next((i for i in (0, 1) if name in self.B[i]), None)
        if self.expected_ghost is None:
            return
        mine, other = self.B[self.expected_ghost], self.B[1 - self.expected_ghost]
        step = max(1, len(other) // len(mine))
        self.p = min(len(self.pages()), self.p + step) if self.expected_ghost == 0 else max(0, self.p - step)
        mine.remove(name)

    def choose(self):
        once = len(self.T[0])
        if once and (once > self.p or (self.expected_ghost == 1 and once == self.p)) or not self.T[1]:
            return self.T[0][0]
        return self.T[1][0]

    def came(self, page):
        self.T[0 if self.expected_ghost is None or page.name != self.expected else 1].append(page)

    def hit(self, page):
        self.forget(page)
        self.T[1].append(page)

    def evicted(self, page):
        queue = 0 if page in self.T[0] else 1
        if self.expected_ghost is not None or self.case_four():
            self.B[queue].append(page.name)
        self.forget(page)

    def case_four(self):
        """Neither in memory nor a ghost: an old ghost goes. False if the victim leaves none."""
        c = len(self.pages())
        if len(self.T[0]) + len(self.B[0]) >= c:
            if not self.B[0]:
                return False
            self.B[0].pop(0)
        elif c + len(self.B[0]) + len(self.B[1]) >= 2 * c:
            self.B[1].pop(0)
        return True

    def forget(self, page):
        self.T[0 if page in self.T[0] else 1].remove(page)


class Opt(Policy):
    def choose(self):
        return max(self.line, key=lambda page: (self.game.next_use(page.name), -page.last))


MODELS = {"fifo": Fifo, "random": Random, "clock": Clock, "nru": Nru, "aging": Aging, "lfu": Lfu, "mfu": Mfu, "lru": Lru, "wsclock": Wsclock,
          "2q": TwoQueues, "arc": Arc, "opt": Opt}


class Game:
    """One policy with so many frames. A page is (process, number). Events:

    ("r" | "w" | "x", page)             a reference; with a plus sign before the letter, by the same instruction as the one before
    ("u", page)                         it is unmapped
    ("fork", (parent, child))           changes no page in memory: the child's pages are pages of their own
    ("exec" | "exit", process)          all its pages are unmapped, in the order in which the events name them first
    ("t", None)                         a tick of the clock
    """

    def __init__(self, policy, frames, events, window=10):
        self.policy, self.frames, self.events, self.window = policy(self), frames, events, window
        self.names = list(dict.fromkeys(what for kind, what in events if kind[-1] in "rwxu"))
        self.there, self.instruction = {}, []
        self.at = self.time = self.told = self.faults = self.written = 0

    def next_use(self, name):
        """The place of the next event that uses the page; never, if it is unmapped before."""
        for place in range(self.at + 1, len(self.events)):
            kind, what = self.events[place]
            if (kind == "u" and what == name) or (kind in ("exec", "exit") and what == name[0]):
                return NEVER
            if kind[-1] in "rwx" and what == name:
                return place
        return NEVER

    def reference(self, name, kind):
        page = self.there.get(name)
        if kind[0] != "+":
            self.instruction = []
        if page:
            self.policy.hit(page)
        else:
            page = self.fault(name)
        page.used = True
        page.dirty |= kind[-1] == "w"
        self.hear(page)
        self.time += 1
        self.instruction.append(name)

    def hear(self, page):
        self.told += 1
        page.hear(self.told)

    def fault(self, name):
        self.faults += 1
        self.policy.expect(name)
        if len(self.there) == self.frames:
            self.make_room()
        page = self.there[name] = Page(name)
        self.policy.came(page)
        return page

    def make_room(self):
        """The first choice that the instruction does not need goes. Those before it are set aside meanwhile, and the policy is told of them
        as of new pages, last one first. If the instruction needs all, the first choice goes."""
        aside, all_needed = [], set(self.there) <= set(self.instruction)
        while (victim := self.policy.choose()).name in self.instruction and not all_needed:
            self.policy.forget(victim)
            aside.append(victim)
        self.written += victim.dirty
        self.policy.evicted(victim)
        del self.there[victim.name]
        for page in reversed(aside):
            page.count = 0
            self.hear(page)
            self.policy.came(page)

    def unmap(self, name):
        if name in self.there:
            self.policy.forget(self.there.pop(name))

    def play(self):
        """Goes through all events; yields the pages in memory after each."""
        for self.at, (kind, what) in enumerate(self.events):
            if kind == "t":
                self.policy.tick()
            elif kind == "u":
                self.unmap(what)
            elif kind in ("exec", "exit"):
                for name in self.names:
                    if name[0] == what:
                        self.unmap(name)
            elif kind != "fork":
                self.reference(what, kind)
            yield set(self.there)
