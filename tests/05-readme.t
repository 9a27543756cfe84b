#!/usr/bin/env python3
"""README.md against the tree: whatever it names between backticks, and each command of its sh blocks, exists; a
function that it puts `in` a file is defined there; no program, switch, test file or file of the kernel is left out.

A span is read as what it looks like (command, path, switch, make variable, name); anything else must be a piece of
source as it stands. Names in capitals (NAME, COMMAND) are placeholders.
"""
from harness import *

README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`]+)`")
PLACED = re.compile(r"((?:`\w+`(?:, | and )?)+) in\s`([\w/.]+)`")

# Where the names begin in the list of the kernel's files, behind the subject.
FILES_COLUMN = 21

# What the recipes have the reader make; and what the shell itself provides.
RECIPES = ("user/hello.c", "tests/user/get_mempolicy.c", "mm/policy/lifo.c")
SHELL_WORDS = ("exit",)
# Other commands of the host's in the sh blocks.
HOST_COMMANDS = ("mkdir", "cp", "grep", "head", "printf", "python3")


def sources(*suffixes):
    parts = ("boot", "kernel", "mm", "drivers", "user", "tests", "tools")
    return [path for part in parts for path in ROOT.joinpath(part).rglob("*") if path.suffix in suffixes]


def text_of(path):
    return path.read_text(encoding="utf-8")


def c_names():
    """Pairs of a name that C or assembler code defines, and the file."""
    files = [path.relative_to(ROOT).as_posix() for path in sources(".c", ".h")]
    listing = subprocess.run(["ctags", "-f", "-", "--language-force=C", *files], stdout=subprocess.PIPE, text=True,
                             check=True).stdout
    pairs = {tuple(line.split("\t")[:2]) for line in listing.splitlines() if not line.startswith("!")}
    for path in sources(".S"):
        labels = re.findall(r"^(?:FUNCTION +(\w+)|(\w+):)", text_of(path), re.MULTILINE)
        pairs |= {(first or second, path.relative_to(ROOT).as_posix()) for first, second in labels}
    return pairs


DEFINED = c_names()
NAMES = {name for name, _ in DEFINED}
PROGRAMS = {path.stem for path in ROOT.glob("user/*.c")}
SWITCHES = {name for path in sources(".c") if "host" not in path.parts
            for name in re.findall(r"^BOOT_(?:CHOICE|NUMBER|SIZE|TEXT|FLAG_TEXT)\(([\w.]+),", text_of(path), re.MULTILINE)}
COUNTERS = set(re.findall(r"^ +X\((\w+)\)", text_of(ROOT / "mm/counters.h"), re.MULTILINE))
GDB_COMMANDS = {name for path in ROOT.glob("tools/gdb/bel/*.py")
                for name in re.findall(r'^ +name = "(\w+)"', text_of(path), re.MULTILINE)} | {"help"}
TARGETS = set(re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[1].split())
PROC = "".join(text_of(path) for path in ROOT.glob("kernel/proc*.c"))


def is_make_word(word):
    """A goal, or an assignment to a variable that the Makefile (or the tests that it runs) looks at."""
    name, assigned, _ = word.partition("=")
    return bool(re.search(rf"\b{name}\b", MAKEFILE)) if assigned else word in TARGETS


def is_path(word):
    """A file, directory or glob of the tree, of what is built, or of the machine's root directory."""
    word = re.sub(r"\b[A-Z]+\b", "*", word)
    if word.startswith("/proc/"):
        return f'"{word.rpartition("/")[2]}"' in PROC
    for mounted, directory in (("/bin/", "user"), ("/test/", "tests/user")):
        if word.startswith(mounted):
            return word == "/bin/sh" or any(ROOT.glob(f"{directory}/{word[len(mounted):]}.c"))
    if word == "build/" or word.startswith("build/"):
        return (BUILD / word[len("build/"):]).exists()
    return word in RECIPES or any(ROOT.glob(word.rstrip("/")))


