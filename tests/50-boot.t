#!/usr/bin/env python3
"""The ways to boot: QEMU, GRUB, Bochs; old processors; odd memory; modules damaged and laid over; switches that do not exist."""
from harness import *

# A boot that runs one user program and ends.
QUICK = "init=/bin/true"
BOCHS_POLL = 0.2
PROMPT = r"[#$] \Z"
PROMPT_SECONDS = 1.0
PROMPT_ATTEMPTS = 10    # the host may have something else to do
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def says(t, result, pattern, what):
    return t.ok(re.search(pattern, result.output, re.MULTILINE), what, result)


def make_iso(t, arguments):
    image = LOGS / f"{re.sub(r'[^a-z0-9]+', '-', t.case_name.lower())}.iso"
    t.run(["tools/iso.sh", image, arguments, BUILD / "belady.elf", INITRD], "the image is made")
    return image


# ---- Boot loaders and emulators ----

def grub(t, paging):
    result = t.boot(iso=make_iso(t, f"paging={paging} {QUICK}"))
    t.ok(result.verdict == "pass", "boots from the ISO by GRUB, runs a program, ends", result)


def bochs(t, paging, model):
    """Bochs always ends with status 1 and has no debug-exit device, so its serial output is the judge. The BIOS is QEMU's: of its
    own, Ubuntu has one that crashes."""
    # The quotes are GRUB's; it hands on quotes of its own.
    image = make_iso(t, f"paging={paging} init=/bin/sh -- -c 'echo six times seven is $((6*7))'")
    expected = "six times seven is 42"
    serial = image.with_suffix(".serial")
    settings = image.with_suffix(".bochsrc")
    commands = image.with_suffix(".commands")
    serial.write_text("", encoding="utf-8")
    commands.write_text("c\nq\n", encoding="utf-8")
    settings.write_text(f"""megs: 64
romimage: file=/usr/share/seabios/bios.bin
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
boot: cdrom
ata0-master: type=cdrom, path={image}, status=inserted
com1: enabled=1, mode=file, dev={serial}
cpu: model={model}, ips=20000000, reset_on_triple_fault=0
clock: sync=none
display_library: sdl2
log: {image.with_suffix('.bochslog')}
panic: action=fatal
""", encoding="utf-8")
    process = subprocess.Popen(["bochs", "-q", "-f", settings, "-rc", commands], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env=dict(os.environ, SDL_VIDEODRIVER="dummy"))
    deadline = time.monotonic() + SECONDS
    output = ""
    while process.poll() is None and time.monotonic() < deadline and expected not in output:
        time.sleep(BOCHS_POLL)
        output = qemu.text_of(serial.read_bytes())
    process.kill()
    process.wait()
    t.ok(expected in output, f"boots in Bochs ({model}) and runs the shell", output)


for paging in FORMATS:
    case(f"GRUB paging={paging}", paging)(grub)
# Two levels have no NX; here the processor has none either.
case("Bochs paging=2level without NX", "2level", "p3_katmai")(bochs)
case("Bochs paging=pae", "pae", "broadwell_ult")(bochs)


# ---- Processors ----

def processor(t, cpu, paging):
    result = t.boot(f"paging={paging} {QUICK}", cpu=cpu)
    t.ok(result.verdict == "pass", "runs a program", result)


def processor_refused(t, cpu, lacking):
    result = t.boot(f"paging=pae {QUICK}", cpu=cpu)
    t.ok(result.verdict in ("fail", "panic"), "paging=pae is refused", result)
    complaints = [line for line in result.output.splitlines() if re.search(r"paging=pae", line) and re.search(lacking, line)]
    t.ok(len(complaints) == 1, f"in one line that names what is missing ({lacking})", result)


for cpu in ("max", "coreduo"):
    for paging in FORMATS:
        case(f"-cpu {cpu} paging={paging}", cpu, paging)(processor)
case("-cpu pentium3 paging=2level", "pentium3", "2level")(processor)
case("-cpu pentium3 paging=pae", "pentium3", "NX")(processor_refused)
case("-cpu 486 paging=pae", "486", "PAE")(processor_refused)


@case("-cpu 486 paging=2level")
def _(t):
    # musl's programs are compiled for a processor with cmov; the kernel's own tests need none.
    result = t.boot("paging=2level selftest", cpu="486")
    t.ktap(result)


# ---- Memory ----

# For sh -c: prints total=KIBIBYTES.
MEMORY_TOTAL = '"while read name value unit; do [ $name != MemTotal: ] || echo total=$value; done </proc/meminfo"'


@case("too little memory")
def _(t):
    result = t.boot(QUICK, memory="4M")
    t.ok(result.verdict in ("fail", "panic"), "is refused", result)
    says(t, result, r"(?i)memory", "with a line that says so")


@case("more memory than can be used")
def _(t):
    result = t.boot(QUICK, memory="1500M")
    t.ok(result.verdict == "pass", "boots", result)
    says(t, result, r"(?i)\b(not|un)\s?used?\b", "says what is not used")
    used = t.boot(f"init=/bin/sh -- -c {MEMORY_TOTAL}", memory="1500M")
    total = re.search(r"^total=(\d+)", used.output, re.MULTILINE)
    t.ok(total and int(total[1]) >= 768 * 1024 * 0.97, "at least 768 MiB are used", used)


