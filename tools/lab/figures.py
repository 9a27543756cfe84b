"""The figures of the page: from what was read to drawings, captions and tables. Each function makes one Figure."""
import dataclasses

import parse
from svg import Chart, number_text, power_text, short_text

PANEL = (220, 178)      # width and height of one of many small charts
HALF = (440, 320)
WIDE = (660, 370)

# A line in a log-log chart has its lowest point where less than this would not be seen.
RARE = 1e-5


# What a transfer of a disk takes, in the cost model: 2 ms, with an instruction a nanosecond.
DISK = 2_000_000


@dataclasses.dataclass
class Figure:
    """`caption` is HTML; `charts` are SVG; a table is (head, rows); `layout`: wide, pair or panels."""
    name: str
    title: str
    caption: str
    charts: list
    layout: str
    commands: list
    table: tuple
    panels: list = dataclasses.field(default_factory=list)


def colour_of(policy):
    """The CSS variable of a policy's colour: a name cannot begin with a digit there."""
    return f"policy-{policy}"


def sweep_table(curves):
    frames = [frames for frames, _ in next(iter(curves.values()))]
    faults = {policy: dict(points) for policy, points in curves.items()}
    return ["frames", *curves], [[number, *(faults[policy][number] for policy in curves)] for number in frames]


# ---- Belady's anomaly ----

def rises(points):
    """The parts of a curve where one frame more means more faults."""
    return [(before, after) for before, after in zip(points, points[1:]) if after[1] > before[1]]


def mark_rises(chart, points):
    for before, after in rises(points):
        chart.line([before, after], "warning", "curve rise")


def anomaly_chart(curves, measured):
    """The three textbook policies, and what was counted on live pages."""
    chart = Chart(*WIDE)
    frames = [number for number, _ in curves["fifo"]]
    chart.scale((frames[0], frames[-1]), (0, max(faults for _, faults in curves["fifo"]) + 1), ticks_y=8)
    chart.axes("frames", "page faults", ticks_x=frames)
    for policy in ("opt", "lru", "fifo"):
        chart.line(curves[policy], colour_of(policy))
        chart.dots(curves[policy], colour_of(policy), 3)
    mark_rises(chart, curves["fifo"])
    for policy, faults in measured.items():
        chart.dots(zip((3, 4), faults), colour_of(policy), 8, "ring")
    fifo, lru, opt = (dict(curves[policy]) for policy in ("fifo", "lru", "opt"))
    chart.note(4, fifo[4], f"fifo: {fifo[3]} faults, then {fifo[4]}", "label", colour_of("fifo"), 12, -10)
    chart.note(3, lru[3], f"lru: {lru[3]}, then {lru[4]}", "label", colour_of("lru"), -4, -14)
    chart.note(3, opt[3], f"opt: {opt[3]}, then {opt[4]}", "label end", colour_of("opt"), -4, 20)
    return chart.svg("Page faults against frames for fifo, lru and opt: the curve of fifo rises from 3 to 4 frames")


def panel(curves, policy, name_x, **scales):
    """One policy among all others: its curve in colour, opt's dashed, the others' pale."""
    chart = Chart(*PANEL, left=44, right=10, top=26, bottom=44)
    frames = [number for number, _ in curves[policy]]
    everything = [faults for points in curves.values() for _, faults in points]
    low = min(everything) if scales else 0
    chart.scale((frames[0], frames[-1]), (low, max(everything)), ticks_x=5, ticks_y=4, **scales)
    chart.axes(name_x, "", ticks_x=frames if len(frames) < 8 else None, labels_y=short_text)
    for other, points in curves.items():
        if other not in (policy, "opt"):
            chart.line(points, "faint", "curve thin")
    chart.line(curves["opt"], colour_of("opt"), "curve dashed")
    chart.line(curves[policy], colour_of(policy))
    chart.put(chart.left, 14, policy, "title", colour_of(policy))
    if rises(curves[policy]) and not scales:
        mark_rises(chart, curves[policy])
        chart.put(chart.right, 14, "anomaly", "tick end", "warning")
    return chart.svg(f"Page faults against frames under {policy}")


