/*
 * The lines of /proc/self/status that ps, top and others read: in Linux's order, and true.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#include "user/lib/check.h"

#define VARIABLE "VARIABLE=value"
#define TITLE "title"

enum { PAGE = 4096, PAGES = 64, KILOBYTES = PAGES * PAGE / 1024 };

static char text[16384];

static void
text_read(const char *path)
{
    int file = open(path, O_RDONLY);
    ssize_t length = read(file, text, sizeof text - 1);

    close(file);
    text[length > 0 ? length : 0] = '\0';
}

/* What stands behind a name at the beginning of a line, or NULL. */
static const char *
line_of(const char *name)
{
    size_t length = strlen(name);

    for (const char *line = text; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, length) == 0 && line[length] == ':')
            return line + length + 1;
    }
    return NULL;
}

static unsigned long long
figure(const char *name, int base)
{
    const char *line = line_of(name);

    return line != NULL ? strtoull(line, NULL, base) : ~0ull;
}

static void
order_check(void)
{
    static const char *const names[] = {
        "Name", "Umask", "State", "Tgid", "Ngid", "Pid", "PPid", "TracerPid", "Uid", "Gid", "FDSize", "Groups", "VmPeak", "VmSize",
        "VmLck", "VmPin", "VmHWM", "VmRSS", "RssAnon", "RssFile", "RssShmem", "VmData", "VmStk", "VmExe", "VmLib", "VmPTE", "VmSwap",
        "Threads", "SigQ", "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs",
        "Seccomp", "Cpus_allowed", "Cpus_allowed_list", "voluntary_ctxt_switches", "nonvoluntary_ctxt_switches",
    };
    const char *before = text, *missing = NULL, *line;

    text_read("/proc/self/status");
    for (size_t i = 0; i < sizeof names / sizeof *names && missing == NULL; i++) {
        line = line_of(names[i]);
        if (line == NULL || line < before)
            missing = names[i];
        before = line;
    }
    check_that(missing == NULL, "status has its lines in Linux's order%s%s", missing == NULL ? "" : ", but ", missing == NULL ? "" : missing);
}

/* The sum of what /proc/self/maps shows with these permissions and, if it is not NULL, this name; in KiB. */
static unsigned long
mapped(const char *permissions)
{
    unsigned long start, end, sum = 0;
    char found[8];

    text_read("/proc/self/maps");
    for (const char *line = text; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (sscanf(line, "%lx-%lx %7s", &start, &end, found) == 3 && strcmp(found, permissions) == 0)
            sum += (end - start) / 1024;
    }
    return sum;
}

static void
code_check(void)
{
    unsigned long code = mapped("r-xp"), before, after;
    char *base;

    text_read("/proc/self/status");
    before = (unsigned long) figure("VmLib", 10);
    check_that(figure("VmExe", 10) > 0 && figure("VmExe", 10) + before <= code, "VmExe and VmLib are what can be executed");
    base = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    text_read("/proc/self/status");
    after = (unsigned long) figure("VmLib", 10);
    check_that(after == before + KILOBYTES, "what is mapped to be executed besides the program is VmLib");
    munmap(base, PAGES * PAGE);
}

static void
data_check(void)
{
    unsigned long before, after;
    char *base;

    text_read("/proc/self/status");
    before = (unsigned long) figure("VmData", 10);
    base = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    text_read("/proc/self/status");
    after = (unsigned long) figure("VmData", 10);
    check_that(after == before + KILOBYTES, "VmData is private memory that can be written");
    munmap(base, PAGES * PAGE);
}

/* ---- Capabilities ---- */

static bool
capabilities_are(bool permitted, bool effective)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2];
    unsigned long long all;

    text_read("/proc/self/status");
    all = figure("CapBnd", 16);
    syscall(SYS_capget, &header, data);
    return figure("CapPrm", 16) == (permitted ? all : 0) && figure("CapEff", 16) == (effective ? all : 0)
        && data[0].permitted == (permitted ? (uint32_t) all : 0) && data[1].permitted == (permitted ? (uint32_t) (all >> 32) : 0)
        && data[0].effective == (effective ? (uint32_t) all : 0) && data[1].effective == (effective ? (uint32_t) (all >> 32) : 0);
}

static void
capabilities_body(void)
{
    check_that(capabilities_are(true, true), "root has all capabilities");
    check_that(seteuid(1000) == 0 && capabilities_are(true, false), "while it acts as another, none is in effect");
    check_that(seteuid(0) == 0 && capabilities_are(true, true), "it takes them up again");
    check_that(setuid(1000) == 0 && capabilities_are(false, false), "who is root no more has none");
}

static void
privileges_body(void)
{
    text_read("/proc/self/status");
    bool before = figure("NoNewPrivs", 10) == 0;
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    text_read("/proc/self/status");
    check_that(before && figure("NoNewPrivs", 10) == 1, "NoNewPrivs is what prctl has set");
}

/* ---- stat ---- */

static void
stat_check(void)
{
    extern char etext[], __executable_start[];
    unsigned long code_start = 0, code_end = 0, environment_start = 0, environment_end = 0;
    const char *at;

    text_read("/proc/self/stat");
    at = strrchr(text, ')');
    for (int field = 3; at != NULL && field <= 51; field++) {
        at = strchr(at + 1, ' ');
        code_start = field == 26 ? strtoul(at, NULL, 10) : code_start;
        code_end = field == 27 ? strtoul(at, NULL, 10) : code_end;
        environment_start = field == 50 ? strtoul(at, NULL, 10) : environment_start;
        environment_end = field == 51 ? strtoul(at, NULL, 10) : environment_end;
    }
    check_that(code_start >= (uintptr_t) __executable_start && code_start <= (uintptr_t) stat_check && code_end > (uintptr_t) stat_check
               && code_end <= (uintptr_t) etext + PAGE, "stat says where the code lies");
    check_that(environ[0] == NULL ? environment_end >= environment_start
               : environment_start == (uintptr_t) environ[0] && environment_end > environment_start, "and the environment");
}

