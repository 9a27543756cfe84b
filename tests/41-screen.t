#!/usr/bin/env python3
"""The VGA screen and the PS/2 keyboard: keys are pressed, and the screen's memory is read, through QEMU's monitor."""
import tempfile

from harness import *

ROWS, COLUMNS = 25, 80
SCREEN_ADDRESS, CELL_BYTES = 0xB8000, 2
RED = 0x04
HOLD_MILLISECONDS = 5
PAUSE_SECONDS = 0.015
ESCAPE_SECONDS = 0.5    # an escape and what follows at once would be one key to vi
ARCHIVES = [INITRD, BUILD / "rootfs-busybox.cpio", TEST_PROGRAMS]

# QEMU's names of the keys that are not called by their character, and of those that need shift.
KEYS = {" ": "spc", "\n": "ret", "\t": "tab", "\x1b": "esc", "\x7f": "backspace", "-": "minus", "=": "equal", "[": "bracket_left",
        "]": "bracket_right", ";": "semicolon", "'": "apostrophe", "`": "grave_accent", "\\": "backslash", ",": "comma", ".": "dot", "/": "slash"}
SHIFTED = dict(zip('!@#$%^&*()_+{}|:"<>?~', "1234567890-=[]\\;',./`"))
PRINTABLE = "".join(map(chr, range(ord(" "), 0x7F)))


def key_of(character):
    if character in SHIFTED:
        return "shift-" + key_of(SHIFTED[character])
    if character.isupper():
        return "shift-" + character.lower()
    return KEYS.get(character, character)


class Screen(Session):
    """A machine whose keyboard and screen are used; standard input and output are the monitor's."""

    def __init__(self, t, arguments="swap=64M log=error"):
        super().__init__(arguments, modules=ARCHIVES, serial="none", extra=("-monitor", "stdio"))
        self.expect(r"\(qemu\) \Z")
        t.need(self.waits_for(r"\$ ?$"), "the screen shows a prompt")

    def command(self, line):
        self.send(line + "\n")
        self.expect(r"\(qemu\) \Z")

    def press(self, *keys):
        for key in keys:
            self.command(f"sendkey {key} {HOLD_MILLISECONDS}")
            time.sleep(PAUSE_SECONDS)
            if key == "esc":
                time.sleep(ESCAPE_SECONDS)

    def type(self, text):
        self.press(*map(key_of, text))

    def cells(self):
        with tempfile.NamedTemporaryFile() as file:
            self.command(f"pmemsave {SCREEN_ADDRESS:#x} {ROWS * COLUMNS * CELL_BYTES} \"{file.name}\"")
            return pathlib.Path(file.name).read_bytes()

    def lines(self):
        characters = self.cells()[::CELL_BYTES].decode("latin-1")
        return [characters[row * COLUMNS:][:COLUMNS].rstrip() for row in range(ROWS)]

    def waits_for(self, pattern, timeout=ANSWER_SECONDS):
        """Whether the screen comes to show the pattern."""
        deadline = time.monotonic() + timeout
        while not re.search(pattern, "\n".join(self.lines()), re.MULTILINE):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    def shows(self, t, pattern, what):
        return t.ok(self.waits_for(pattern), what, "\n".join(self.lines()))

    def answers(self, t, typed, pattern, what):
        """As shows, once something has been typed."""
        self.type(typed)
        return self.shows(t, pattern, what)


@case("keys")
def _(t):
    screen = Screen(t)
    screen.type("cat >/tmp/typed\n" + PRINTABLE + "\n")
    screen.press("caps_lock", "a", "shift-b", "caps_lock", "c", "backspace", "ret", "ctrl-d")
    screen.answers(t, "clear; cat /tmp/typed\n", rf"^{re.escape(PRINTABLE[:COLUMNS])}\n{re.escape(PRINTABLE[COLUMNS:])}\nAb$", "every key types its character, and a long line goes on in the next")
    screen.answers(t, "busybox stty size\n", rf"^{ROWS} {COLUMNS}$", "the window has the screen's size")
    screen.close()


@case("line editing")
def _(t):
    screen = Screen(t)
    screen.type("echo wrong")
    screen.press(*["left"] * 5, "delete", "r", "e", "home", *["delete"] * 4, *"print", "end", "n", "ret")
    screen.shows(t, r"^rerongn", "arrows, home, end and delete edit the line")
    screen.press("up")
    screen.answers(t, "2\n", r"^rerongn2", "the arrow up brings the last line back")
    screen.answers(t, "clear; /test/sleeper\n", r"^started$", "a program runs")
    screen.press("ctrl-c")
    screen.answers(t, "echo status $?\n", r"^status 130", "^C ends a program")
    screen.answers(t, "clear; /test/sleeper\n", r"^started$", "another one runs")
    screen.press("ctrl-z")
    screen.answers(t, "jobs\n", r"Stopped +/test/sleeper$", "^Z stops one")
    screen.close()


@case("scrolling and colours")
def _(t):
    screen = Screen(t)
    screen.answers(t, "clear; seq 100; printf '\\033[31mred\\033[0m\\n'\n", r"^100\nred$", "the last lines are seen")
    lines = screen.lines()
    row = lines.index("red")
    t.ok(lines[:row] == [str(101 - row + i) for i in range(row)], "each in its place", "\n".join(lines))
    t.ok(screen.cells()[row * COLUMNS * CELL_BYTES + 1] == RED, "red is red")
    screen.close()


@case("vi")
def _(t):
    screen = Screen(t)
    screen.answers(t, "seq 60 >/tmp/text; vi /tmp/text\n", r"^- /tmp/text", "shows its status line")
    t.ok(screen.lines()[:ROWS - 1] == [str(i + 1) for i in range(ROWS - 1)], "and the file above", "\n".join(screen.lines()))
    screen.answers(t, "2GOnew\x1b/33\n", r"^33$", "a search shows what it finds")
    screen.type("ddx")
    screen.press("pgup", "up", "ctrl-f")
    screen.answers(t, ":1\nAend\x1b", r"\A1end\nnew\n2\n", "lines are changed and inserted")
    screen.answers(t, ":wq\n", r"\$ ?\Z", "writes and ends")
    screen.answers(t, "clear; sed -n '1,2p;34p' /tmp/text; wc -l /tmp/text\n", r"^1end\nnew\n4\n60 /tmp/text", "with the changes made")
    screen.close()


@case("less")
def _(t):
    screen = Screen(t)
    screen.answers(t, "seq 100 | less\n", r"\A1\n2\n", "shows the first lines")
    screen.answers(t, " b  ", r"^60$", "goes on")
    screen.answers(t, "q", r"\$ ?\Z", "and ends")
    screen.close()


main()
