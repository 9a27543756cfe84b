#!/usr/bin/env python3
"""The page replacement laboratory: runs the experiments and draws one HTML page of what they showed.

    tools/lab/replacement.py [--jobs N] [--program "PATH ARGUMENTS"] [--only NAME,...] [--recordings DIRECTORY] OUTPUT
    tools/lab/replacement.py --draw-only [--recordings DIRECTORY] OUTPUT

`make lab-replacement` builds what this needs and writes build/lab-replacement.html. What each experiment printed stays in DIRECTORY,
build/lab; --draw-only draws from there, and --only runs some again before. Ends with 1 and a sentence if an experiment failed or printed not what is drawn, or
if what it printed is not what theory says; the page is written then, and says so.
"""
import argparse
import os
import pathlib
import sys

import figures
from experiments import BUILD, PROGRAM, ExperimentFailed, Laboratory
from page import page_html
from parse import MissingOutput, Recording

TITLE = "Page replacement, measured"
LEAD = ("What a textbook’s chapter on page replacement draws, as Belady, a kernel for reading, measured it. Everything was counted on live "
        "pages or replayed from exact traces of them, by the commands given with each figure, and is the same on every run. Below each "
        "figure stands what theory says, with the numbers that came out: <b>yes</b> where they agree.")


def draw(directory):
    """The figures, from the recordings in a directory."""
    def recording(name):
        return Recording(directory, name)

    return [
        figures.anomaly(recording("anomaly"), {policy: recording(f"belady-{policy}") for policy in ("fifo", "lru", "opt")}),
        figures.walk(recording("walk"), recording("anomaly")),
        figures.program(recording("trace"), recording("frames")),
        figures.locality(recording("locality")),
        figures.windows_figure(recording("trace"), recording("windows")),
        figures.thrash(recording("thrash")),
        figures.prefetch(recording("prefetch")),
        figures.policies_figure(recording("policies")),
        figures.demand(recording("demand"), recording("prefetch"), recording("frames")),
    ]


def contradictions(drawn):
    """Where theory and what was measured do not agree, a line for each."""
    return [f"figure {number}, {figure.name}: [ NO ] {claim.text}"
            for number, figure in enumerate(drawn, 1) for claim in figure.claims if not claim.holds]


def parse_arguments():
    parser = argparse.ArgumentParser(description="Runs the page replacement laboratory.")
    parser.add_argument("output", type=pathlib.Path, help="the HTML page to write")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="experiments at a time")
    parser.add_argument("--program", default=PROGRAM, help="what is traced: a path in the machine, and arguments")
    parser.add_argument("--only", help="run only these experiments, and draw the others from what an earlier run left")
    parser.add_argument("--recordings", type=pathlib.Path, default=BUILD / "lab", help="where what they print is kept")
    parser.add_argument("--draw-only", action="store_true", help="draw from what an earlier run left there")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    laboratory = Laboratory(arguments.recordings, arguments.program)
    only = arguments.only.split(",") if arguments.only else None
    if only and not set(only) <= set(laboratory.names()):
        print(f"lab: --only {arguments.only}: there are the experiments {' '.join(laboratory.names())}", file=sys.stderr)
        return 1
    try:
        if not arguments.draw_only:
            laboratory.run(arguments.jobs, only)
        drawn = draw(arguments.recordings)
    except (ExperimentFailed, MissingOutput) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    arguments.output.write_text(page_html(TITLE, LEAD, drawn), encoding="utf-8")
    for line in contradictions(drawn):
        print(f"lab: {line}", file=sys.stderr)
    print(f"lab: {arguments.output}")
    return 1 if contradictions(drawn) else 0


if __name__ == "__main__":
    sys.exit(main())
