#!/usr/bin/env python3
"""The shell at the prompt, typed at over the serial line as a person would."""
import socket

from harness import *

ARCHIVES = [INITRD, TEST_PROGRAMS]


COMMANDS = [
    ("echo", "echo six times seven is $((6*7))", "six times seven is 42\n"),
    ("pipe", "echo one two three | while read a b; do echo $b; done", "two three\n"),
    ("pipeline", "echo deep | cat | cat | cat", "deep\n"),
    ("redirection", "echo kept >/tmp/kept; cat </tmp/kept", "kept\n"),
    ("appending", "echo more >>/tmp/kept; cat /tmp/kept", "kept\nmore\n"),
    ("globbing", "cd /tmp; : >a1; : >a2; : >b; echo a*; cd /", "a1 a2\n"),
    ("exit status of success", "/bin/true; echo $?", "0\n"),
    ("exit status of failure", "(exit 3); echo $?", "3\n"),
    ("a program's exit status", "sh -c 'exit 7'; echo $?", "7\n"),
    ("command substitution", "echo [$(echo inner)]", "[inner]\n"),
    ("an alias of .mkshrc", "alias ll", "ll='ls -l'\n"),
    ("background", "true & wait; echo done", r"(\[1\].*\n)*done\n(\[1\].*\n)*"),
]


@case("commands")
def _(t):
    shell = Shell(t, modules=ARCHIVES)
    for what, command, expected in COMMANDS:
        output = shell.run(command)
        t.ok(re.fullmatch(expected if "\\" in expected else re.escape(expected), output), what, shell)
    t.ok("not found" in shell.run("nosuchprogram"), "an unknown command is named", shell)
    t.ok(shell.run("echo $?") == "127\n", "and its status is 127", shell)
    t.ok(shell.run("cat /proc/version").strip(), "/proc can be read", shell)
    t.ok(re.match(r"Belady \S+ on .*MiB of memory\n", shell.run("dmesg")), "dmesg shows what the kernel said, from its first line on", shell)
    shell.leave()


@case("line editing")
def _(t):
    shell = Shell(t, modules=ARCHIVES)
    shell.send("echo wrong\x7f\x7f\x7f\x7f\x7fright\n")
    t.ok(shell.expect(r"^right\n"), "backspace takes characters back", shell)
    shell.expect_prompt("and the prompt returns")
    shell.send("ecro end\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\x1b[3~h\x1b[H:; \x1b[F of it\n")
    t.ok(shell.expect(r"^end of it\n"), "arrows, home, end and delete move and delete", shell)
    shell.expect_prompt("and the prompt returns")
    shell.send("sleep 1; echo held\n\x13")
    t.ok(not shell.expect(r"^held\n", 2), "^S stops what is printed", shell)
    shell.send("\x11")
    t.ok(shell.expect(r"^held\n"), "^Q lets it go on", shell)
    shell.expect_prompt("and the prompt returns")
    shell.leave()


@case("two terminals")
def _(t):
    path = BUILD / "test/second-line"
    shell = Shell(t, modules=ARCHIVES, extra=("-serial", f"unix:{path},server=on,wait=off"))
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(path))
        line.settimeout(ANSWER_SECONDS)
        shell.run("echo over here >/dev/ttyS1")
        t.ok(line.makefile("rb").readline() == b"over here\r\n", "what is written to ttyS1 leaves on the second line")
        line.sendall(b"good morning\r")
        t.ok(shell.run("read greeting </dev/ttyS1; echo $greeting") == "good morning\n", "and what comes from there is read", shell)
    shell.leave()


@case("typed ahead")
def _(t):
    """As in `echo cow | make run`: the host sends before the kernel has begun, and then no more."""
    lines = [f"line {number} of what came before the kernel listened" for number in range(12)]
    typed = "".join(f"echo {line}\n" for line in lines) + "exit 7\n"
    command = [ROOT / "tools/qemu.py", "--append", "log=error"]
    done = subprocess.run(command, input=typed, capture_output=True, text=True, timeout=SECONDS, check=False)
    shown = [line for line in done.stdout.replace("\r", "").splitlines() if line.startswith("line")]
    t.ok(shown == lines, "nothing is lost of what came before the kernel listened", done.stdout)
    t.ok(done.returncode != 0, "and the machine ends with the shell's status", done.stdout)


def interrupt(t, command):
    shell = Shell(t, modules=ARCHIVES)
    shell.send(command + "\n")
    t.ok(shell.expect("started"), "it runs", shell)
    shell.send("\x03")
    shell.expect_prompt("^C brings the prompt back")
    shell.leave()


case("^C on a sleeping program", "/test/sleeper")(interrupt)
case("^C on a looping program", "sh -c 'echo star''ted; while :; do :; done'")(interrupt)
case("^C on a reading program", "/test/sleeper read")(interrupt)


@case("^\\ and its status")
def _(t):
    shell = Shell(t, modules=ARCHIVES)
    shell.send("/test/sleeper\n")
    t.ok(shell.expect("started"), "it runs", shell)
    shell.send("\x1c")
    shell.expect_prompt("^\\ brings the prompt back")
    t.ok(shell.run("echo $?") == "131\n", "the program ended by SIGQUIT", shell)
    shell.leave()


@case("^D")
def _(t):
    shell = Shell(t, modules=ARCHIVES)
    shell.send("\x04")
    t.ok(shell.wait() == "pass", "^D at the prompt ends the shell, and with it the machine", shell)


@case("status of the shell")
def _(t):
    shell = Shell(t, modules=ARCHIVES)
    shell.send("exit 5\n")
    t.ok(shell.wait() == "fail", "a status that is not 0 is reported as a failure", shell)


@case("a program at the prompt")
def _(t):
    shell = Shell(t, modules=ARCHIVES)
    shell.send("cow; echo status=$?\n")
    t.ok(shell.expect(r"^status=0\n"), "a program runs from the prompt", shell)
    shell.expect_prompt("and ends")
    shell.leave()


main()
