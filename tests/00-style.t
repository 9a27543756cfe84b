#!/usr/bin/env python3
"""The house rules that a program can check: layers, headers that stand alone, lengths, nothing left to do."""
import concurrent.futures

from harness import *

# The longest function and file that the style guide allows.
FUNCTION_LINES = 80
FILE_LINES = 600

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
KERNEL_PARTS = ("boot", "kernel", "mm", "drivers", "tests/kernel")


def sources(*suffixes, parts=("boot", "kernel", "mm", "drivers", "user", "tests", "tools")):
    return sorted(path for part in parts for path in ROOT.joinpath(part).rglob("*") if path.suffix in suffixes and path.is_file())


def relative(path):
    return path.relative_to(ROOT).as_posix()


def layers():
    lines = (ROOT / "tests/layers.txt").read_text(encoding="utf-8").splitlines()
    return [line.split() for line in lines if line.strip() and not line.startswith("#")]


def layer_of(name, order):
    """The number of the layer a file belongs to, or None."""
    return next((number for number, patterns in enumerate(order) if any(fnmatch.fnmatchcase(name, p) for p in patterns)), None)


def includes(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if match := INCLUDE.match(line):
            yield number, match[1]


def all_fine(t, what, complaints):
    t.ok(not complaints, what, "\n".join(complaints))


@case("layers")
def _(t):
    order = layers()
    complaints = []
    for path in sources(".c", ".h", ".S", parts=KERNEL_PARTS):
        own = layer_of(relative(path), order)
        if own is None:
            complaints.append(f"{relative(path)}: in no layer")
            continue
        for number, included in includes(path):
            other = layer_of(included, order)
            if other is None or not (ROOT / included).exists():
                complaints.append(f"{relative(path)}:{number}: {included} is not a root-relative path into a layer")
            elif other > own:
                complaints.append(f"{relative(path)}:{number}: {included} is above it")
    all_fine(t, "no include reaches upward", complaints)


def compile_alone(header):
    """What the compiler has to say about a header on its own, with the flags of the program that it is part of."""
    name = relative(header)
    flags = "user" if name.startswith(("user/", "tests/user/")) else "pagesim" if name.startswith("tools/pagesim/") else "kernel"
    command = (BUILD / "stamp" / flags).read_text(encoding="utf-8").split()
    done = subprocess.run(command + ["-Werror", "-fsyntax-only", "-x", "c", "-"], input=f'#include "{relative(header)}"\n',
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout if done.returncode else None


@case("headers")
def _(t):
    headers = [path for path in sources(".h") if not relative(path).startswith("tests/host/")]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        complaints = [complaint for complaint in pool.map(compile_alone, headers) if complaint]
    all_fine(t, "each header compiles alone", complaints)
    all_fine(t, "each header has #pragma once",
             [relative(path) for path in headers if "#pragma once" not in path.read_text(encoding="utf-8")])


@case("function length")
def _(t):
    listing = subprocess.run(["ctags", "-f", "-", "--fields=+ne", "--kinds-C=f", "--languages=C", *map(relative, sources(".c", ".h"))],
                             stdout=subprocess.PIPE, text=True, check=True).stdout
    complaints = []
    for line in listing.splitlines():
        fields = dict(field.split(":", 1) for field in line.split("\t")[3:] if ":" in field)
        length = int(fields["end"]) - int(fields["line"]) + 1
        if length > FUNCTION_LINES:
            name, path = line.split("\t")[:2]
            complaints.append(f"{path}:{fields['line']}: {name} has {length} lines")
    all_fine(t, f"no function is longer than {FUNCTION_LINES} lines", complaints)


@case("file length")
def _(t):
    complaints = []
    for path in sources(".c", ".h", ".S", ".py", ".sh", ".t"):
        length = len(path.read_text(encoding="utf-8").splitlines())
        if length >= FILE_LINES:
            complaints.append(f"{relative(path)} has {length} lines")
    all_fine(t, f"every file has fewer than {FILE_LINES} lines", complaints)


@case("unfinished")
def _(t):
    complaints = [f"{relative(path)}:{number}: {line.strip()}"
                  for path in sources(".c", ".h", ".S", ".py", ".sh") if relative(path)
                  for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if UNFINISHED.search(line)]
    all_fine(t, "nothing is marked as left to do", complaints)


main()
