#!/usr/bin/env python3
"""Debian's bash-static, unmodified, at its prompt: job control, line editing, traps. What its scripts print is held against Linux by
tests/36-recorded.t."""
from harness import *

ARCHIVES = [INITRD, BUILD / "rootfs-busybox.cpio", BUILD / "rootfs-bash.cpio", TEST_PROGRAMS]
UP, LEFT, START_OF_LINE, SUSPEND, INTERRUPT = "\x1b[A", "\x1b[D", "\x01", "\x1a", "\x03"


def bash_start(t):
    shell = Shell(t, "swap=64M log=error init=/bin/init", modules=ARCHIVES)
    shell.become("bash --norc", "")
    # What marks pasted text would stand between all that is expected.
    shell.send("bind 'set enable-bracketed-paste off'\n")
    shell.expect(r"off'\n")
    shell.expect_prompt("takes an option")
    return shell


def type_while_running(shell, command, said, key):
    """Starts a command that does not end, and types a key once it has said that it runs: before that the key would be bash's."""
    shell.send(command + "\n")
    shell.expect(rf"^{said}\n")
    shell.send(key)


def interrupt(shell):
    """Types ^C as a person does: a signal just before bash begins to wait for a key would show only with that key."""
    time.sleep(0.5)
    shell.send(INTERRUPT)


@case("job control")
def _(t):
    bash = bash_start(t)
    type_while_running(bash, "/test/sleeper", "started", SUSPEND)
    t.ok(bash.expect(r"\[1\]\+  Stopped +/test/sleeper"), "^Z stops", bash)
    bash.expect_prompt("and brings the prompt back")
    type_while_running(bash, "/test/sleeper | cat", "started", SUSPEND)
    t.ok(bash.expect(r"\[2\]\+  Stopped +/test/sleeper \| cat"), "a pipeline stops as a whole", bash)
    bash.expect_prompt("and brings the prompt back")
    t.ok("[1]- /test/sleeper &" in bash.run("bg %1"), "bg lets one run", bash)
    jobs = bash.run("jobs")
    t.ok(re.search(r"\[1\].*Running", jobs) and re.search(r"\[2\].*Stopped", jobs), "jobs tells them apart", bash)
    type_while_running(bash, "fg %2", "continued", INTERRUPT)
    bash.expect_prompt("fg and ^C end the other")
    t.ok(bash.run("echo $?") == "130\n", "by SIGINT", bash)
    bash.run("kill %1; wait %1")
    t.ok(bash.run("echo $?") == "143\n", "kill ends the first", bash)
    t.ok(bash.run("jobs") == "", "none is left", bash)
    bash.leave()


@case("line editing")
def _(t):
    bash = bash_start(t)
    bash.send("ho wrong" + 5 * "\x7f" + "right" + START_OF_LINE + "ec\n")
    t.ok(bash.expect(r"^right\n"), "backspace, and the start of the line", bash)
    bash.expect_prompt("the prompt returns")
    bash.send("echo ac" + LEFT + "b\n")
    t.ok(bash.expect(r"^abc\n"), "the cursor moves left", bash)
    bash.expect_prompt("the prompt returns")
    bash.send(UP + UP + "\n")
    t.ok(bash.expect(r"^right\n"), "the line before the last comes back", bash)
    bash.expect_prompt("the prompt returns")
    bash.send("typed")
    interrupt(bash)
    bash.expect_prompt("^C gives the line up")
    t.ok(bash.run("echo $?") == "130\n", "with its status", bash)
    bash.leave()


@case("signals")
def _(t):
    bash = bash_start(t)
    type_while_running(bash, "echo star''ted; while :; do :; done", "started", INTERRUPT)
    bash.expect_prompt("^C ends a loop")
    bash.run("trap 'echo caught' INT")
    interrupt(bash)
    t.ok(bash.expect(r"caught\n"), "a trap runs", bash)
    bash.expect_prompt("and the prompt returns")
    bash.run("trap - INT")
    bash.leave()


main()
