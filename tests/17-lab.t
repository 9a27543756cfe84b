#!/usr/bin/env python3
"""The page of `make lab-replacement`: drawn from recordings, it is well-formed, holds all it needs, and shows what theory says; every
sentence on it is held to the numbers; and what the programs print today can still be drawn, and is the same each time."""
import shutil
import tempfile
import xml.etree.ElementTree

from harness import *

sys.path.insert(0, str(ROOT / "tools/lab"))
import parse  # noqa: E402 -- found through the path set above
import replacement  # noqa: E402
import svg  # noqa: E402
from page import page_html  # noqa: E402

TOOL = "tools/lab/replacement.py"
# Recordings of a small run: what each experiment printed, as the tool keeps it.
RECORDINGS = ROOT / "tests/lab"
FIGURES = ("anomaly", "walk", "program", "locality", "windows", "thrash", "prefetch", "policies", "demand")
# Sizes of letters in the charts (tools/lab/page.py), and how wide a letter is, in the mean, for its height.
LETTER_HEIGHTS = {"tick": 12, "title": 14, "label": 14}
LETTER_HEIGHT = 13
LETTER_WIDTH = 0.55


def laboratory(*arguments):
    """Runs the tool; returns (status, what it said, the page's text or None)."""
    with tempfile.TemporaryDirectory() as directory:
        page = pathlib.Path(directory) / "page.html"
        done = subprocess.run([TOOL, *arguments, page], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr, page.read_text(encoding="utf-8") if page.exists() else None


def draw(recordings=RECORDINGS):
    """The page, or what is missing for it."""
    try:
        return page_html(replacement.TITLE, replacement.LEAD, replacement.draw(recordings))
    except parse.MissingOutput as error:
        return str(error)


def text_box(text):
    """(left, top, right, bottom) of a text of a chart, as far as can be told without fonts; None for one that is turned."""
    if "transform" in text.attrib:
        return None
    classes = text.get("class", "").split()
    height = next((LETTER_HEIGHTS[name] for name in classes if name in LETTER_HEIGHTS), LETTER_HEIGHT)
    width = len("".join(text.itertext())) * height * LETTER_WIDTH
    left = float(text.get("x")) - (width if "end" in classes else width / 2 if "middle" in classes else 0)
    bottom = float(text.get("y"))
    return left, bottom - height * 0.75, left + width, bottom


def overlaps(chart):
    """Pairs of texts of a chart that lie on each other."""
    boxes = [(text.text, text_box(text)) for text in chart.iter("text") if text_box(text)]
    return [(name, other) for i, (name, a) in enumerate(boxes) for other, b in boxes[i + 1:]
            if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]]


@case("page")
def _(t):
    status, said, page = laboratory("--draw-only", "--recordings", RECORDINGS)
    t.need(status == 0 and page, "is drawn from recordings", said)
    root = xml.etree.ElementTree.fromstring(page)
    t.ok(not re.search(r"https?:|//[a-z]|<script|<link|<img|url\(|@import", page), "it holds all it needs: no address, no script, no other file")
    found = [heading.get("id") for heading in root.iter("h2")]
    t.ok(found == list(FIGURES), "every figure is there", found)
    figures = list(root.iter("figure"))
    t.ok(all(figure.find("figcaption") is not None and list(figure.iter("svg")) for figure in figures), "each has drawings and a caption")
    t.ok(len(list(root.iter("pre"))) == len(FIGURES) and all(len(pre.text.split()) > 2 for pre in root.iter("pre")),
         "and the commands that made it")
    t.ok(len(list(root.iter("table"))) == len(FIGURES) and all(len(list(table.iter("td"))) > 5 for table in root.iter("table")),
         "and the numbers in a table")
    spoken = [[(part.tag, len(part.text or "")) for part in svg][:2] for svg in root.iter("svg")]
    t.ok(all([tag for tag, _ in words] == ["title", "desc"] and min(length for _, length in words) > 10 for words in spoken),
         "each drawing says in words what it is, and what it shows", spoken)
    colours = set(re.findall(r"var\((--[\w-]+)\)", page))
    t.ok(all(page.count(f"{colour}: ") == 2 for colour in colours), "each colour is defined, for light and for dark paper", colours)


@case("drawings")
def _(t):
    root = xml.etree.ElementTree.fromstring(draw())
    for svg in root.iter("svg"):
        _, _, width, height = map(float, svg.get("viewBox").split())
        boxes = [text_box(text) for text in svg.iter("text") if text_box(text)]
        inside = all(left >= 0 and top >= 0 and right <= width and bottom <= height for left, top, right, bottom in boxes)
        t.ok(inside and not overlaps(svg), f"{svg.find('title').text}: no text is cut off, or lies on another", overlaps(svg) or boxes)


