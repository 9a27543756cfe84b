"""The figures of the page: from what was read to drawings, captions and tables. Each function makes one Figure. A caption says what is
drawn and why; what came out is said by claims.py, which holds it to the numbers."""
import dataclasses

import claims
import parse
from claims import rises
from svg import Chart, number_text, points_text, power_text, short_text

PANEL = (220, 178)      # width and height of one of many small charts
HALF = (440, 320)
WIDE = (580, 350)
TABLE_WIDTH = 660

# A line in a log-log chart has its lowest point where less than this would not be seen.
RARE = 1e-5


@dataclasses.dataclass
class Figure:
    """`caption` is HTML; `charts` and `panels` are SVG; a table is (head, rows); `layout`: wide, pair or table."""
    name: str
    title: str
    caption: str
    charts: list
    layout: str
    claims: list
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
    return chart.svg("Page faults against frames for fifo, lru and opt", "Faults by the number of frames. "
                     + "; ".join(f"{policy}: {points_text(curves[policy])}" for policy in ("fifo", "lru", "opt")))


def panel(curves, policy, **scales):
    """One policy among all others: its curve in colour, opt's dashed, the others' pale."""
    chart = Chart(*PANEL, left=44, right=10, top=26, bottom=44)
    points = curves[policy]
    frames = [number for number, _ in points]
    everything = [faults for other in curves.values() for _, faults in other]
    chart.scale((frames[0], frames[-1]), (min(everything) if scales else 0, max(everything)), ticks_x=5, ticks_y=4, **scales)
    chart.axes("frames", "", ticks_x=frames if len(frames) < 8 else None, labels_y=short_text)
    for other, pale in curves.items():
        if other not in (policy, "opt"):
            chart.line(pale, "faint", "curve thin")
    chart.line(curves["opt"], colour_of("opt"), "curve dashed")
    chart.line(points, colour_of(policy))
    chart.put(chart.left, 14, policy, "title", colour_of(policy))
    if rises(points) and not scales:
        mark_rises(chart, points)
        chart.put(chart.right, 14, "anomaly", "tick end", "warning")
    return chart.svg(f"Page faults against frames under {policy}", f"{points[0][1]:,} faults with {frames[0]} frames, {points[-1][1]:,} with "
                     f"{frames[-1]}; the numbers of all policies are in the table")


def anomaly(sweep, runs):
    """`runs`: {policy: recording of the program belady}."""
    curves, _ = parse.read_sweep(sweep)
    live = {policy: parse.read_belady(recording) for policy, recording in runs.items()}
    guilty = [policy for policy, points in curves.items() if rises(points)]
    pages = curves["opt"][-1][1]
    caption = ("The lecture’s string, <b>0 1 2 3 0 1 4 0 1 2 3 4</b>. One would expect that more memory never hurts, and under <b>fifo</b> it "
               "does: the red line rises. <b>lru</b> and <b>opt</b> are <b>stack algorithms</b>: the pages that they keep in 3 frames are "
               "among those that they keep in 4, so that their curves cannot rise. Lines are what the simulator counted, rings what the "
               "program belady counted on live pages. In the small charts each policy in its turn, opt dashed, all others pale; the "
               f"anomaly shows for {', '.join(guilty)}.")
    return Figure("anomaly", "More frames, more faults: Belady’s anomaly", caption, [anomaly_chart(curves, live)], "wide",
                  claims.anomaly(curves, live, pages), [sweep.command, *(recording.command for recording in runs.values())],
                  sweep_table(curves), [panel(curves, policy) for policy in curves])


# ---- The same, step by step ----

CELL = (46, 27)     # width and height of a step's field
WALK_LEFT = 92


