"""What theory says of each figure, held to what was measured: every sentence here is computed from the recordings, its numbers and
whether it is true. A sentence that is not true stands on the page as such, and the tool ends with an error.
"""
import dataclasses

# Of a program's working set, pages that are no phase's: text, stack, library (user/locality.c).
OTHERS = 24

# Of the simulator's mean sizes, at most: twice half of the last digit.
ROUNDING = 0.001

# What is left of the work done, under load control, where that is not notably less.
NOTABLY_LESS = 0.9


@dataclasses.dataclass
class Claim:
    text: str
    holds: bool


def rises(points):
    """The parts of a curve where one frame more means more faults."""
    return [(before, after) for before, after in zip(points, points[1:]) if after[1] > before[1]]


def pair(faults):
    return f"{faults[3]} faults with 3 frames, {faults[4]} with 4"


def never_beaten(curves):
    return Claim("opt, which knows the future, has the fewest faults, whatever the number of frames",
                 all(faults >= least for points in curves.values() for (_, faults), (_, least) in zip(points, curves["opt"])))


def stack_algorithms(curves):
    return Claim("the curves of lru and opt, the stack algorithms, rise nowhere", not rises(curves["lru"]) and not rises(curves["opt"]))


def anomaly(curves, live, pages):
    """`live`: {policy: (faults with 3 frames, with 4)} as counted on live pages; `pages` in the string."""
    faults = {policy: dict(points) for policy, points in curves.items()}
    fifo = faults["fifo"]
    return [
        Claim(f"fifo: {pair(fifo)}, as on paper: more memory, more faults", (fifo[3], fifo[4]) == (9, 10)),
        Claim(f"lru: {pair(faults['lru'])}; opt: {pair(faults['opt'])}, as on paper",
              (faults["lru"][3], faults["lru"][4], faults["opt"][3], faults["opt"][4]) == (10, 8, 7, 6)),
        Claim(f"on live pages {', '.join(live)} came to the same numbers as in the simulator",
              all(count == (faults[policy][3], faults[policy][4]) for policy, count in live.items())),
        stack_algorithms(curves),
        never_beaten(curves),
        Claim(f"with a frame for each of the {pages} pages every policy faults once a page",
              all(policy[number] == pages for policy in faults.values() for number in policy if number >= pages)),
    ]


def walk(walks, curves):
    """`walks`: {frames: [(page, [the page in each frame], whether it was a fault)]}, of fifo."""
    few, many = sorted(walks)
    stars = {frames: sum(fault for _, _, fault in steps) for frames, steps in walks.items()}
    lost = sum(not set(small) - {None} <= set(large) for (_, small, _), (_, large, _) in zip(walks[few], walks[many]))
    return [
        Claim(f"{stars[few]} stars with {few} frames, {stars[many]} with {many}: the faults of figure 1",
              all(dict(curves["fifo"])[frames] == count for frames, count in stars.items())),
        Claim(f"fifo is no stack algorithm: after {lost} of the {len(walks[few])} references {few} frames hold a page that {many} do not",
              lost > 0),
    ]


def program(curves, references):
    first, last = curves["lru"][0], curves["lru"][-1]
    return [
        never_beaten(curves),
        stack_algorithms(curves),
        Claim(f"locality: under lru {first[0]} frames already serve {100 - 100 * first[1] / references:.0f} % of {references:,} references; "
              f"with {last[0]} frames there are {first[1] / last[1]:,.0f} times fewer faults",
              first[1] < references / 2 and last[1] < first[1] / 2),
    ]


def compared(curves, left, right):
    """At how many numbers of frames `left` has more faults than `right`, in words."""
    more = sum(a > b for (_, a), (_, b) in zip(curves[left], curves[right]))
    return f"{more} of {len(curves[left])}"


def worst(curves):
    """The policy with the most faults at the most numbers of frames, and at how many that is."""
    sizes = len(curves["opt"])
    worst_at = [max(curves, key=lambda policy: curves[policy][i][1]) for i in range(sizes)]
    policy = max(curves, key=worst_at.count)
    return policy, worst_at.count(policy)


