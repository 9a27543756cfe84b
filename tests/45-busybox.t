#!/usr/bin/env python3
"""Debian's busybox-static, unmodified: a script of its applets prints what it printed on Linux; and at the prompt of ash, what has to
do with processes and the terminal."""
from harness import *

ROOTFS = BUILD / "rootfs-busybox.cpio"
SOURCE = ROOT / "tests/busybox"
SECONDS = 60
# ash asks the terminal where the cursor is behind its prompt.
PROMPT = r"[#$] (\x1b\[6n)?\Z"


def script_archive():
    """A cpio archive with the script."""
    tree, archive = LOGS / "busybox", LOGS / "busybox.cpio"
    tree.mkdir(parents=True, exist_ok=True)
    (tree / "applets.sh").write_bytes((SOURCE / "applets.sh").read_bytes())
    subprocess.run(["tools/pack.sh", str(tree), str(archive)], check=True)
    return archive


def applets(t, paging):
    result = t.boot(f"paging={paging} swap=64M log=error init=/bin/sh -- /applets.sh", modules=[INITRD, ROOTFS, script_archive()],
                    timeout=SECONDS)
    t.ok(result.verdict == "pass", "the script ends", result)
    wanted = (SOURCE / "applets.txt").read_text(encoding="utf-8").splitlines()
    seen = result.output.splitlines()
    differing = [f"{number}: Linux {line!r}, here {other!r}"
                 for number, (line, other) in enumerate(zip(wanted, seen), 1) if line != other]
    t.ok(len(wanted) == len(seen) and not differing, "and has printed the same as on Linux", "\n".join(differing[:10]))


for paging in FORMATS:
    case(f"applets paging={paging}", paging)(applets)


class Ash(Session):
    """busybox's shell at its prompt."""

    def __init__(self, t):
        super().__init__("swap=64M log=error init=/bin/init", modules=[INITRD, ROOTFS])
        t.need(self.expect(PROMPT), "the system's shell shows a prompt", self)
        self.send("exec busybox sh\n")
        t.need(self.expect(r"BusyBox v.*\n(.*\n)*.*" + PROMPT), "ash greets and shows its own", self)

    def run(self, command):
        self.send(command + "\n")
        if not self.expect(re.escape(command) + r"\n"):
            return ""
        match = self.expect(r"((?:.*\n)*?)(?:.*" + PROMPT + ")")
        return match[1] if match else ""


@case("processes")
def _(t):
    ash = Ash(t)
    t.ok(re.search(r"^ *1 root +.*init", ash.run("ps"), re.MULTILINE), "ps shows init", ash)
    top = ash.run("top -b -n 1")
    t.ok(re.search(r"^Mem: \d+K used, \d+K free", top, re.MULTILINE), "top shows memory", ash)
    t.ok(re.search(r"^ +\d+ +\d+ root +R .*top", top, re.MULTILINE), "and itself running", ash)
    t.ok(re.search(r"^Mem: +\d+ +\d+ +\d+", ash.run("free"), re.MULTILINE), "free shows memory", ash)
    t.ok(re.search(r"^tmpfs on /dev/shm type tmpfs", ash.run("mount"), re.MULTILINE), "mount shows what is mounted", ash)
    t.ok("tmpfs" in ash.run("df /tmp"), "df shows room", ash)
    ash.run("mkdir /tmp/m")
    t.ok(ash.run("mount -t tmpfs none /tmp/m") == "" and "/tmp/m" in ash.run("mount"), "mount mounts", ash)
    t.ok(ash.run("umount /tmp/m") == "" and "/tmp/m" not in ash.run("mount"), "umount takes it away", ash)
    ash.send("exit\n")
    t.ok(ash.wait() == "pass", "exit ends the machine with status 0", ash)


@case("job control")
def _(t):
    ash = Ash(t)
    ash.send("sleep 100\n")
    time.sleep(0.5)
    ash.send("\x1a")
    t.ok(ash.expect(r"Stopped.*sleep 100"), "^Z stops", ash)
    t.ok(ash.expect(PROMPT) and "sleep 100" in ash.run("jobs"), "jobs knows it", ash)
    ash.run("bg")
    t.ok("Running" in ash.run("jobs"), "bg lets it run", ash)
    ash.send("fg\n")
    time.sleep(0.5)
    ash.send("\x03")
    t.ok(ash.expect(PROMPT) and ash.run("echo $?") == "130\n", "fg and ^C end it", ash)
    ash.send("exit\n")
    t.ok(ash.wait() == "pass", "exit ends the machine with status 0", ash)


@case("vi")
def _(t):
    ash = Ash(t)
    ash.run("printf 'first\\nsecond\\nthird\\n' >/tmp/text")
    ash.send("vi /tmp/text\n")
    t.ok(ash.expect(r"- /tmp/text"), "shows its status line", ash)
    for keys in ("jddp", "ofourth", "\x1b", "1GAly", "\x1b", ":%s/second/2nd/\n", ":wq\n"):
        ash.send(keys)
        time.sleep(0.5)     # as a person types: an escape and what follows at once would be one key
    t.ok(ash.expect(PROMPT), "writes and ends", ash)
    t.ok(ash.run("cat /tmp/text") == "firstly\nthird\n2nd\nfourth\n", "with the changes made", ash)
    ash.send("exit\n")
    t.ok(ash.wait() == "pass", "exit ends the machine with status 0", ash)


main()
