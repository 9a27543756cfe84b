#!/usr/bin/env python3
"""Tries the `bel' commands on running machines, as `make debug' starts them, in both page-table formats. Prints TAP.

    tools/gdb/selftest.py [CASE]        a module of tools/gdb/cases/
"""
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FORMATS = ("2level", "pae")
# Each needs a second or two; far more than that, even on a host that has much else to do, is a hang.
TIMEOUT_SECONDS = 300

# For each case: whether the symbols are asked for, the memory, and further switches.
CASES = {"cow": (True, "24M", ""), "swap": (False, "36M", "swap=12M"), "vfork": (True, "24M", "")}


def run_case(name, paging):
    """Runs a case in one format; returns its report and what gdb and the console printed."""
    with_symbols, memory, switches = CASES[name]
    command = [ROOT / "tools/debug.py", "--batch", "--timeout", str(TIMEOUT_SECONDS), "--memory", memory]
    command += ["--append", f"init=/bin/{name} log=error paging={paging} {switches}"]
    command += ["--program", name] if with_symbols else []
    for statement in (f"import sys; sys.path.insert(0, {str(ROOT / 'tools/gdb')!r})", f"import cases.{name}"):
        command += ["--command", f"python {statement}"]
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as report:
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, "BEL_REPORT": report.name}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
        return report.read().splitlines(), done.stdout


def results(name, paging):
    """The lines of TAP of a case, without numbers; one that does not come to its end fails."""
    report, output = run_case(name, paging)
    context = f"{name} paging={paging}:"
    lines = [line.replace(" - ", f" - {context} ", 1) if not line.startswith("#") else line for line in report if line != "finished"]
    if "finished" not in report:
        lines += [f"not ok - {context} comes to its end"] + [f"# {line}" for line in output.splitlines()]
    return lines


def main():
    names = sys.argv[1:] or list(CASES)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        futures = [pool.submit(results, name, paging) for name in names for paging in FORMATS]
        lines = [line for future in futures for line in future.result()]
    count = failed = 0
    for line in lines:
        if not line.startswith("#"):
            count += 1
            failed += line.startswith("not ok")
            line = line.replace("ok - ", f"ok {count} - ", 1)
        print(line)
    print(f"1..{count}")
    return 1 if failed else 0


sys.exit(main())