def settles(part, start, window):
    """Whether a phase that began at that time has its last size from two windows later on."""
    return all(size == part[-1][1] for time, size, _ in part if time > start + 2 * window)


def locality(window, phases):
    ends = [(pages, part[-1][1]) for pages, part in phases]
    changes = [(before[0], after[0], after[1][0][1]) for before, after in zip(phases, phases[1:])]
    starts = [0, *(part[-1][0] for _, part in phases)]
    resident = [pages for _, part in phases for _, _, pages in part]
    return [
        Claim("at the end of each phase the working set is the phase’s pages and a few of text, stack and library: "
              + ", ".join(f"{size} for {pages}" for pages, size in ends),
              all(pages <= size <= pages + OTHERS for pages, size in ends)),
        Claim("just after each change it holds the pages of both phases: "
              + ", ".join(f"{size} ≥ {before} + {after}" for before, after, size in changes),
              all(size >= before + after for before, after, size in changes)),
        Claim(f"two windows, {2 * window} ms, after each change it has come to rest",
              all(settles(part, start, window) for (_, part), start in zip(phases, starts))),
        Claim(f"what is resident only grows, to {resident[-1]} pages, since nobody else wants memory",
              all(before <= after for before, after in zip(resident, resident[1:])) and resident[-1] > ends[-1][1]),
    ]


def windows(sizes):
    """`sizes`: [(window, mean, largest)]. The means are rounded, so that slopes are uncertain by as much for a window's step."""
    means = [mean for _, mean, _ in sizes]
    steps = [(after[0] - before[0], after[1] - before[1]) for before, after in zip(sizes, sizes[1:])]
    slopes = [(growth / step, ROUNDING / step) for step, growth in steps]
    return [
        Claim(f"a longer window never means a smaller working set: from {means[0]:.1f} to {means[-1]:.1f} pages in the mean",
              all(before <= after for before, after in zip(means, means[1:]))),
        Claim("it grows ever more slowly: no slope is greater than the one before (Denning and Schwartz 1972)",
              all(after <= before + doubt for (before, doubt), (after, _) in zip(slopes, slopes[1:]))),
    ]


def thrash(thrashing):
    curves, room = thrashing.curves, thrashing.room
    off = curves["off"]
    first, best, most = off[0], max(off, key=lambda load: load.rounds), off[-1]
    cured = [(control, loads[-1]) for control, loads in curves.items() if control != "off"]
    # Where load control does least, against what there is without it.
    price = [(control, *min(zip(loads, off), key=lambda pair: pair[0].rounds / max(pair[1].rounds, 1)))
             for control, loads in curves.items() if control != "off"]
    return [
        Claim(f"more processes make better use of the processor at first: {first.utilisation} % with one, {best.utilisation} % with "
              f"{best.processes}", best.utilisation > first.utilisation and best.rounds > first.rounds),
        Claim(f"beyond the {room} whose pages fit it falls idle: {most.utilisation} % with {most.processes}, and throughput collapses from "
              f"{best.rounds} to {most.rounds} rounds a second",
              best.processes <= room < most.processes and most.utilisation < best.utilisation / 2 and most.rounds < best.rounds / 2),
        Claim(f"it is the disk that all wait for: {best.faults} faults a second with {best.processes} processes, {most.faults} with "
              f"{most.processes}", most.faults > best.faults),
        Claim(f"with load control {most.processes} processes do more than twice the work that they do without: "
              + ", ".join(f"{control} {load.rounds}" for control, load in cured) + f" rounds a second, not {most.rounds}",
              all(load.rounds > 2 * most.rounds for _, load in cured)),
        Claim("and at no number of processes do they do notably less; at worst "
              + ", ".join(f"{control} {load.rounds} and not {without.rounds} with {load.processes}" for control, load, without in price),
              all(load.rounds > NOTABLY_LESS * without.rounds for _, load, without in price)),
        Claim("nobody is suspended while all fit, and somebody is beyond",
              all((load.suspensions > 0) == (load.processes > room) for control in curves if control != "off" for load in curves[control])
              and not any(load.suspensions for load in off)),
    ]


def speedup(rows, n):
    """How many times as fast a sweep is with n pages read ahead as with none."""
    times = {row[0]: row[4] for row in rows}
    return times[0] / times[n]