def table_of(root, figure):
    """The table below a figure, as a dictionary of its rows by their first column."""
    headings = [heading.get("id") for heading in root.iter("h2")]
    table = list(root.iter("table"))[headings.index(figure)]
    head, *rows = [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")]
    return {row[0]: dict(zip(head[1:], row[1:])) for row in rows}


@case("anomaly")
def _(t):
    root = xml.etree.ElementTree.fromstring(draw())
    faults = table_of(root, "anomaly")
    t.ok((faults["3"]["fifo"], faults["4"]["fifo"]) == ("9", "10"), "fifo has 9 faults with 3 frames, 10 with 4")
    t.ok((faults["3"]["lru"], faults["4"]["lru"]) == ("10", "8"), "lru 10, then 8")
    t.ok((faults["3"]["opt"], faults["4"]["opt"]) == ("7", "6"), "opt 7, then 6")
    figure = next(root.iter("figure"))
    marked = {svg.find("title").text.split()[-1] for svg in figure.iter("svg") if "curve rise" in [path.get("class") for path in svg.iter("path")]}
    rising = {policy for policy in faults["1"] if int(faults["4"][policy]) > int(faults["3"][policy])}
    t.ok("fifo" in rising and marked - {"opt"} == rising, "where a curve rises, the drawing marks it, and nowhere else", marked ^ rising)
    rise = next(path.get("d") for path in figure.iter("path") if path.get("class") == "curve rise")
    (left, low), (right, high) = [tuple(map(float, point.split())) for point in re.findall(r"[ML]([\d.]+ [\d.]+)", rise)]
    t.ok(left < right and high < low, "more frames lie to the right, more faults higher", rise)


@case("heat table")
def _(t):
    policies, rows = parse.read_policies(parse.Recording(RECORDINGS, "policies"))
    root = xml.etree.ElementTree.fromstring(draw())
    figures = dict(zip([heading.get("id") for heading in root.iter("h2")], root.iter("figure")))
    cells = [float(cell.get("style").split(":")[1]) for cell in figures["policies"].iter("rect") if cell.get("class") == "cell"]
    table = [cells[row * len(rows):(row + 1) * len(rows)] for row in range(len(policies))]
    t.ok(all(shade == 0 for shade in table[policies.index("opt")]), "opt has the colour of the fewest faults", table)
    always = [(faults[row] == references, table[row][column] == 1) for column, (_, references, faults) in enumerate(rows)
              for row in range(len(policies)) if references > faults[-1]]
    t.ok(any(fact for fact, _ in always) and all(fact == shade for fact, shade in always), "a fault on every reference has the deepest", table)


@case("walk")
def _(t):
    root = xml.etree.ElementTree.fromstring(draw())
    walk = list(root.iter("figure"))[FIGURES.index("walk")]
    came = [rect for rect in walk.iter("rect") if rect.get("class") == "came"]
    stars = [text for text in walk.iter("text") if text.text == "★"]
    t.ok(len(came) == len(stars) == 9 + 10, "a star and a filled field for each fault: 9 with 3 frames, 10 with 4", (len(came), len(stars)))
    steps = parse.read_walk(parse.Recording(RECORDINGS, "walk"))
    t.ok(steps[3][6] == (4, [4, 0, 1], True) and steps[4][6] == (4, [4, 1, 2, 3], True), "the seventh reference, as on paper", steps)


@case("table of thrash")
def _(t):
    read = parse.read_thrash(parse.Recording(RECORDINGS, "thrash"))
    rows = re.findall(r"^ +off +(\d+) +(\d+) % +(\d+) +(\d+) +\d+ +(\d+)$", (RECORDINGS / "thrash.txt").read_text(), re.MULTILINE)
    t.ok([tuple(map(str, (load.processes, load.utilisation, load.rounds, load.faults, load.suspensions))) for load in read.curves["off"]]
         == rows, "every row of it is read, each number into its field", (read.curves["off"], rows))
    t.ok({control: [load.processes for load in loads] for control, loads in read.curves.items()}
         == dict.fromkeys(("off", "workingset", "pff"), list(range(1, 8))), "under each control, from one process to seven", read.curves)
    t.ok((read.pages, read.room) == (106, 3), "what a process uses, and for how many there is room", read)


# ---- What is said, and the numbers ----

# For each sentence below the figures, in order: a change of a recording (pattern, replacement) that makes it false.
FALSE = {
    "anomaly": [("anomaly", "fifo,4,12,10,", "fifo,4,12,8,"), ("anomaly", "lru,4,12,8,", "lru,4,12,9,"),
                ("belady-opt", "7 faults with 3 frames", "8 faults with 3 frames"), ("anomaly", "lru,2,12,12,", "lru,2,12,9,"),
                ("anomaly", "arc,4,12,7,", "arc,4,12,5,"), ("anomaly", "mfu,6,12,5,", "mfu,6,12,6,")],
    "walk": [("walk", r"\| \* 4 came in first", "| 4 came in first"), ("walk", r"^( +\d r \|) +\S+ +\S+ +\S+ \|", r"\1 - - - |")],
    "program": [("frames", "clock,32,(\\d+),\\d+", r"clock,32,\1,9"), ("frames", "lru,16,(\\d+),\\d+", r"lru,16,\1,99999"),
                ("frames", "lru,2,(\\d+),\\d+", r"lru,2,\1,500000")],
    "locality": [("locality", r"^( +800 +)\d+", r"\g<1>70"), ("locality", r"^( +420 +)\d+", r"\g<1>200"),
                 ("locality", r"^( +560 +)\d+", r"\g<1>98"), ("locality", r"^( +620 +\d+ +)\d+", r"\g<1>300")],
    "windows": [("windows", "^500,[^,]+", "500,8.0"), ("windows", "^500,[^,]+", "500,15.5")],
    "thrash": [("thrash", r"^( +off +1 +)\d+ %", r"\1 100 %"), ("thrash", r"^( +off +7 +)\d+ %", r"\1 60 %"),
               ("thrash", r"^( +off +7 +\d+ % +\d+ +)\d+", r"\1 0"), ("thrash", r"^( +pff +7 +\d+ % +)\d+", r"\1 3"),
               ("thrash", r"^( +pff +4 +\d+ % +)\d+", r"\1 100"), ("thrash", r"^( +workingset +2 .* )\d+$", r"\1 1")],
    "prefetch": [("prefetch", r"^( +4 +)26( +26 +102)", r"\1 27\2"), ("prefetch", r"^( +2 +43 +43 +85 +)0", r"\1 1"),
                 ("prefetch", r"^( +32 +4 +.*  )\d+ us", r"\1 20000 us"), ("prefetch", r"^( +16 +8 +8 +8 +)\d+", r"\1 7")],
    "policies": [("policies", r"^( +loop .* )\d+$", r"\1 60"), ("policies", r"^( +\S+ +\d+ +\d+ +)\d+(?= .*\d$)", r"\g<1>20"),
                 ("policies", r"^( +loop +\d+ +)\d+", r"\1 399"), ("policies", r"^( +80/20 +\d+ +)\d+", r"\1 90"),
                 ("policies", r"^( +scan .* )\d+( +\d+)$", r"\1 270\2"), ("policies", r"^( +phases .* )253", r"\1 99"),
                 ("policies", r"^( +rows +\d+ +\d+ +)\d+", r"\1 21")],
    "demand": [("demand", r"C = \d+ ", "C = 50 "), ("demand", r"a fault F = \d+", "a fault F = 99999"),
               ("prefetch", r"(swap area:(?s:.)*?^ +0 +128 .*  )\d+ us", r"\1 64 us")],
}


def claims_of(directory):
    return {figure.name: figure.claims for figure in replacement.draw(directory)}


@case("sentences")
def _(t):
    claims = claims_of(RECORDINGS)
    false = [claim.text for figure in claims.values() for claim in figure if not claim.holds]
    t.ok(not false, "all are true of the recordings", false)
    t.ok({name: len(figure) for name, figure in claims.items()} == {name: len(changes) for name, changes in FALSE.items()},
         "each can be made false by a number below")
    for name, changes in FALSE.items():
        for number, (recording, pattern, replaced) in enumerate(changes):
            with tempfile.TemporaryDirectory() as directory:
                copy = pathlib.Path(shutil.copytree(RECORDINGS, pathlib.Path(directory) / "lab"))
                text = (copy / f"{recording}.txt").read_text(encoding="utf-8")
                command, _, printed = text.partition("\n")
                changed = re.sub(pattern, replaced, printed, flags=re.MULTILINE)
                (copy / f"{recording}.txt").write_text(f"{command}\n{changed}", encoding="utf-8")
                claim = claims_of(copy)[name][number]
                t.ok(changed != printed and not claim.holds, f"{name}, {number + 1}: false when {recording} has another number",
                     claim.text)


@case("a false sentence")
def _(t):
    with tempfile.TemporaryDirectory() as directory:
        copy = pathlib.Path(shutil.copytree(RECORDINGS, pathlib.Path(directory) / "lab"))
        recording = copy / "belady-fifo.txt"
        recording.write_text(recording.read_text(encoding="utf-8").replace("10 with 4", "8 with 4"), encoding="utf-8")
        status, said, page = laboratory("--draw-only", "--recordings", copy)
    t.ok(status == 1 and re.search(r"figure 1, anomaly: \[ NO \] on live pages fifo", said), "is an error, and said with its figure", said)
    t.ok(page and page.count(">NO<") == 1, "and stands on the page as such")


@case("labels")
def _(t):
    generator = random.Random(SEED)
    for _ in range(100):
        places = [generator.uniform(0, 100) for _ in range(generator.randrange(1, 9))]
        moved = svg.spread(places, 15)
        apart = sorted(moved)
        good = (all(after - before > 14.999 for before, after in zip(apart, apart[1:]))
                and sorted(range(len(places)), key=places.__getitem__) == sorted(range(len(places)), key=moved.__getitem__))
        if not good:
            break
    t.ok(good, f"are moved apart, and keep their order (seed={SEED})", (places, moved))
    t.ok(svg.spread([10, 50], 15) == [10, 50], "stay where they are when there is room")


@case("missing output")
def _(t):
    names = sorted(file.stem for file in RECORDINGS.glob("*.txt"))
    t.ok(len(names) > len(FIGURES), "there are recordings", names)
    for name in names:
        with tempfile.TemporaryDirectory() as directory:
            copy = pathlib.Path(shutil.copytree(RECORDINGS, pathlib.Path(directory) / "lab"))
            recording = copy / f"{name}.txt"
            command = recording.read_text(encoding="utf-8").partition("\n")[0]
            recording.unlink()
            said = draw(copy)
            t.ok(f"{name}.txt: there is no such recording" in said, f"without {name}, it is named", said)
            # What is drawn from the trace is what the simulator made of it: of that run only the command is shown.
            if name != "trace":
                recording.write_text(command + "\npanic: something else\n", encoding="utf-8")
                said = draw(copy)
                t.ok(f"{name}.txt" in said and command[2:] in said and "missing" in said, f"{name} without its figures: named, with its command",
                     said)
    with tempfile.TemporaryDirectory() as directory:
        status, said, page = laboratory("--draw-only", "--recordings", directory)
    t.ok(status == 1 and page is None and "anomaly.txt" in said and "Traceback" not in said, "that is an error, and no page is written", said)


@case("failing experiment")
def _(t):
    with tempfile.TemporaryDirectory() as directory:
        status, said, page = laboratory("--jobs", "1", "--recordings", directory, "--program", "/bin/nonexistent")
    t.ok(status == 1 and page is None and "trace" in said and "/bin/nonexistent" in said and "Traceback" not in said,
         "an experiment that fails is named, with its command", said)


# Those that take no more than a moment, with a small program in place of the shell; thrash runs in tests/31-load.t.
QUICK = "trace,locality,prefetch,demand,anomaly,walk,belady-fifo,belady-lru"
# Once is enough for what takes longest: the others show that nothing depends on when or where it runs.
ONCE = ",belady-lru"


@case("run")
def _(t):
    with tempfile.TemporaryDirectory() as directory:
        copy = pathlib.Path(shutil.copytree(RECORDINGS, pathlib.Path(directory) / "lab"))
        status, said, page = laboratory("--recordings", copy, "--program", "/bin/true", "--only", f"{QUICK},policies")
        t.need(status == 0 and page, "what the programs print today can be drawn", said)
        t.ok("All " in page and "/bin/true" in page, "the traced program is named")
        kept = (copy / "thrash.txt").read_text(encoding="utf-8") == (RECORDINGS / "thrash.txt").read_text(encoding="utf-8")
        t.ok(kept, "what was not asked for is not run again")
        first = {file.name: file.read_bytes() for file in copy.iterdir()}
        laboratory("--recordings", copy, "--program", "/bin/true", "--only", QUICK.removesuffix(ONCE))
        differing = [name for name, content in first.items() if (copy / name).read_bytes() != content]
        t.ok(len(first) > 14 and not differing, "and are the same a second time, to the last byte", differing)
        status, said, page = laboratory("--recordings", copy, "--only", "trash")
    t.ok(status == 1 and page is None and "trash" in said and "thrash" in said, "an unknown experiment: the list", said)


main()
