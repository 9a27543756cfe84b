#!/usr/bin/env python3
"""Debian's busybox-static, unmodified, at the prompt of its shell ash: what has to do with processes and the terminal. What scripts of its
applets print is held against Linux by tests/36-recorded.t."""
from harness import *

# ash asks the terminal where the cursor is behind its prompt.
PROMPT = r"[#$] (\x1b\[6n)?\Z"


def ash_start(t):
    shell = Shell(t, "swap=64M log=error init=/bin/init", prompt=PROMPT, modules=[INITRD, BUILD / "rootfs-busybox.cpio", TEST_PROGRAMS])
    shell.become("busybox sh", r"BusyBox v")
    return shell


@case("processes")
def _(t):
    ash = ash_start(t)
    t.ok(re.search(r"^ *1 root +.*init", ash.run("ps"), re.MULTILINE), "ps shows init", ash)
    top = ash.run("top -b -n 1")
    t.ok(re.search(r"^Mem: \d+K used, \d+K free", top, re.MULTILINE), "top shows memory", ash)
    t.ok(re.search(r"^ +\d+ +\d+ root +R .*top", top, re.MULTILINE), "and itself running", ash)
    free = ash.run("free")
    t.ok(re.search(r"^Mem: +\d+ +\d+ +\d+", free, re.MULTILINE), "free shows memory", ash)
    t.ok("-/+" not in free, "and finds all that it looks for in /proc/meminfo", ash)
    t.ok(re.search(r"^tmpfs on /dev/shm type tmpfs", ash.run("mount"), re.MULTILINE), "mount shows what is mounted", ash)
    t.ok("tmpfs" in ash.run("df /tmp"), "df shows room", ash)
    ash.run("mkdir /tmp/m")
    t.ok(ash.run("mount -t tmpfs none /tmp/m") == "" and "/tmp/m" in ash.run("mount"), "mount mounts", ash)
    t.ok(ash.run("umount /tmp/m") == "" and "/tmp/m" not in ash.run("mount"), "umount takes it away", ash)
    ash.leave()


@case("job control")
def _(t):
    ash = ash_start(t)
    ash.send("/test/sleeper\n")
    ash.expect(r"^started\n")
    ash.send("\x1a")
    t.ok(ash.expect(r"Stopped.*/test/sleeper"), "^Z stops", ash)
    t.ok(ash.expect(PROMPT) and "/test/sleeper" in ash.run("jobs"), "jobs knows it", ash)
    ash.run("bg")
    t.ok("Running" in ash.run("jobs"), "bg lets it run", ash)
    ash.send("fg\n")
    ash.expect(r"^continued\n")
    ash.send("\x03")
    t.ok(ash.expect(PROMPT) and ash.run("echo $?") == "130\n", "fg and ^C end it", ash)
    ash.leave()


@case("vi")
def _(t):
    ash = ash_start(t)
    ash.run("printf 'first\\nsecond\\nthird\\n' >/tmp/text")
    ash.send("vi /tmp/text\n")
    t.ok(ash.expect(r"- /tmp/text"), "shows its status line", ash)
    for keys in ("jddp", "ofourth", "\x1b", "1GAly", "\x1b", ":%s/second/2nd/\n", ":wq\n"):
        ash.send(keys)
        time.sleep(0.5)     # as a person types: an escape and what follows at once would be one key
    ash.expect_prompt("writes and ends")
    t.ok(ash.run("cat /tmp/text") == "firstly\nthird\n2nd\nfourth\n", "with the changes made", ash)
    ash.leave()


main()