@case("mem=")
def _(t):
    result = t.boot(f"mem=32M init=/bin/sh -- -c {MEMORY_TOTAL}", memory="128M")
    total = re.search(r"^total=(\d+)", result.output, re.MULTILINE)
    t.ok(total and int(total[1]) <= 32 * 1024, "caps what is used", result)


# ---- Modules ----

def archive(t, name, files):
    """Makes an archive of {path: text}."""
    root = LOGS / f"{name}.root"
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    made = LOGS / f"{name}.cpio"
    t.run(["tools/pack.sh", root, made], "an archive is made")
    return made


SHOW = 'init=/bin/sh -- -c "cat /etc/overlay"'


@case("overlay")
def _(t):
    modules = [INITRD, archive(t, "first", {"etc/overlay": "from the first\n"}), archive(t, "second", {"etc/overlay": "from the second\n"})]
    result = t.boot(SHOW, modules=modules)
    says(t, result, r"^from the second$", "a later archive lies over an earlier one")
    t.ok("from the first" not in result.output, "which is then hidden", result)


@case("damaged module")
def _(t):
    good = archive(t, "good", {"etc/overlay": "still here\n"})
    for what, damage in (("wrong magic", lambda data: b"071234" + data[6:]), ("empty", lambda data: b"")):
        damaged = LOGS / "damaged.cpio"
        damaged.write_bytes(damage(INITRD.read_bytes()))
        result = t.boot(SHOW, modules=[INITRD, damaged, good])
        says(t, result, r"damaged\.cpio", f"{what}: is named")
        says(t, result, r"^still here$", f"{what}: the others are laid over the root all the same")
        t.ok(result.verdict == "pass", f"{what}: and the machine ends well", result)


def field(number, text):
    """A change of one of the numbers of an archive's first header."""
    start = 6 + 8 * number
    return lambda data: data[:start] + text + data[start + len(text):]


