"""The commands while user/vfork.c runs: two processes in one address space, until the child calls exec."""
import re

from cases.facts import *


def main():
    go_to("execve")
    output = run("bel ps")
    rows = [line.split(maxsplit=7) for line in output.splitlines()[1:]]
    ok(len(rows) == 2 and rows[0][3:6] == rows[1][3:6], "bel ps: parent and child have the same memory", output)
    ok("system call vfork" in rows[0][7] and "execve+0" in rows[1][7], "the parent waits in vfork, the child calls exec", output)
    child = rows[1][0]
    number = frame_behind(evaluate("$esp"))
    output = run(f"bel frame {number:#x}")
    ok(f"mapped by  process 1 (vfork) and process {child} (vfork) at" in output, "bel frame: the stack is mapped once, for both", output)
    go_to("process_vfork_release")
    run("finish")
    output = run(f"bel frame {number:#x}")
    ok(re.search(r"mapped by  process 1 \(vfork\) at", output), "after exec it is the parent's alone", output)


main()
print("finished", file=report)