def walk_grid(chart, top, steps):
    """A textbook's table: a column for each reference, a row for each frame, a star where it was a fault."""
    width, height = CELL
    frames = len(steps[0][1])
    chart.put(WALK_LEFT - 12, top + height * 0.7, "reference to", "tick end")
    chart.put(WALK_LEFT - 12, top + height * (frames + 1.7), "fault", "tick end")
    for frame in range(frames):
        chart.put(WALK_LEFT - 12, top + height * (frame + 1.7), f"frame {frame + 1}", "tick end")
    for column, (page, held, fault) in enumerate(steps):
        left = WALK_LEFT + column * width
        chart.put(left + width / 2, top + height * 0.7, page, "title middle")
        for row, there in enumerate(held, 1):
            came = fault and there == page
            chart.field(left, top + row * height, width, height, "came" if came else "held")
            if there is not None:
                chart.put(left + width / 2, top + row * height + height * 0.7, there, "on-cell middle" if came else "number middle")
        if fault:
            chart.put(left + width / 2, top + height * (frames + 1.7), "★", "title middle", "warning")


def walk_chart(walks):
    width, height = CELL
    heights = {frames: (frames + 2) * height + 40 for frames in walks}
    chart = Chart(WALK_LEFT + len(next(iter(walks.values()))) * width + 8, sum(heights.values()))
    top = 0
    for frames, steps in walks.items():
        chart.put(4, top + 18, f"{frames} frames: {sum(fault for _, _, fault in steps)} faults", "label", colour_of("fifo"))
        walk_grid(chart, top + 26, steps)
        top += heights[frames]
    return chart.svg("The lecture’s string under fifo, step by step", "; ".join(
        f"with {frames} frames faults at references " + ", ".join(str(number) for number, step in enumerate(steps, 1) if step[2])
        for frames, steps in walks.items()))


def walk(recording, sweep):
    walks, (curves, _) = parse.read_walk(recording), parse.read_sweep(sweep)
    caption = ("Figure 1 by hand, as in an exam: a column for each reference, a <b>★</b> and a filled field where the page had to come in. "
               "Under fifo it takes the place of the page that came first, used or not. Compare the columns: with more frames pages 0 "
               "and 1 are hits at first, but just therefore they are the oldest when 4 comes in, and from then on each page goes just "
               "before it is wanted.")
    head = ["reference", "page", *(f"in {frames} frames" for frames in walks)]
    rows = [[number, steps[0][0], *(" ".join("–" if page is None else str(page) for page in held) + (" ★" if fault else "")
                                    for _, held, fault in steps)]
            for number, steps in enumerate(zip(*walks.values()), 1)]
    return Figure("walk", "The anomaly, step by step", caption, [walk_chart(walks)], "table", claims.walk(walks, curves),
                  [recording.command], (head, rows))


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
    return chart.svg("Page faults against frames for a real program, on a logarithmic scale", "; ".join(
        f"{policy}: {points_text(curves[policy][::10])}" for policy in MAIN_POLICIES))


def program(trace, sweep):
    curves, references = parse.read_sweep(sweep)
    last, times = claims.worst(curves)
    caption = (f"All {references:,} references of a run of {trace.traced_program()}, traced out of the kernel and replayed through the "
               "kernel’s own policies. Programs have <b>locality</b>: a few frames more, and faults fall by orders of magnitude (the scale "
               "is logarithmic). <b>lru</b> goes by the past, which foretells the future; fifo and random do not look at what is used; "
               "<b>clock</b> has a bit for each page. Faults are more "
               f"under fifo than under lru at {claims.compared(curves, 'fifo', 'lru')} numbers of frames, under fifo than under clock at "
               f"{claims.compared(curves, 'fifo', 'clock')}, under clock than under lru at {claims.compared(curves, 'clock', 'lru')}. How "
               "far lru is from <b>opt</b> is the price of not knowing the future. In the small charts each policy in its turn; "
               f"{last} is the worst at {times} of them.")
    return Figure("program", "Faults against frames for a real program", caption, [program_chart(curves)], "wide",
                  claims.program(curves, references), [trace.command, sweep.command], sweep_table(curves),
                  [panel(curves, policy, log_y=True) for policy in curves])


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
    chart.note(time, size, "working set", "label end", "accent", -2, -12)
    chart.line([(change, 4), (change + window, 4)], "ink", "bracket")
    chart.note(change + window, 4, f"window, {window} ms", "tick", None, 6, 0)
    return chart.svg("The size of the working set over time, through four phases", "Pages in the working set at the end of each phase: "
                     + "; ".join(f"{number}: {part[-1][1]}, of {pages} of the phase" for number, (pages, part) in enumerate(phases, 1)))