def anomaly(sweep, fifo, lru):
    curves, references = parse.read_sweep(sweep)
    guilty = [policy for policy, points in curves.items() if rises(points)]
    caption = (f"The lecture’s string 0 1 2 3 0 1 4 0 1 2 3 4 ({references} references to five pages). One would expect that more "
               "memory never hurts. Under <b>fifo</b> it does: with 4 frames there is one fault more than with 3, the red line. "
               "<b>lru</b> and <b>opt</b> are stack algorithms: the pages that they keep in 3 frames are among those that they keep "
               "in 4, so that their curves cannot rise. Rings are what the program belady counted on live pages. In the small "
               "charts each policy in its turn, opt dashed; the anomaly shows for " + ", ".join(guilty) + ".")
    chart = anomaly_chart(curves, {"fifo": parse.read_belady(fifo), "lru": parse.read_belady(lru)})
    return Figure("anomaly", "More frames, more faults: Belady’s anomaly", caption, [chart], "wide",
                  [sweep.command, fifo.command, lru.command], sweep_table(curves), [panel(curves, policy, "frames") for policy in curves])


# ---- A real program ----

MAIN_POLICIES = ("fifo", "random", "clock", "lru", "opt")


def program_chart(curves):
    chart = Chart(*WIDE, left=76, right=70)
    everything = [faults for policy in MAIN_POLICIES for _, faults in curves[policy]]
    frames = [number for number, _ in curves["opt"]]
    chart.scale((frames[0], frames[-1]), (min(everything), max(everything)), log_y=True, ticks_x=10)
    chart.axes("frames", "page faults")
    for policy in MAIN_POLICIES:
        chart.line(curves[policy], colour_of(policy), "curve dashed" if policy == "opt" else "curve")
    chart.end_labels({policy: (curves[policy], colour_of(policy)) for policy in MAIN_POLICIES})
    return chart.svg("Page faults against frames for a real program, on a logarithmic scale")


def program(trace, sweep):
    curves, references = parse.read_sweep(sweep)
    caption = (f"All {references:,} references of a run of {trace.traced_program()}, traced out of the kernel and replayed "
               "through the kernel’s own policies. Programs have <b>locality</b>: with a few frames more, faults fall by orders of "
               "magnitude (the scale is logarithmic). <b>fifo</b> and random, who do not look at what is used, are worse than "
               "<b>lru</b> everywhere; <b>clock</b>, with one bit a page, comes close to it. How far even lru is from <b>opt</b> is "
               "the price of not knowing the future. In the small charts each policy in its turn: lfu, clinging to what was "
               "popular at the start, does worst.")
    return Figure("program", "Faults against frames for a real program", caption, [program_chart(curves)], "wide",
                  [trace.command, sweep.command], sweep_table(curves), [panel(curves, policy, "frames", log_y=True) for policy in curves])


# ---- Working sets ----

def locality_chart(window, phases):
    chart = Chart(*WIDE, top=34)
    samples = [sample for _, part in phases for sample in part]
    end, most = samples[-1][0], max(max(resident, size) for _, size, resident in samples)
    chart.scale((0, end), (0, most * 1.08), ticks_x=8)
    start, bounds = 0, []
    for number, (pages, part) in enumerate(phases, 1):
        bounds.append((start, part[-1][0], pages))
        if number % 2:
            chart.box(start, 0, part[-1][0], most * 1.08, "band")
        chart.put((chart.x(start) + chart.x(part[-1][0])) / 2, chart.top - 10, f"phase {number}: {pages} pages", "tick middle")
        start = part[-1][0]
    chart.axes("processor time of the process, ms", "pages")
    for left, right, pages in bounds:
        chart.line([(left, pages), (right, pages)], "muted", "curve dashed")
    chart.line([(time, resident) for time, _, resident in samples], "muted", "curve thin")
    chart.note(end, samples[-1][2], "resident", "label end", "muted", -4, -8)
    points = [(time, size) for time, size, _ in samples]
    chart.line(points, "accent")
    chart.dots(points, "accent", 2.5)
    change, (time, size, _) = bounds[0][1], phases[2][1][-1]
    chart.note(time, size, "working set", "label end", "accent", -14, -12)
    chart.line([(change, 4), (change + window, 4)], "ink", "bracket")
    chart.note(change + window, 4, f"window, {window} ms", "tick", None, 6, 0)
    return chart.svg("The size of the working set over time, through four phases")


def locality(recording):
    window, phases = parse.read_locality(recording)
    caption = ("A program works in one place for a while, then in another. Its <b>working set</b>, the pages used within the window, "
               "follows: in each phase it comes to the size of that phase (dashed) and a few pages of text and stack. Just after "
               f"a change it holds both, until the old pages have been unused for the length of the window, {window} ms. What is "
               "resident only grows as long as nobody needs memory: it says what the program had, not what it needs.")
    table = ["phase", "pages of the phase", "ms", "working set", "resident"], [
        [number, pages, *sample] for number, (pages, part) in enumerate(phases, 1) for sample in part]
    return Figure("locality", "The working set over time", caption, [locality_chart(window, phases)], "wide", [recording.command], table)


