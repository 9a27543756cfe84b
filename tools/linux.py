#!/usr/bin/env python3
"""Records on Linux what tests/36-recorded.t compares with what Belady prints.

    make test-linux              that is: tools/linux.py
    tools/linux.py [WORD...]     only what has one of these words in its name

Boots Debian's i386 kernel in QEMU, with the very archives that Belady boots with, and runs there

    each line of tests/linux/commands.txt      its output goes to tests/linux/recorded/NAME.txt
    each self-checking program of tests/user   it must find on Linux what it finds here

A recording's first line says which Linux and which command made it. Fails when a program did. What Linux's console shows
is in build/test/linux.log, while it runs, too.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

import qemu
from qemu import BUILD

ROOT = pathlib.Path(__file__).resolve().parent.parent
RECORDED = ROOT / "tests/linux/recorded"
LOG = BUILD / "test/linux.log"
KERNEL_DIRECTORY = BUILD / "rootfs/linux-image-686-pae/boot"
ARCHIVES = [BUILD / f"{name}.cpio" for name in ("initrd", "rootfs-busybox", "rootfs-bash", "tests")]

SECONDS = 600
# QEMU's TCG reads the stack for lret and iret in the kernel's name; with SMAP, Linux takes that for a fault of its own.
PROCESSOR = "max,-smap"
COMMAND_SECONDS = 60
MEMORY = "256M"
# The recorder's own first process; each command is run by Belady's init, which makes the terminal its own. When that
# has ended, Linux hangs the terminal up, so it is opened anew each time. Debian's kernel restricts links where Linux
# itself does not. What one command does to a device (bad_descriptors changes its mode), the next does not find.
INIT = """#!/bin/busybox sh
mount -t proc proc /proc
mount -t devtmpfs dev /dev
ln -s /proc/self/fd /dev/fd
echo 0 >/proc/sys/fs/protected_symlinks
echo 0 >/proc/sys/fs/protected_hardlinks
umask 022
while read -r name command; do
    mkdir -p /dev/shm
    mount -t tmpfs tmpfs /dev/shm
    mount -t tmpfs tmpfs /tmp
    busybox stty -F /dev/ttyS0 sane
    chmod 666 /dev/null
    echo "@@@ begin $name"
    timeout -s KILL COMMAND_SECONDS busybox env -i /bin/init $command </dev/ttyS0 >/dev/ttyS0 2>&1
    echo "@@@ end $name $?"
    umount /tmp /dev/shm
done </commands
poweroff -f
""".replace("COMMAND_SECONDS", str(COMMAND_SECONDS))


def commands():
    """Pairs of a recording's name and its command."""
    lines = (ROOT / "tests/linux/commands.txt").read_text(encoding="utf-8").splitlines()
    return [tuple(line.split(None, 1)) for line in lines if line.strip() and not line.startswith("#")]


def self_checks():
    """Pairs of name and command for the programs of tests/user that judge for themselves."""
    names = sorted(path.name for path in (BUILD / "root-tests/test").iterdir())
    return [(f"check-{name}", f"/test/{name}") for name in names if name != "sleeper"]


def archive_make(directory, wanted):
    """All that Linux starts with, in one file."""
    tree = directory / "recorder"
    tree.mkdir()
    (tree / "recorder").write_text(INIT, encoding="utf-8")
    (tree / "recorder").chmod(0o755)
    (tree / "commands").write_text("".join(f"{name} {command}\n" for name, command in wanted), encoding="utf-8")
    subprocess.run(["tools/pack.sh", str(tree), str(directory / "recorder.cpio")], check=True)
    whole = directory / "all.cpio"
    whole.write_bytes(b"".join(part.read_bytes() for part in ARCHIVES + [directory / "recorder.cpio"]))
    return whole


def linux_boot(kernel, wanted):
    """Runs the commands; returns what the console showed."""
    LOG.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        archive = archive_make(pathlib.Path(directory), wanted)
        command = qemu.command(kernel=kernel, modules=[archive], memory=MEMORY, cpu=PROCESSOR, serial=f"file:{LOG}",
                               append="console=ttyS0 quiet loglevel=0 rdinit=/recorder")
        try:
            subprocess.run(command, stdin=subprocess.DEVNULL, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            print(f"Linux did not end within {SECONDS} s")
    return qemu.text_of(LOG.read_bytes())


def parse(output):
    """What each command printed, and its status: {name: (text, status)}."""
    found = re.findall(r"^@@@ begin (\S+)\n(.*?)^@@@ end \1 (\d+)\n", output, re.MULTILINE | re.DOTALL)
    return {name: (text, int(status)) for name, text, status in found}


def comparable(name, text):
    """What was printed, without what may differ: in a session with a shell the numbers of processes, and where the echo of a
    signal's key comes to stand, with the end of its line."""
    if not name.startswith("jobs-"):
        return text
    text = re.sub(r"^(\[\d+\][ +-]*)\d+\b", r"\1PID", text, flags=re.MULTILINE)
    return re.sub(r"\n+", "\n", re.sub(r"\^[CZ\\]", "", text))


def record(kernel, name, command, text):
    """Writes a recording; returns whether it differs from the last one."""
    path = RECORDED / f"{name}.txt"
    before = path.read_text(encoding="utf-8") if path.exists() else None
    now = f"# Linux {kernel.name.removeprefix('vmlinuz-')}: {command}\n{comparable(name, text)}"
    path.write_text(now, encoding="utf-8")
    return now != before


def is_asked_for(pair):
    return len(sys.argv) == 1 or any(word in pair[0] for word in sys.argv[1:])


def main():
    kernel = max(KERNEL_DIRECTORY.glob("vmlinuz-*"))
    wanted, checks = (list(filter(is_asked_for, pairs)) for pairs in (commands(), self_checks()))
    output = linux_boot(kernel, wanted + checks)
    results = parse(output)
    failed = [name for name, _ in wanted + checks if results.get(name, ("", None))[1] != 0]
    changed = [name for name, command in wanted if name not in failed and record(kernel, name, command, results[name][0])]
    for name in failed:
        text, status = results.get(name, (output, "none"))
        lines = [line for line in text.splitlines() if line.startswith("not ok")] or text.splitlines()[-10:]
        print(f"{name}: status {status} on Linux", *lines, sep="\n  ")
    print(f"{len(wanted)} recordings, {len(changed)} changed: {' '.join(changed)}")
    print(f"{len(wanted) + len(checks) - len(failed)} programs succeeded on {kernel.name}, {len(failed)} did not")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