# What is done to an archive whose first entry is the directory etc, and what the boot says of it.
CPIO_DAMAGES = {
    "cut short": (lambda data: data[:len(data) // 2], r"entry \d+.*: it ends (within a file|within a name|without its trailer)"),
    "cut in the header": (lambda data: data[:50], r"entry 1 at byte 0: it ends without its trailer"),
    "cut in the name": (lambda data: data[:112], r"entry 1 at byte 0: it ends within a name"),
    "magic": (lambda data: data.replace(b"070701", b"070709", 2).replace(b"070709", b"070701", 1), r"entry 2 at byte \d+: a header has the wrong magic"),
    "no digits": (field(5, b"zzzzzzzz"), r"entry 1 at byte 0: a header has something other than digits"),
    "no type": (field(1, b"00000000"), r"entry 1 \(etc\) at byte 0: a file has an unknown type"),
    "absurd size": (field(6, b"ffffffff"), r"entry 1 \(etc\) at byte 0: it ends within a file"),
    "absurd name": (field(11, b"ffffffff"), r"entry 1 at byte 0: a name has an impossible length"),
    "no name": (field(11, b"00000000"), r"entry 1 at byte 0: a name has an impossible length"),
    "name without end": (field(11, b"00000003"), r"entry 1 at byte 0: a name has another length than its header says"),
    "leads out": (lambda data: data.replace(b"etc/overlay\0", b"../overlays\0"),
                  r"entry \d+ \(../overlays\) at byte \d+: a name leads out of the root"),
}


@case("damaged entries")
def _(t):
    # All in one boot, with as many sound modules besides.
    good = archive(t, "good", {"etc/overlay": "still here\n"})
    modules = [INITRD]
    for number, (damage, _) in enumerate(CPIO_DAMAGES.values()):
        modules += [LOGS / f"damage-{number}.cpio", good]
        modules[-2].write_bytes(damage(good.read_bytes()))
    result = t.boot(SHOW, modules=modules + [good] * 8)
    for number, (what, (_, pattern)) in enumerate(CPIO_DAMAGES.items()):
        says(t, result, rf"damage-{number}\.cpio is damaged and was skipped: {pattern}", f"{what}: entry and damage are named")
    says(t, result, r"^still here$", f"the others of {len(modules) + 8} modules are laid over the root")
    t.ok(result.verdict == "pass", "and the machine ends well", result)


@case("no module")
def _(t):
    result = t.boot(modules=[])
    t.ok(result.verdict in ("fail", "panic"), "a root without init is refused", result)
    says(t, result, r"init", "with a line that says so")


# ---- Command line ----

@case("unknown switch")
def _(t):
    result = t.boot(f"colour=blue {QUICK}")
    says(t, result, r"colour", "is reported")
    says(t, result, r"paging", "with the switches that exist")
    t.ok(result.verdict == "pass", "and ignored", result)


@case("unknown value")
def _(t):
    result = t.boot(f"policy=belady {QUICK}")
    for word in ("belady", "fifo", "random", "clock"):
        says(t, result, rf"policy.*{word}|{word}.*policy", f"the report has {word}")
    t.ok(result.verdict == "pass", "and it is ignored", result)
    result = t.boot(f"policy= {QUICK}")
    says(t, result, r"policy needs a value:.*fifo", "an empty value is reported too")


# Of each switch a value that it cannot have; a text can have any.
WRONG = {"mem": "12Q", "swap": "many", "ramdisk.latency": "10000001", "chaos": "-1", "seed": "4294967296", "prefetch": "65", "pff_lower": "1.5",
         "pff_upper": "0", "pid_max": "300", "max_map_count": "0", "control_patience": "99", "workingset_window": "9", "check": "1000001"}


@case("a wrong value of each switch")
def _(t):
    listed = t.boot(f"help {QUICK}").output
    switches = dict(re.findall(r"^  ([a-z_.]+)=[^:]*: .*\(([^()]*)\)$", listed, re.MULTILINE))
    t.need(len(switches) > 20, "the switches are listed", listed)
    checked = {name: values for name, values in switches.items() if values != "a text"}
    line = " ".join(f"{name}={WRONG.get(name, 'belady')}" for name in checked)
    result = t.boot(f"{line} {QUICK}")
    missing = [name for name, values in checked.items()
               if f"{name} cannot be {WRONG.get(name, 'belady')}; it can be: {values}" not in result.output]
    t.ok(not missing, "the report names the switch, the value, and those that there are", " ".join(missing) + result.output)
    t.ok(result.verdict == "pass", "and it is ignored", result)


@case("command lines that are odd")
def _(t):
    result = t.boot(f"\tlog=info\t policy=lru   policy=fifo \t{QUICK}")
    t.ok(result.verdict == "pass" and "policy=fifo" in result.output and "warning" not in result.output,
         "tabs are blanks, and the last of two holds", result)
    result = t.boot("init=/bin/sh -- -c 'echo \"a  b\" c'")
    says(t, result, r"^a  b c$", "quotation marks hold words together")
    says(t, t.boot(f"{QUICK} policy='fifo"), r"quotation mark ' in policy=fifo is not closed", "one that is open is reported")
    result = t.boot(f"{QUICK} {'log=info ' * 1000}")
    says(t, result, r"command line: cut after 4095 characters", "a line that is too long is reported")
    t.ok(result.verdict == "pass", "and used as far as it goes", result)


@case("a swap area that is too small or too large")
def _(t):
    for size in ("1K", "7K", "2G"):
        result = t.boot(f"swap={size} {QUICK}")
        says(t, result, r"^warning: swap.*[Nn]o swap area", f"swap={size} is reported")
        t.ok(result.verdict == "pass", "and done without", result)


@case("init's arguments and status")
def _(t):
    result = t.boot('log=error init=/bin/sh -- -c "echo got $#:$1; exit 3" name one')
    says(t, result, r"^got 1:one$", "what follows -- reaches init")
    t.ok(result.verdict == "fail", "a status that is not 0 is a failure", result)


def processor_seconds(process):
    """How long a running process has used the processor."""
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


@case("time to the prompt")
def _(t):
    seconds = []
    while len(seconds) < PROMPT_ATTEMPTS and not any(taken < PROMPT_SECONDS for taken in seconds):
        session = Session("swap=64M")
        appears = session.expect(PROMPT)
        # Other load on the host must not count, so where there is some the processor's time is taken instead.
        busy = os.getloadavg()[0] > os.cpu_count()
        seconds.append(processor_seconds(session.process) if busy else time.monotonic() - session.start)
        session.close()
        t.need(appears, "a prompt appears", session)
    t.ok(min(seconds) < PROMPT_SECONDS, f"within a second of QEMU's start ({min(seconds):.2f} s)", session)


# ---- The end ----

CPIO_HEADER_BYTES = 110


def module_file(memory, name):
    """The bytes of a file in a cpio archive that lies somewhere in memory, or None."""
    for match in re.finditer(re.escape(name.encode()) + rb"\0", memory):
        start = match.start() - CPIO_HEADER_BYTES
        header = memory[start:match.start()]
        if header.startswith(b"070701"):
            length, name_length = int(header[54:62], 16), int(header[94:102], 16)
            data = start + (CPIO_HEADER_BYTES + name_length + 3 & ~3)
            return memory[data:data + length]
    return None


@case("what was written is in the module at the end")
def _(t):
    # The guest's memory is a file of the host's, which is there when QEMU has gone. <> writes in place, and nobody asks for write-back.
    ram = LOGS / "50-boot.ram"
    extra = ["-object", f"memory-backend-file,id=ram,size=64M,mem-path={ram},share=on", "-machine", "memory-backend=ram"]
    result = t.boot("init=/bin/sh -- -c 'echo -n written-back 1<>/etc/motd'", memory="64M", extra=extra)
    contents = module_file(ram.read_bytes(), "etc/motd")
    ram.unlink()
    before = (ROOT / "user/root/etc/motd").read_bytes()
    t.ok(result.verdict == "pass", "ends", result)
    t.ok(contents == b"written-back" + before[len(b"written-back"):], "the file's place on the ramdisk has what was written", repr(contents))


main()