def missing_rates(windows):
    """Faults for each reference, by window: the slope of the mean size (Denning and Schwartz 1972)."""
    return [((before[0] * after[0]) ** 0.5, max((after[1] - before[1]) / (after[0] - before[0]), RARE))
            for before, after in zip(windows, windows[1:])]


def window_size_chart(windows):
    chart = Chart(*HALF, right=16, top=30)
    chart.put(4, 14, "a", "title")
    chart.scale((windows[0][0], windows[-1][0]), (0, max(largest for *_, largest in windows) * 1.05), log_x=True)
    chart.axes("window, references", "pages")
    chart.line([(window, largest) for window, _, largest in windows], "muted")
    chart.line([(window, mean) for window, mean, _ in windows], "accent")
    middle = windows[len(windows) // 2]
    chart.note(middle[0], middle[2], "largest", "label end", "muted", -6, -8)
    chart.note(middle[0], middle[1], "mean", "label", "accent", 8, 16)
    return chart.svg("The size of the working set against the length of the window")


def window_rate_chart(windows):
    rates = missing_rates(windows)
    chart = Chart(*HALF, left=76, right=16, top=30)
    chart.put(4, 14, "b", "title")
    values = [rate for _, rate in rates]
    chart.scale((windows[0][0], windows[-1][0]), (min(values), max(values)), log_x=True, log_y=True)
    chart.axes("window, references", "faults a reference")
    chart.line(rates, "accent")
    chart.dots(rates, "accent", 2.5)
    return chart.svg("The fault rate under a working-set policy against the length of the window")


def windows_figure(trace, recording):
    windows = parse.read_windows(recording)
    caption = (f"The same run of {trace.traced_program()}, its working set measured exactly. <b>a</b>: a longer window takes in more pages, but ever "
               "more slowly (the scale of the window is logarithmic), since programs come back to what they used. <b>b</b>: the slope "
               "of that curve is the rate at which pages outside the working set are referenced, that is the <b>fault rate</b> if "
               "just the working set is kept in memory. A good window is long enough for faults to be rare, and no longer: what "
               "lies beyond takes memory and saves next to nothing.")
    table = ["window", "mean size", "largest"], [list(row) for row in windows]
    return Figure("windows", "The working-set curve", caption, [window_size_chart(windows), window_rate_chart(windows)], "pair",
                  [trace.command, recording.command], table)


# ---- Thrashing ----

CONTROL_COLOURS = {"off": "warning", "workingset": "accent", "pff": "policy-lru"}


def thrash_chart(curves, column, name, title):
    """One column of the results against the number of processes."""
    chart = Chart(*HALF, right=108, top=30)
    chart.put(4, 14, "ab"[column - 1], "title")
    off = curves["off"]
    chart.scale((off[0][0], off[-1][0]), (0, max(row[column] for rows in curves.values() for row in rows) * 1.08))
    chart.axes("processes", name, ticks_x=[row[0] for row in off])
    points = {control: [(row[0], row[column]) for row in rows] for control, rows in curves.items()}
    for control, curve in points.items():
        chart.line(curve, CONTROL_COLOURS[control])
        chart.dots(curve, CONTROL_COLOURS[control], 3)
    chart.end_labels({control: (curve, CONTROL_COLOURS[control]) for control, curve in points.items()})
    return chart.svg(title)


def thrash(recording):
    curves = parse.read_thrash(recording)
    best = max(curves["off"], key=lambda row: row[2])
    most = curves["off"][-1]
    caption = (f"<b>a</b>: while memory has room for all their working sets, more processes fill each other’s pauses, and the processor "
               f"is used more: {best[1]} % with {best[0]}. With {most[0]} none has the frames that it needs: each page that comes in "
               "pushes out one that is needed at once, all wait for the disk, and the processor falls idle: <b>thrashing</b>. <b>b</b>: "
               "the work that is done collapses with it. <b>Load control</b> suspends whole processes, so that the others have their "
               "working sets: by the working-set model, whose sum must fit, or by page-fault frequency, which gives and takes frames.")
    table = ["control", "processes", "utilisation, %", "rounds a second", "faults a second", "suspensions"], [
        [control, *row] for control, rows in curves.items() for row in rows]
    charts = [thrash_chart(curves, 1, "processor utilisation, %", "Processor utilisation against the number of processes"),
              thrash_chart(curves, 2, "rounds of work a second", "Throughput against the number of processes")]
    return Figure("thrash", "Thrashing, and its cure", caption, charts, "pair", [recording.command], table)


# ---- Prefetch ----

PREFETCH_COLOURS = {"in order": "accent", "at random": "warning"}


def prefetch_time_chart(sweeps):
    chart = Chart(*HALF, right=24, top=30)
    chart.put(4, 14, "a", "title")
    shown = {name.split(",")[0]: rows for name, rows in sweeps.items() if name.endswith("swap area")}
    places = [row[0] for row in next(iter(shown.values()))]
    most = max(row[4] for rows in shown.values() for row in rows) / 1000
    chart.scale((0, len(places) - 1), (0, most * 1.05))
    chart.axes("N, pages read ahead", "time of the sweep, ms", ticks_x=range(len(places)), labels_x=lambda place: str(places[place]))
    for name, rows in shown.items():
        points = [(place, row[4] / 1000) for place, row in enumerate(rows)]
        chart.line(points, PREFETCH_COLOURS[name])
        chart.dots(points, PREFETCH_COLOURS[name], 3)
        chart.note(1, points[1][1], name, "label", PREFETCH_COLOURS[name], 8, -8)
    return chart.svg("The time of a sweep against the number of pages read ahead")


def prefetch_use_chart(sweeps):
    """Of the pages that came unasked, at random: how many were used."""
    chart = Chart(*HALF, right=24, top=30)
    chart.put(4, 14, "b", "title")
    rows = sweeps["at random, the swap area"]
    chart.scale((-0.6, len(rows) - 0.4), (0, max(useful + useless for _, _, useful, useless, _ in rows) * 1.1))
    chart.axes("N, pages read ahead", "pages that came unasked", ticks_x=range(len(rows)), labels_x=lambda place: str(rows[place][0]))
    for place, (_, _, useful, useless, _) in enumerate(rows):
        chart.box(place - 0.32, 0, place + 0.32, useful, "bar", "accent")
        chart.box(place - 0.32, useful, place + 0.32, useful + useless, "bar", "warning")
    chart.put(chart.left + 14, chart.top + 16, "came for nothing", "label", "warning")
    chart.put(chart.left + 14, chart.top + 36, "was used", "label", "accent")
    return chart.svg("Useful and useless pages of a sweep at random")


def prefetch(recording):
    sweeps = parse.read_prefetch(recording)
    rows = sweeps["in order, the swap area"]
    gain = rows[0][4] / rows[-1][4]
    caption = (f"With each page that must be read come N that follow it, in one transfer of a disk that takes 0.5 ms. <b>a</b>: swept in "
               f"order, every neighbour is wanted a moment later, and N = {rows[-1][0]} makes the sweep {gain:.0f} times as fast. A few "
               "pages touched at random gain little until N is so large that nearly all pages come in. <b>b</b>: there, most of what "
               "comes along is for nothing, and takes frames from others. <b>Anticipation pays where references are sequential.</b>")
    table = ["sweep", "N", "major faults", "useful", "useless", "microseconds"], [
        [name, *row] for name, rows in sweeps.items() for row in rows]
    return Figure("prefetch", "What reading ahead gains", caption, [prefetch_time_chart(sweeps), prefetch_use_chart(sweeps)], "pair",
                  [recording.command], table)


# ---- The cost of a fault ----

def cost_chart(pages, used, load, fault):
    """N C against U (C + F)."""
    chart = Chart(*HALF, right=24, left=70, top=30)
    chart.put(4, 14, "a", "title")
    chart.scale((0, pages), (0, pages * (load + fault) / 1000 * 1.02))
    chart.axes("U, pages that are used", "thousand instructions")
    chart.line([(0, pages * load / 1000), (pages, pages * load / 1000)], "muted")
    chart.line([(0, 0), (pages, pages * (load + fault) / 1000)], "accent")
    chart.dots([(used, used * (load + fault) / 1000)], "accent", 4)
    chart.note(used, used * (load + fault) / 1000, "measured", "label", "accent", 10, 8)
    chart.note(pages * 0.86, pages * 0.86 * (load + fault) / 1000, "on demand, U (C + F)", "label end", "accent", -8, -6)
    chart.note(pages, pages * load / 1000, "all at once, N C", "label end", "muted", 0, 18)
    return chart.svg("The cost of a program that is loaded at once, and on demand")


def slowdown_chart(fault):
    """Effective access time, in the time of an access that does not fault, by the rate of faults: 1 - p + p F."""
    chart = Chart(*HALF, right=24, left=70, top=30)
    chart.put(4, 14, "b", "title")
    rates = [10 ** (exponent / 4) for exponent in range(-32, 1)]
    chart.scale((rates[0], 1), (1, DISK + fault), log_x=True, log_y=True)
    chart.axes("p, faults for each access", "times as slow", labels_x=power_text, labels_y=power_text)
    for cost, colour, name, at in ((DISK + fault, "warning", "from a disk of 2 ms", 1e-3), (fault, "accent", "from memory", 1e-2)):
        chart.line([(rate, 1 - rate + rate * cost) for rate in rates], colour)
        chart.note(at, 1 + at * cost, name, "label end", colour, -10, -4)
    return chart.svg("The slowdown by page faults against their rate")


def demand(recording):
    pages, used, load, fault = parse.read_demand(recording)
    share, rare, rarer = 100 * load // (load + fault), 1e-4, 1e-6
    caption = (f"<b>a</b>: a program of N = {pages} pages. To load a page takes C = {load:,} instructions, to take a fault F = {fault:,}, as "
               f"measured. Loaded at once it costs N C, on demand U (C + F) for the U pages that are used: cheaper below {share} % of the "
               "program. <b>b</b>: the <b>effective access time</b>, (1 − p) + p F in the time of one access. A fault served from memory "
               f"at one in {1 / rare:,.0f} accesses makes a program {1 + rare * fault:.1f} times as slow; with a disk behind it, one in "
               f"{1 / rarer:,.0f} makes it {1 + rarer * (DISK + fault):.1f} times as slow. That is why the choice of the victim matters.")
    table = ["", "pages", "instructions"], [["N C", pages, pages * load], ["U (C + F), measured", used, used * (load + fault)],
                                            ["C", 1, load], ["F", 1, fault]]
    return Figure("demand", "What a fault costs", caption, [cost_chart(pages, used, load, fault), slowdown_chart(fault)], "pair",
                  [recording.command], table)


# ---- Policies and workloads ----

def excess(faults, best, most):
    """How far from the optimum, 0, towards a fault on every reference, 1."""
    return (faults - best) / (most - best) if most > best else 0


def heat_chart(policies, rows):
    left, top, height, width = 76, 46, 28, (WIDE[0] - 84) / len(rows)
    chart = Chart(WIDE[0], top + height * len(policies) + 34)
    for column, (workload, references, _) in enumerate(rows):
        chart.put(left + (column + 0.5) * width, 18, workload, "title middle")
        chart.put(left + (column + 0.5) * width, 35, f"of {references}", "tick middle")
    for row, policy in enumerate(policies):
        y = top + row * height
        chart.put(left - 8, y + height / 2 + 5, policy, "title end", colour_of(policy))
        for column, (_, references, faults) in enumerate(rows):
            part = excess(faults[row], faults[-1], references)
            chart.add(f'<rect class="cell" x="{left + column * width + 1:.1f}" y="{y + 1}" width="{width - 2:.1f}" height="{height - 2}" '
                      f'style="fill-opacity:{part:.3f}"/>')
            classes = "on-cell middle" if part > 0.65 else "number middle"
            chart.put(left + (column + 0.5) * width, y + height / 2 + 5, number_text(faults[row]), classes)
    y = top + height * len(policies) + 12
    chart.put(left + 132, y + 11, "as few faults as opt", "tick end")
    for step in range(11):
        chart.add(f'<rect class="cell" x="{left + 140 + step * 14}" y="{y}" width="14" height="14" style="fill-opacity:{step / 10}"/>')
    chart.put(left + 140 + 11 * 14 + 8, y + 11, "a fault on every reference", "tick")
    return chart.svg("Faults of every policy for every workload")


def policies_figure(recording):
    policies, rows = parse.read_policies(recording)
    caption = ("Seven workloads on live pages in 16 frames, every policy, each reference seen. No policy is best everywhere. A "
               "<b>loop</b> one page larger than memory is the worst case of fifo, clock and lru: each throws out just what comes "
               "next, and chance does better. <b>80/20</b>: the past foretells the future, and lru gains; mfu does the opposite. "
               "<b>scan</b>: sweeps over pages that are used once flush the hot set out of lru, while arc, 2q and lfu keep it. "
               "<b>phases</b>: lfu clings to what was popular once. A matrix walked by <b>rows</b> as it lies in memory costs a fault a "
               "page; by <b>columns</b>, one a reference: change the program, not the policy. Nobody beats opt.")
    table = ["workload", "references", *policies], [[name, references, *faults] for name, references, faults in rows]
    return Figure("policies", "Every policy, every workload", caption, [heat_chart(policies, rows)], "wide", [recording.command], table)