static void
note(int signal)
{
    (void) signal;
}

static void
signals_check(void)
{
    sigset_t set;

    signal(SIGUSR1, note);
    signal(SIGUSR2, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    sigprocmask(SIG_BLOCK, &set, NULL);
    text_read("/proc/self/status");
    check_that((figure("SigCgt", 16) >> (SIGUSR1 - 1) & 3) == 1, "SigCgt has the signals with a handler");
    check_that((figure("SigIgn", 16) >> (SIGUSR1 - 1) & 7) == 4, "SigIgn those that are ignored");
    check_that(figure("SigBlk", 16) == 1ull << (SIGWINCH - 1), "SigBlk those that are blocked");
    signal(SIGUSR2, SIG_DFL);
}

/* The seventh field of stat. */
static int
terminal_of(const char *path)
{
    int device = -1;

    text_read(path);
    sscanf(strrchr(text, ')'), ") %*c %*d %*d %*d %d", &device);
    return device;
}

static void
session_body(void)
{
    setsid();
    _exit(terminal_of("/proc/self/stat") != 0);
}

/* All that have interrupted the processor, first of the line. */
static unsigned long long
interrupts(void)
{
    text_read("/proc/stat");
    return strtoull(strstr(text, "\nintr ") + strlen("\nintr "), NULL, 10);
}

static void
interrupts_check(void)
{
    unsigned long long before = interrupts();

    usleep(50000);
    check_that(before > 0 && interrupts() > before, "interrupts are counted");
}

/* ---- cmdline ---- */

/*
 * What is written over the end of the last argument turns all of it into one string, which goes on where the environment
 * was, to the first NUL. Exits with 0 if it is so.
 */
static _Noreturn void
title_run(char *program)
{
    size_t length = strlen(program) + 1;
    bool goes_on, ends;

    memset(program, 't', length);
    text_read("/proc/self/cmdline");
    goes_on = strlen(text) == length + strlen(VARIABLE) && strcmp(text + length, VARIABLE) == 0;
    memset(program, ' ', length);
    strcpy(program, TITLE);
    memset(text, 'x', sizeof text);
    text_read("/proc/self/cmdline");
    ends = strcmp(text, TITLE) == 0 && text[sizeof TITLE + 1] == 'x';
    exit(goes_on && ends ? 0 : 1);
}

static void
title_start(void)
{
    execle("/proc/self/exe", "an argument", NULL, (char *[]) { VARIABLE, NULL });
}

static bool
says(const char *path, const char *expected)
{
    text_read(path);
    return strcmp(text, expected) == 0;
}

static bool
comm_written(const char *name, const char *after)
{
    int file = open("/proc/self/comm", O_WRONLY);
    bool taken = write(file, name, strlen(name)) == (ssize_t) strlen(name);

    close(file);
    return taken && says("/proc/self/comm", after);
}

/* Files that cannot be written, or have no end, say so in different ways. */
static void
refusal_check(void)
{
    int version = open("/proc/version", O_RDWR), own = open("/proc/self/stat", O_RDWR), setting = open("/proc/sys/vm/max_map_count", O_RDWR);
    char before[16] = "", name[16];

    if (version >= 0)
        check_that(refused(write(version, "x", 1), EIO) && refused(write(own, "x", 1), EINVAL), "what cannot be written: EIO, of a process EINVAL");
    else
        check_skip("root");
    check_that(refused(lseek(own, 0, SEEK_END), EINVAL) && refused(lseek(own, 0, SEEK_DATA), EINVAL), "a text has no end to seek to: EINVAL");
    check_that(lseek(own, 3, SEEK_SET) == 3 && read(own, name, 4) == 4 && lseek(own, 0, SEEK_CUR) == 7, "but a middle");
    if (setting >= 0) {
        check_that(lseek(setting, 0, SEEK_END) == 0 && refused(open("/proc/sys/kernel/ostype", O_RDWR), EACCES), "a setting has no length; what is none cannot be opened to write: EACCES");
        lseek(setting, 0, SEEK_SET);
        ssize_t length = read(setting, before, sizeof before - 1);
        lseek(setting, 0, SEEK_SET);
        check_that(write(setting, " 4000 5000\n", 11) == 6 && says("/proc/sys/vm/max_map_count", "4000\n"), "a setting takes the first word");
        lseek(setting, 0, SEEK_SET);
        write(setting, before, length);
    } else {
        check_skip("settings");
    }
    check_that(comm_written("a name that is too long\n", "a name that is \n"),
               "of a name the first 15 bytes are taken");
    check_that(comm_written("line\n", "line\n\n"), "with its newline");
    close(version);
    close(own);
    close(setting);
}

int
main(int count, char **arguments)
{
    if (count == 1 && strcmp(arguments[0], "an argument") == 0)
        title_run(arguments[0]);
    order_check();
    code_check();
    data_check();
    check_child(capabilities_body);
    check_child(privileges_body);
    stat_check();
    signals_check();
    check_that(check_child(session_body) == 0, "a session of its own has no terminal");
    interrupts_check();
    check_child(refusal_check);
    check_that(check_child(title_start) == 0, "a program that writes over its arguments has a title");
    return check_end();
}