def prefetch(sweeps):
    orders = [(name, rows) for name, rows in sweeps.items() if name.startswith("in order")]
    at_random = [(name, rows) for name, rows in sweeps.items() if name.startswith("at random")]
    most = orders[0][1][-1][0]
    pages = orders[0][1][0][1]
    return [
        Claim(f"in order: {pages} pages cost {pages} / (N + 1) faults, rounded up, from a file and from the swap area",
              all(row[1] == -(-pages // (row[0] + 1)) for _, rows in orders for row in rows)),
        Claim("in order nothing comes for nothing", not any(row[3] for _, rows in orders for row in rows)),
        Claim(f"in order N = {most} makes the sweep " + " and ".join(f"{speedup(rows, most):.0f}" for _, rows in orders)
              + " times as fast; at random N = 8 makes it " + " and ".join(f"{speedup(rows, 8):.1f}" for _, rows in at_random),
              all(speedup(rows, most) > most / 2 for _, rows in orders) and all(1 <= speedup(rows, 8) < 2 for _, rows in at_random)),
        Claim("at random more pages come for nothing than are used, whatever N is",
              all(row[3] > row[2] for _, rows in at_random for row in rows[1:])),
    ]


def policies(names, rows):
    """`rows`: [(workload, references, [faults by policy])]."""
    faults = {workload: dict(zip(names, counts)) for workload, _, counts in rows}
    references = {workload: count for workload, count, _ in rows}
    loop, hot, scan, phases = faults["loop"], faults["80/20"], faults["scan"], faults["phases"]
    real = [name for name in names if name != "opt"]
    best = {name for name in real if all(counts[name] == min(counts[other] for other in real) for counts in faults.values())}
    return [
        Claim("nobody beats opt", all(count >= counts["opt"] for counts in faults.values() for count in counts.values())),
        Claim("no other policy is best at everything", not best),
        Claim(f"loop: fifo, clock and lru fault on every one of the {references['loop']} references; random on {loop['random']}, opt on "
              f"{loop['opt']}", all(loop[name] == references["loop"] for name in ("fifo", "clock", "lru"))
              and loop["random"] < references["loop"] / 2),
        Claim(f"80/20: the past foretells the future: lru {hot['lru']}, clock {hot['clock']}, fifo {hot['fifo']}; mfu, which bets against "
              f"it, {hot['mfu']}", hot["lru"] <= hot["clock"] < hot["fifo"] < hot["mfu"]),
        Claim(f"scan: sweeps flush the hot set out of lru ({scan['lru']} faults); 2q ({scan['2q']}), arc ({scan['arc']}) and lfu "
              f"({scan['lfu']}) keep it", all(scan[name] < 0.75 * scan["lru"] for name in ("2q", "arc", "lfu"))),
        Claim(f"phases: lfu clings to what was popular once: {phases['lfu']} faults, lru {phases['lru']}",
              phases["lfu"] == max(phases.values()) and phases["lfu"] > 4 * phases["lru"]),
        Claim(f"a matrix by rows costs a fault a page, {faults['rows']['lru']}, under every policy; by columns fifo, clock and lru fault on "
              f"each of the {references['columns']} references",
              len(set(faults["rows"].values())) == 1 and all(faults["columns"][name] == references["columns"]
                                                             for name in ("fifo", "clock", "lru"))),
    ]


def demand(pages, used, load, fault, from_disk):
    """Pages; instructions to load one and to take a fault; nanoseconds of a fault that waits for the disk."""
    return [
        Claim(f"U = {used} of N = {pages} pages: on demand U (C + F) = {used * (load + fault):,} instructions, all at once N C = "
              f"{pages * load:,}", used * (load + fault) < pages * load),
        Claim(f"on demand is the cheaper below C / (C + F) = {100 * load / (load + fault):.0f} % of the program; {used} of {pages} are "
              f"{100 * used / pages:.0f} %", used / pages < load / (load + fault)),
        Claim(f"a fault that waits for the disk takes {from_disk / (load + fault):,.0f} times as long as one that does not",
              from_disk > 10 * (load + fault)),
    ]