def is_command(words):
    """A command line of the host's, the machine's or gdb's. None: it does not look like one."""
    first = words[0]
    if first == "make":
        return all(map(is_make_word, words[1:]))
    if first == "bel" or words[:2] == ["help", "bel"]:
        return words[1 if first == "bel" else 2] in GDB_COMMANDS
    if first == "echo" and words[-1].startswith(">"):
        return is_path(words[-1][1:])
    if "/" in first:
        return is_path(first)
    return len(words) > 1 and first in PROGRAMS or None


def can_run(words):
    """A line of a sh block: assignments, then a command."""
    while re.match(r"[A-Z]+=", words[0]):
        words = words[1:]
    return words[0] in HOST_COMMANDS or is_command(words)


def exists(span):
    """Whether what stands between backticks exists."""
    name = re.fullmatch(r"(?:struct )?(\w+)", span)
    if name and name[1] in NAMES | PROGRAMS | SWITCHES | COUNTERS | set(SHELL_WORDS):
        return True
    if re.match(r"[A-Z]+=", span) and " -- " not in span:
        return is_make_word(span)
    if match := re.match(r"([a-z._]+)=", span):
        return match[1] in SWITCHES
    known = is_command(span.split())
    return known if known is not None else any(span in text_of(path) for path in sources(".c", ".h", ".py", ".t"))


def all_fine(t, what, complaints):
    t.ok(not complaints, what, "\n".join(complaints))


@case("names")
def _(t):
    spans = [" ".join(span.split()) for span in SPAN.findall(FENCE.sub("", README))]
    t.ok(len(spans) > 100, f"there are {len(spans)} names")
    all_fine(t, "each of them exists", sorted({f"`{span}` does not exist" for span in spans if not exists(span)}))


@case("places")
def _(t):
    text = FENCE.sub("", README)
    wrong = [f"{name} is not defined in {file}" for names, file in PLACED.findall(text)
             for name in SPAN.findall(names) if name in NAMES and (name, file) not in DEFINED]
    all_fine(t, "each function is defined where it is said to be", wrong)


@case("commands")
def _(t):
    lines = [line for language, body in FENCE.findall(README) if language == "sh" for line in body.splitlines()]
    t.ok(lines, "there are some")
    all_fine(t, "each can be run", [line for line in lines if not can_run(shlex.split(line))])


@case("links")
def _(t):
    headings = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
                for heading in re.findall(r"^#+ (.*)$", FENCE.sub("", README), re.MULTILINE)}
    links = re.findall(r"\]\(#([\w-]+)\)", README)
    all_fine(t, "each leads to a heading", [link for link in links if link not in headings])


@case("complete")
def _(t):
    named = set(SPAN.findall(FENCE.sub("", README)))
    made = {pathlib.Path(name).stem for name in RECIPES}
    all_fine(t, "each program of user/ is named", sorted(PROGRAMS - named - made))
    shown = set(re.findall(r"^  ([\w.]+)=", README, re.MULTILINE))
    all_fine(t, "each switch is shown", sorted(SWITCHES ^ shown))
    files = {file.relative_to(ROOT).as_posix() for file in ROOT.glob("tests/*.t")}
    all_fine(t, "each test file is named", sorted(files - named))


@case("files of the kernel")
def _(t):
    section = README.partition("\n## The files of kernel/\n")[2]
    listed = [word for line in FENCE.search(section)[2].splitlines() for word in line[FILES_COLUMN:].split()]
    files = {path.relative_to(ROOT / "kernel").with_suffix("").as_posix() for path in sources(".c", ".h", ".S")
             if ROOT / "kernel" in path.parents}
    all_fine(t, "each is listed once, and nothing else",
             sorted({f"kernel/{name}" for name in files ^ set(listed)} | {name for name in listed if listed.count(name) > 1}))


main()
