#!/usr/bin/env python3
"""Measures what each operation costs, in executed instructions, and compares it with Linux on the same machine.

    tools/bench.py [--append 'SWITCHES'] [--policies]

Boots /bin/bench, which prints lines `row<TAB>name<TAB>instructions`, with QEMU counting instructions; the rows, Linux's figures and
the goals are in tests/linux-costs.tsv. Fails when a row is missing or slower than Linux's, or than its goal where there is no figure of
Linux's, or when fork's cost grows with memory. What an eviction costs is measured inside the kernel, by tests/kernel/mm_cost.c: for the
policies that have a goal, or with --policies for all.
"""
import argparse
import pathlib
import re
import sys

import qemu

COSTS = pathlib.Path(__file__).resolve().parent.parent / "tests/linux-costs.tsv"
EXACT = qemu.count_instructions(shift=0)
MEMORY_MIB = 512
SECONDS = 300

# The swap row was measured on Linux with this much memory free, and needs that much swap space.
SWAP_FREE_KIB = 65 * 1024
SWAP_ARGUMENTS = "swap=96M"

# One eviction, under each policy that has a goal.
EVICTION_ARGUMENTS = "swap=16M selftest=mm_cost"
EVICTION_MEMORY = "64M"
EVICTION_POLICIES = ("fifo", "clock")
POLICIES = pathlib.Path(__file__).resolve().parent.parent / "mm/policy.h"

# How much more a fork may cost in a process that has touched 32 MiB.
GROWTH_LIMIT = 1.5
GROWTH_ROWS = ("fork_exit_small", "fork_exit_32MiB")


def read_costs():
    """Yields (name, Linux's figure or None where it was not measured, goal)."""
    for line in COSTS.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, linux, goal = line.split("\t")[:3]
            yield name, None if linux == "-" else int(linux), int(goal)


def boot(arguments, memory):
    """What the console shows when Belady is booted so; ends the program if that went wrong."""
    result = qemu.run(append=arguments, memory=memory, timeout=SECONDS, extra=EXACT)
    if result.verdict != "pass":
        sys.exit(f"{result.output}\nbench: {arguments}: {result.verdict}")
    return result.output


def memory_for_swap_row(switches):
    """How much memory the machine must have for SWAP_FREE_KIB of it to be free, as a QEMU option."""
    output = boot(f'{SWAP_ARGUMENTS} {switches} init=/bin/sh -- -c "cat /proc/meminfo"', f"{MEMORY_MIB}M")
    free = int(re.search(r"^MemFree:\s*(\d+)", output, re.MULTILINE)[1])
    return f"{MEMORY_MIB * 1024 - free + SWAP_FREE_KIB}K"


def rows_of(output):
    return {name: int(cost) for name, cost in re.findall(r"^(?:# )?row\t(\w+)\t(\d+)", output, re.MULTILINE)}


def measure_evictions(switches, policies):
    """Returns {row: instructions}."""
    return rows_of("".join(boot(f"{EVICTION_ARGUMENTS} {switches} policy={policy}", EVICTION_MEMORY) for policy in policies))


def measure(switches):
    """Returns {row: instructions}."""
    output = boot(f"log=error {switches} init=/bin/bench", f"{MEMORY_MIB}M")
    output += boot(f"log=error {SWAP_ARGUMENTS} {switches} init=/bin/bench -- swap", memory_for_swap_row(switches))
    return rows_of(output) | measure_evictions(switches, EVICTION_POLICIES)


def verdict(cost, linux, goal):
    if cost is None:
        return "NOT MEASURED"
    if linux is not None and cost > linux:
        return "SLOWER THAN LINUX"
    return "goal met" if cost <= goal else ""


def report(costs, rows):
    """Prints the table; returns whether all is as it must be."""
    print(f"{'instructions':24}{'Linux':>10}{'goal':>10}{'Belady':>10}{'ratio':>8}")
    good = True
    for name, linux, goal in costs:
        cost = rows.get(name)
        ratio = f"{cost / linux:.2f}" if cost is not None and linux is not None else "-"
        print(f"{name:24}{linux if linux is not None else '-':>10}{goal:>10}{cost if cost is not None else '-':>10}{ratio:>8}  {verdict(cost, linux, goal)}".rstrip())
        good = good and cost is not None and cost <= (goal if linux is None else linux)
    small, large = (rows.get(name, 0) for name in GROWTH_ROWS)
    if large > GROWTH_LIMIT * small:
        print(f"{GROWTH_ROWS[1]} is more than {GROWTH_LIMIT} times {GROWTH_ROWS[0]}")
        good = False
    return good


def report_policies(switches):
    """Prints what a choice and a whole eviction cost under each policy; opt is left out, which needs a recorded future."""
    policies = [name for name in re.findall(r"^    POLICY\((\w+)\)", POLICIES.read_text(encoding="utf-8"), re.MULTILINE) if name != "opt"]
    rows = measure_evictions(switches, policies)
    print(f"{'policy':10}{'choice':>10}{'eviction':>10}")
    for name in policies:
        print(f"{name:10}{rows.get('choice_' + name, '-'):>10}{rows.get('eviction_' + name, '-'):>10}")


def main():
    parser = argparse.ArgumentParser(description="Compares Belady's costs with Linux's.")
    parser.add_argument("--append", default="", help="further switches for the kernel")
    parser.add_argument("--policies", action="store_true", help="only what an eviction costs, under every policy")
    arguments = parser.parse_args()
    if arguments.policies:
        report_policies(arguments.append)
        return 0
    return 0 if report(list(read_costs()), measure(arguments.append)) else 1


sys.exit(main())