def locality(recording):
    window, phases = parse.read_locality(recording)
    caption = ("A program works in one place for a while, then in another. Its <b>working set</b>, the pages used within the window, "
               "follows: it comes to the size of each phase (dashed), and a little more for text and stack. Just after a change it holds "
               f"both phases, until the old pages have been unused for the length of the window, {window} ms. What is resident says what "
               "the program was given, not what it needs.")
    table = ["phase", "pages of the phase", "time, ms", "working set", "resident"], [
        [number, pages, *sample] for number, (pages, part) in enumerate(phases, 1) for sample in part]
    return Figure("locality", "The working set over time", caption, [locality_chart(window, phases)], "wide",
                  claims.locality(window, phases), [recording.command], table)


def missing_rates(windows):
    """Faults for each reference, by window: the slope of the mean size (Denning and Schwartz 1972)."""
    return [((before[0] * after[0]) ** 0.5, max((after[1] - before[1]) / (after[0] - before[0]), RARE))
            for before, after in zip(windows, windows[1:])]


def window_size_chart(windows):
    chart = Chart(*HALF, right=16, top=30)
    chart.put(4, 14, "a: how large it is", "title")
    chart.scale((windows[0][0], windows[-1][0]), (0, max(largest for *_, largest in windows) * 1.05), log_x=True)
    chart.axes("window, references", "pages")
    chart.line([(window, largest) for window, _, largest in windows], "muted")
    chart.line([(window, mean) for window, mean, _ in windows], "accent")
    middle = windows[len(windows) // 2]
    chart.note(middle[0], middle[2], "largest", "label end", "muted", -6, -8)
    chart.note(middle[0], middle[1], "mean", "label", "accent", 8, 16)
    return chart.svg("The size of the working set against the length of the window",
                     "Mean number of pages by window: " + points_text([(window, mean) for window, mean, _ in windows]))


def window_rate_chart(windows):
    rates = missing_rates(windows)
    chart = Chart(*HALF, left=76, right=16, top=30)
    chart.put(4, 14, "b: how often it is left", "title")
    values = [rate for _, rate in rates]
    chart.scale((windows[0][0], windows[-1][0]), (min(values), max(values)), log_x=True, log_y=True)
    chart.axes("window, references", "faults a reference", labels_y=power_text)
    chart.line(rates, "accent")
    chart.dots(rates, "accent", 2.5)
    return chart.svg("The fault rate under a working-set policy against the length of the window",
                     f"It falls from {rates[0][1]:.2g} to {rates[-1][1]:.2g} faults a reference")


def windows_figure(trace, recording):
    windows = parse.read_windows(recording)
    caption = (f"The same run of {trace.traced_program()}, its working set measured exactly. <b>a</b>: a longer window takes in more pages, but ever "
               "more slowly (the scale of the window is logarithmic), since programs come back to what they used. <b>b</b>: the slope "
               "of that curve is the rate at which pages outside the working set are referenced, that is the <b>fault rate</b> if "
               "just the working set is kept in memory. A good window is long enough for faults to be rare, and no longer: what "
               "lies beyond takes memory and saves next to nothing.")
    table = ["window", "mean size", "largest"], [list(row) for row in windows]
    return Figure("windows", "The working-set curve", caption, [window_size_chart(windows), window_rate_chart(windows)], "pair",
                  claims.windows(windows), [trace.command, recording.command], table)


# ---- Thrashing ----

CONTROL_COLOURS = {"off": "warning", "workingset": "accent", "pff": "policy-lru"}


def thrash_chart(thrashing, column, name, title):
    """One field of the results against the number of processes."""
    chart = Chart(*HALF, right=108, top=44)
    chart.put(4, 14, title, "title")
    curves, room = thrashing.curves, thrashing.room
    off = [load.processes for load in curves["off"]]
    most = max(getattr(load, column) for loads in curves.values() for load in loads) * 1.08
    chart.scale((0, off[-1]), (0, most))
    chart.axes("processes", name, ticks_x=off)
    chart.line([(room, 0), (room, most)], "muted", "curve dashed")
    chart.note(room, most, "memory is full", "tick middle", None, 0, -6)
    points = {control: [(load.processes, getattr(load, column)) for load in loads] for control, loads in curves.items()}
    for control, curve in points.items():
        chart.line(curve, CONTROL_COLOURS[control], "curve dashed" if control == "pff" else "curve")
        chart.dots(curve, CONTROL_COLOURS[control], 3)
    chart.end_labels({control: (curve, CONTROL_COLOURS[control]) for control, curve in points.items()})
    return chart.svg(f"{name} against the number of processes", "; ".join(
        f"control={control}: {points_text(curve)}" for control, curve in points.items()))


def thrash(recording):
    thrashing = parse.read_thrash(recording)
    caption = (f"Each process goes through {thrashing.pages} pages in rounds, with a pause after each; memory has room for {thrashing.room} "
               "of them. So far more processes fill each other’s pauses. Beyond, none has the frames "
               "that it needs: each page that comes in pushes out one that is needed at once, all wait for the disk, and the processor "
               "falls idle: <b>thrashing</b>. <b>Load control</b> suspends whole processes, so that the others have their working sets: "
               "by the <b>working-set model</b>, whose sum must fit, or by <b>page-fault frequency</b> (pff), which gives frames to who "
               "faults often, and suspends when there are none to give.")
    table = ["control", "processes", "utilisation, %", "rounds a second", "faults a second", "suspensions"], [
        [control, *dataclasses.astuple(load)] for control, loads in thrashing.curves.items() for load in loads]
    charts = [thrash_chart(thrashing, "utilisation", "processor utilisation, %", "a: how busy the processor is"),
              thrash_chart(thrashing, "rounds", "rounds of work a second", "b: what gets done")]
    return Figure("thrash", "Thrashing, and its cure", caption, charts, "pair", claims.thrash(thrashing), [recording.command], table)


# ---- Prefetch ----

PREFETCH_COLOURS = {"in order": "accent", "at random": "warning"}


def prefetch_time_chart(sweeps):
    chart = Chart(*HALF, right=24, top=30)
    chart.put(4, 14, "a: how long it takes", "title")
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
    return chart.svg("The time of a sweep through the swap area against the number of pages read ahead", "; ".join(
        f"{name}, milliseconds: {points_text([(row[0], row[4] / 1000) for row in rows])}" for name, rows in shown.items()))


def prefetch_use_chart(sweeps):
    """Of the pages that came unasked, at random: how many were used."""
    chart = Chart(*HALF, right=24, top=30)
    chart.put(4, 14, "b: at random: was it worth it?", "title")
    rows = sweeps["at random, the swap area"]
    chart.scale((-0.6, len(rows) - 0.4), (0, max(useful + useless for _, _, useful, useless, _ in rows) * 1.1))
    chart.axes("N, pages read ahead", "pages that came unasked", ticks_x=range(len(rows)), labels_x=lambda place: str(rows[place][0]))
    for place, (_, _, useful, useless, _) in enumerate(rows):
        chart.box(place - 0.32, 0, place + 0.32, useful, "bar", "accent")
        chart.box(place - 0.32, useful, place + 0.32, useful + useless, "bar pale", "warning")
    _, _, useful, useless, _ = rows[-1]
    chart.note(0.4, useful + useless * 0.8, "came for nothing", "label", "warning")
    chart.note(0.4, useful + useless * 0.65, "was used", "label", "accent")
    return chart.svg("Useful and useless pages of a sweep at random", "; ".join(
        f"N = {n}: {useful} used, {useless} for nothing" for n, _, useful, useless, _ in rows))


def prefetch(recording):
    sweeps = parse.read_prefetch(recording)
    caption = ("With each page that must be read come N that follow it, in one transfer of a disk that takes 0.5 ms for it, however much "
               "it brings. Swept <b>in order</b>, every neighbour is wanted a moment later. Of a few pages touched <b>at random</b> most "
               "neighbours come for nothing, and take frames from others; with N so large that nearly all pages come in anyway, that is "
               "no prefetching any more. <b>Anticipation pays where references are sequential.</b>")
    table = ["sweep", "N", "major faults", "useful", "useless", "microseconds"], [
        [name, *row] for name, rows in sweeps.items() for row in rows]
    return Figure("prefetch", "What reading ahead gains", caption, [prefetch_time_chart(sweeps), prefetch_use_chart(sweeps)], "pair",
                  claims.prefetch(sweeps), [recording.command], table)


# ---- The cost of a fault ----

def cost_chart(pages, used, load, fault):
    """N C against U (C + F)."""
    chart = Chart(*HALF, right=24, left=70, top=30)
    chart.put(4, 14, "a: what a program costs", "title")
    chart.scale((0, pages), (0, pages * (load + fault) / 1000 * 1.02))
    chart.axes("U, pages that are used", "thousand instructions")
    even = pages * load / (load + fault)
    chart.line([(even, 0), (even, pages * load / 1000)], "muted", "curve dashed")
    chart.note(even, 0, f"U = {even:.0f}", "tick", None, 6, -6)
    chart.line([(0, pages * load / 1000), (pages, pages * load / 1000)], "muted")
    chart.line([(0, 0), (pages, pages * (load + fault) / 1000)], "accent")
    chart.dots([(used, used * (load + fault) / 1000)], "accent", 4)
    chart.note(used, used * (load + fault) / 1000, "measured", "label", "accent", 10, 8)
    chart.note(pages * 0.86, pages * 0.86 * (load + fault) / 1000, "on demand, U (C + F)", "label end", "accent", -8, -6)
    chart.note(pages, pages * load / 1000, "all at once, N C", "label end", "muted", 0, 18)
    return chart.svg("The cost of a program that is loaded at once, and on demand",
                     f"The lines meet at {even:.0f} of {pages} pages; {used} were used when it was measured")


# Numbers of frames whose fault rates under lru are shown on the curve of the effective access time.
SHOWN_FRAMES = (4, 16, 32, 48)


def access_time(rate, cost):
    """Of an access that takes an instruction, a nanosecond, and faults at that rate."""
    return (1 - rate) + rate * cost


def access_chart(from_memory, from_disk, rates):
    """Effective access times. `rates`: {frames: faults a reference} of the real program."""
    chart = Chart(*HALF, right=24, left=70, top=30)
    chart.put(4, 14, "b: what an access costs", "title")
    low, high = 1e-7, 1.0
    places = [low * 10 ** (step / 8) for step in range(int(8 * 7) + 1)]
    chart.scale((low, high), (1, from_disk), log_x=True, log_y=True)
    chart.axes("p, faults for each access", "effective access time, ns", labels_x=power_text, labels_y=power_text)
    for cost, colour in ((from_disk, "warning"), (from_memory, "accent")):
        chart.line([(rate, access_time(rate, cost)) for rate in places], colour)
    chart.note(0.03, access_time(0.03, from_disk), "from the disk", "label end", "warning", -12, -8)
    chart.note(0.01, access_time(0.01, from_memory), "from memory", "label", "accent", 12, 10)
    for frames, rate in rates.items():
        chart.dots([(rate, access_time(rate, from_disk))], "warning", 4)
        chart.note(rate, access_time(rate, from_disk), f"{frames} frames", "tick", None, 8, 12)
    return chart.svg("The effective access time against the rate of faults", f"From the disk: " + "; ".join(
        f"with {frames} frames p is {rate:.2g} and an access takes {access_time(rate, from_disk):,.0f} nanoseconds" for frames, rate in rates.items()))


def demand(recording, prefetch_recording, sweep):
    pages, used, load, fault = parse.read_demand(recording)
    alone = parse.read_prefetch(prefetch_recording)["in order, the swap area"][0]
    from_disk = 1000 * alone[4] / alone[1]
    curves, references = parse.read_sweep(sweep)
    rates = {frames: faults / references for frames, faults in curves["lru"] if frames in SHOWN_FRAMES}
    caption = (f"<b>a</b>: to load a page along with others takes <b>C</b> = {load:,} instructions, to take a fault <b>F</b> = {fault:,} more, "
               f"as measured. All N = {pages} pages of a program loaded at once cost N C; on demand the U that are used cost U (C + F). "
               "<b>b</b>: the <b>effective access time</b> is (1 − p) m + p times the cost of a fault, with m = 1 ns for an instruction. "
               f"That cost is C + F = {load + fault:,} ns if the page is in memory somewhere, and {from_disk:,.0f} ns if it comes from the disk of 0.5 ms of figure "
               "7. The dots are the fault rates of figure 3 under lru: what more frames buy. One fault in "
               f"{from_disk:,.0f} accesses makes a program half as fast, and that is why the choice of the victim matters.")
    table = ["", "pages", "instructions"], [
        ["N C", pages, pages * load], ["U (C + F), measured", used, used * (load + fault)], ["C", 1, load], ["F", 1, fault],
        *([f"effective access time from the disk with {frames} frames", "", round(access_time(rate, from_disk), 1)]
          for frames, rate in rates.items())]
    return Figure("demand", "What a fault costs", caption, [cost_chart(pages, used, load, fault), access_chart(load + fault, from_disk, rates)],
                  "pair", claims.demand(pages, used, load, fault, from_disk),
                  [recording.command, prefetch_recording.command, sweep.command], table)


# ---- Policies and workloads ----

def excess(faults, best, most):
    """How far from the optimum, 0, towards a fault on every reference, 1."""
    return (faults - best) / (most - best) if most > best else 0


def heat_chart(policies, rows):
    left, top, height, width = 76, 46, 28, (TABLE_WIDTH - 84) / len(rows)
    chart = Chart(TABLE_WIDTH, top + height * len(policies) + 34)
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
    return chart.svg("Faults of every policy for every workload", "The numbers are in the table below. " + "; ".join(
        f"{workload}: from {min(faults)} to {max(faults)} faults of {references} references" for workload, references, faults in rows))


def policies_figure(recording):
    names, rows = parse.read_policies(recording)
    caption = ("Seven workloads on live pages in 16 frames, every policy, each reference seen; the deeper the colour, the further from the "
               "optimum. <b>loop</b> is one page larger than memory, and what comes next is just what fifo, clock and lru throw out. "
               "<b>random</b> has no locality: no policy helps. <b>80/20</b>: a fifth of the pages gets most references. <b>scan</b>: sweeps "
               "over pages that are used once. <b>phases</b>: a few pages for a while, then others. And a matrix, walked by <b>rows</b> as "
               "it lies in memory, and by <b>columns</b>: change the program, not the policy.")
    table = ["workload", "references", *names], [[name, references, *faults] for name, references, faults in rows]
    return Figure("policies", "Every policy, every workload", caption, [heat_chart(names, rows)], "table", claims.policies(names, rows),
                  [recording.command], table)
