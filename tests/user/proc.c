/*
 * /proc: that what is in it can be parsed as on Linux, and tells the truth about a process that looks at itself and
 * at its child.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"

enum {
    PAGE = 4096,
    TEXT = 16384,           /* longer than any file read here */
    STAT_FIELDS = 52,       /* in /proc/PID/stat */
    PATIENCE = 1000,        /* ms for a thread to vanish */
    SMALL = 64,             /* bytes for one or two names of a directory */
    FILES = 128,            /* more than one directory has */
};

static const uint64_t pagemap_present = 1ull << 63, pagemap_file = 1ull << 61, pagemap_exclusive = 1ull << 56;

static char text[TEXT];

/* Reads a whole file into text, `step` bytes at a time; its length, or -1. */
static ssize_t
text_read(const char *path, size_t step)
{
    int file = open(path, O_RDONLY);
    size_t length = 0;
    ssize_t got;

    if (file < 0)
        return -1;
    while ((got = read(file, text + length, step < TEXT - 1 - length ? step : TEXT - 1 - length)) > 0)
        length += (size_t) got;
    close(file);
    text[length] = '\0';
    return got < 0 ? -1 : (ssize_t) length;
}

/* The number behind a name at the beginning of a line of text, or -1. */
static long
text_number(const char *name)
{
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, strlen(name)) == 0)
            return strtol(line + strlen(name), NULL, 10);
    }
    return -1;
}

/* Whether a directory lists a name. */
static bool
directory_lists(const char *path, const char *name)
{
    DIR *directory = opendir(path);
    struct dirent *entry;
    bool found = false;

    while (directory != NULL && (entry = readdir(directory)) != NULL)
        found |= strcmp(entry->d_name, name) == 0;
    if (directory != NULL)
        closedir(directory);
    return found;
}

static void
stat_check(void)
{
    int pid = 0, parent = 0, fields = 3;
    char state = 0, name[32] = "";

    check_that(text_read("/proc/self/stat", TEXT) > 0, "/proc/self/stat can be read");
    check_that(sscanf(text, "%d (%31[^)]) %c %d", &pid, name, &state, &parent) == 4, "it begins like Linux's");
    check_that(pid == getpid() && parent == getppid() && state == 'R',
               "it names this process, its parent, and says that it runs");
    for (char *rest = strrchr(text, ')') + 3; *rest != '\0'; rest++)
        fields += *rest == ' ';
    check_that(fields == STAT_FIELDS, "it has %d fields", STAT_FIELDS);
}

/* A page that was written is private, one that was only read is its file's. Linux brings its counts up to date every 64 faults. */
static void
resident_check(void)
{
    enum { PAGES = 256, STALE = 64, KILOBYTES = (PAGES - STALE) * PAGE / 1024 };
    long before = text_number("RssAnon:\t"), files = text_number("RssFile:\t");
    char *base = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    for (int i = 0; i < PAGES; i++)
        base[i * PAGE] = 1;
    text_read("/proc/self/status", TEXT);
    check_that(before >= 0 && text_number("RssAnon:\t") >= before + KILOBYTES, "written pages are RssAnon");
    check_that(files >= 0 && text_number("RssFile:\t") > 0 && text_number("RssFile:\t") < files + KILOBYTES, "and not RssFile");
    munmap(base, PAGES * PAGE);
    text_read("/proc/self/status", TEXT);
}

static void
status_check(void)
{
    char name[64];

    check_that(text_read("/proc/self/status", TEXT) > 0, "/proc/self/status can be read");
    check_that(text_number("Pid:\t") == getpid() && text_number("PPid:\t") == getppid(),
               "it names process and parent");
    check_that(text_number("VmRSS:\t") > 0 && text_number("VmSize:\t") >= text_number("VmRSS:\t"),
               "what is in memory is part of the whole");
    check_that(text_number("Threads:\t") == 1, "one thread");
    resident_check();
    snprintf(name, sizeof name, "/proc/%d/status", getpid());
    check_that(text_read(name, 7) > 0 && text_number("Pid:\t") == getpid(), "by number, in small portions, the same");
    check_that(text_read("/proc/self/statm", TEXT) > 0 && strtol(text, NULL, 10) > 0,
               "/proc/self/statm begins with the size");
}

static void
names_check(char *program)
{
    char target[256] = "";

    check_that(readlink("/proc/self/exe", target, sizeof target - 1) > 0 &&
               strstr(target, strrchr(program, '/')) != NULL,
               "exe leads to the program");
    check_that(text_read("/proc/self/cmdline", TEXT) == (ssize_t) strlen(program) + 1 && strcmp(text, program) == 0,
               "cmdline holds the arguments, each with its NUL");
    check_that(text_read("/proc/self/comm", TEXT) > 0 &&
               strncmp(text, strrchr(program, '/') + 1, strlen(text) - 1) == 0,
               "comm is the last part");
    check_that(chdir("/proc") == 0 && readlink("self/cwd", target, sizeof target - 1) == 5 && memcmp(target,
               "/proc", 5) == 0,
               "cwd follows chdir");
    check_that(chdir("/") == 0, "and back");
}

static void
descriptors_check(void)
{
    char name[64], target[64] = "", number[16];
    struct stat here, there;
    int ends[2];

    check_that(pipe(ends) == 0, "a pipe");
    snprintf(name, sizeof name, "/proc/self/fd/%d", ends[0]);
    snprintf(number, sizeof number, "%d", ends[0]);
    check_that(directory_lists("/proc/self/fd", number), "fd lists it");
    check_that(readlink(name, target, sizeof target - 1) > 0 && strncmp(target, "pipe:[", 6) == 0,
               "its link says what it is");
    check_that(lstat(name, &there) == 0 && S_ISLNK(there.st_mode) && there.st_size == 64, "lstat says 64 bytes of each");
    check_that(fstat(ends[0], &here) == 0 && stat(name, &there) == 0 && here.st_ino == there.st_ino &&
               S_ISFIFO(there.st_mode),
               "and leads to it");
    close(ends[0]);
    check_that(stat(name, &there) == -1 && errno == ENOENT, "closed, it is gone");
    close(ends[1]);
}

/* The line of maps for an address: its permissions, or ""; and the offset. */
static const char *
maps_line(const void *address, unsigned long long *offset)
{
    static char permissions[8];
    unsigned long start, end;

    text_read("/proc/self/maps", 100);
    for (char *line = text; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (sscanf(line, "%lx-%lx %7s %llx", &start, &end, permissions, offset) == 4 && start <= (uintptr_t) address &&
            (uintptr_t) address < end)
            return permissions;
    }
    return "";
}

static const char *
maps_permissions(const void *address)
{
    unsigned long long offset;

    return maps_line(address, &offset);
}

static uint64_t
pagemap_entry(const void *address)
{
    int file = open("/proc/self/pagemap", O_RDONLY);
    uint64_t entry = 0;

    pread(file, &entry, sizeof entry, (off_t) ((uintptr_t) address / PAGE * sizeof entry));
    close(file);
    return entry;
}

static void
memory_check(void)
{
    char *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char odd;

    check_that(page != MAP_FAILED && mprotect(page + PAGE, PAGE, PROT_READ) == 0, "two pages, one of them read-only");
    check_that(strcmp(maps_permissions(page), "rw-p") == 0 && strcmp(maps_permissions(page + PAGE), "r--p") == 0,
               "maps shows both");
    check_that(!(pagemap_entry(page) & pagemap_present), "an untouched page is not there");
    *page = 1;
    check_that(pagemap_entry(page) & pagemap_present, "a touched one is");
    munmap(page, 2 * PAGE);
    check_that(maps_permissions(page)[0] == '\0' && pagemap_entry(page) == 0, "unmapped, both forget it");
    int file = open("/proc/self/pagemap", O_RDONLY);
    check_that(pread(file, &odd, 1, 0) == -1 && errno == EINVAL, "pagemap is read in whole entries");
    close(file);
}

/* A private mapping of a file shows the file's pages and copies, and either far from the other. */
static void
copies_check(void)
{
    enum { PAGES = 100, FAR = PAGES / 2 };
    const uint64_t kinds = pagemap_present | pagemap_file | pagemap_exclusive;
    char name[] = "/tmp/proc.XXXXXX";
    int file = mkstemp(name);

    unlink(name);
    for (int page = 0; page < PAGES; page++)
        pwrite(file, "x", 1, page * PAGE);
    char *memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    check_that(file >= 0 && memory != MAP_FAILED, "a file is mapped privately");
    memory[0] = 'y';
    (void) *(volatile char *) (memory + FAR * PAGE);
    check_that((pagemap_entry(memory) & kinds) == (pagemap_present | pagemap_exclusive), "pagemap: a copy is no page of the file");
    check_that((pagemap_entry(memory + FAR * PAGE) & kinds) == kinds, "and a page that was read is, with nobody else who maps it");
    munmap(memory, PAGES * PAGE);
    close(file);
}

/* Files are longer than addresses. */
static void
offset_check(void)
{
    const off_t place = (1LL << 32) + 2 * PAGE;
    unsigned long long offset = 0;
    char name[] = "/tmp/proc.XXXXXX";
    int file = mkstemp(name);

    unlink(name);
    void *memory = ftruncate(file, place + PAGE) == 0 ? mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, place) : MAP_FAILED;
    check_that(memory != MAP_FAILED && maps_line(memory, &offset)[0] == 'r', "a page of a file beyond 4 GiB is mapped");
    check_that(offset == (unsigned long long) place, "and maps shows at which byte: %llx", offset);
    munmap(memory, PAGE);
    close(file);
}

static void
child_check(void)
{
    char name[64], number[16], state = 0;
    siginfo_t information;
    pid_t child = check_fork();

    if (child == 0)
        _exit(0);
    waitid(P_PID, (id_t) child, &information, WEXITED | WNOWAIT);
    snprintf(number, sizeof number, "%d", child);
    snprintf(name, sizeof name, "/proc/%d/stat", child);
    check_that(directory_lists("/proc", number), "/proc lists a child");
    check_that(text_read(name, TEXT) > 0 && sscanf(strrchr(text, ')') + 2, "%c", &state) == 1 && state == 'Z',
               "ended, it is a zombie");
    snprintf(name, sizeof name, "/proc/%d/maps", child);
    check_that(text_read(name, TEXT) == 0, "and has no memory");
    int file = open(name, O_RDONLY);
    check_wait(child);
    check_that(!directory_lists("/proc", number), "waited for, it is gone");
    check_that(file >= 0 && read(file, text, 1) == -1 && errno == ESRCH, "and a file that is still open says so");
    close(file);
    check_that(open(name, O_RDONLY) == -1 && errno == ENOENT, "it cannot be opened any more");
}

static void
system_check(void)
{
    double up = 0, idle = 0, load;
    unsigned running, all, last;
    struct stat status;
    char here[16] = "";

    check_that(readlink("/proc/self", here, sizeof here - 1) > 0 && atoi(here) == getpid(),
               "/proc/self is this process");
    check_that(text_read("/proc/meminfo", TEXT) > 0 && text_number("MemTotal:") > text_number("MemFree:") &&
               text_number("MemFree:") > 0,
               "meminfo: a part of memory is free");
    check_that(text_read("/proc/slabinfo", TEXT) > 0 && strncmp(text, "slabinfo - version: 2.1\n# name ", 31) == 0 &&
               stat("/proc/slabinfo", &status) == 0 && (status.st_mode & 0777) == 0400, "slabinfo: for root alone");
    check_that(text_read("/proc/uptime", TEXT) > 0 && sscanf(text, "%lf %lf", &up, &idle) == 2 && up > 0,
               "uptime is a number");
    check_that(text_read("/proc/loadavg", TEXT) > 0 && sscanf(text, "%lf %lf %lf %u/%u %u", &load, &load, &load, &running, &all, &last) == 6 &&
               running >= 1 && running <= all && last >= (unsigned) getpid(), "loadavg: three averages, who runs, of how many, and the last number");
    check_that(text_read("/proc/stat", TEXT) > 0 && strncmp(text, "cpu  ", 5) == 0 && text_number("processes ") > 0,
               "stat counts processes");
    check_that(text_read("/proc/mounts", TEXT) > 0 && strstr(text, " /proc proc ") != NULL, "mounts names /proc");
    check_that(text_read("/proc/self/mountinfo", TEXT) > 0 && strstr(text, " / / rw") != NULL && strstr(text, " / /proc rw") != NULL &&
               strstr(text, " - proc ") != NULL, "mountinfo too");
    check_that(text_read("/proc/sys/kernel/pid_max", TEXT) > 0 && atoi(text) > getpid(),
               "pid_max is above this process's number");
    check_that(mkdir("/proc/new", 0755) == -1 && errno == ENOENT, "nothing can be made in /proc");
    check_that(open("/proc/new", O_RDWR | O_CREAT, 0644) == -1 && errno == ENOENT, "no file either");
    check_that(stat("/proc/self/maps", &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 0,
               "its files have no length of their own");
}

/* ---- What exec left: environ and auxv ---- */

static void
exec_check(void)
{
    uint32_t entries[64] = { 0 };
    uint32_t page = 0, program = 0;
    size_t words;
    int file = open("/proc/self/auxv", O_RDONLY);
    ssize_t length = read(file, entries, sizeof entries);

    close(file);
    words = length > 0 ? (size_t) length / sizeof *entries : 0;
    for (size_t i = 0; i + 1 < words; i += 2) {
        page = entries[i] == AT_PAGESZ ? entries[i + 1] : page;
        program = entries[i] == AT_PHDR ? entries[i + 1] : program;
    }
    check_that(page == PAGE && program == getauxval(AT_PHDR), "auxv is the auxiliary vector");
    check_that(words >= 2 && entries[words - 2] == AT_NULL, "to its end");
    check_that(text_read("/proc/self/environ", TEXT) >= 0, "environ can be read");
    check_that(environ[0] == NULL ? text[0] == '\0' : strcmp(text, environ[0]) == 0, "it begins with the first variable");
    size_t bytes = 0;
    for (char **variable = environ; *variable != NULL; variable++)
        bytes += strlen(*variable) + 1;
    check_that(text_read("/proc/self/environ", 100) == (ssize_t) bytes || bytes >= TEXT, "and holds all, each with its NUL");
}

/* ---- limits ---- */

static void
limits_check(void)
{
    struct rlimit limit;
    char line[128];

    getrlimit(RLIMIT_NOFILE, &limit);
    text_read("/proc/self/limits", TEXT);
    check_that(strncmp(text, "Limit                     Soft Limit           Hard Limit           Units     \n", 79) == 0, "limits begins like Linux's");
    snprintf(line, sizeof line, "\n%-25s %-20u %-20u files     \n", "Max open files", (unsigned) limit.rlim_cur, (unsigned) limit.rlim_max);
    check_that(strstr(text, line) != NULL, "it has both limits of open files");
    limit.rlim_cur = 77;
    setrlimit(RLIMIT_NOFILE, &limit);
    text_read("/proc/self/limits", TEXT);
    check_that(strstr(text, "\nMax open files            77 ") != NULL, "and follows setrlimit");
}

/* ---- What can be written: comm and oom_score_adj ---- */

static int
text_write(const char *path, const char *value)
{
    int file = open(path, O_WRONLY);
    ssize_t done = write(file, value, strlen(value));
    int error = done < 0 ? errno : 0;

    close(file);
    return error;
}

/* A directory's names as they come in pieces of so many bytes: how many, and the sum of their numbers. */
static int
names_count(const char *path, unsigned bytes, unsigned long long *sum)
{
    static struct dirent entries[TEXT / sizeof(struct dirent)];
    int directory = open(path, O_RDONLY | O_DIRECTORY), count = 0;
    long length;

    *sum = 0;
    while ((length = syscall(SYS_getdents64, directory, entries, bytes)) > 0)
        for (struct dirent *entry = entries; (char *) entry < (char *) entries + length; entry = (struct dirent *) ((char *) entry + entry->d_reclen)) {
            *sum += entry->d_ino;
            count++;
        }
    close(directory);
    return count;
}

static void
listing_check(void)
{
    static const char *const paths[] = { "/proc", "/proc/self", "/proc/sys/vm", "/proc/self/fd", "/proc/self/task" };

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        unsigned long long pieces, whole;
        int small = names_count(paths[i], SMALL, &pieces), large = names_count(paths[i], TEXT / 2, &whole);
        check_that(small == large && small > 2 && pieces == whole, "%s has the same %d names with little room for them", paths[i], large);
    }
}

/* Whether no two files of a directory have the same number, which is also what stat says. */
static bool
numbers_differ(const char *path)
{
    static unsigned long long seen[FILES];
    DIR *directory = opendir(path);
    struct dirent *entry;
    struct stat status;
    int count = 0;

    while ((entry = readdir(directory)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (fstatat(dirfd(directory), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 || status.st_ino != entry->d_ino)
            return false;
        for (int i = 0; i < count; i++)
            if (seen[i] == entry->d_ino)
                return false;
        seen[count++ % FILES] = entry->d_ino;
    }
    closedir(directory);
    return count > 0;
}

static void
numbers_check(void)
{
    check_that(numbers_differ("/proc/self") && numbers_differ("/proc/sys/vm") && numbers_differ("/proc/self/fd"), "each file has a number of its own, the same for stat");
}

static void
comm_check(void)
{
    check_that(text_write("/proc/self/comm", "another name") == 0 && text_read("/proc/self/comm", TEXT) > 0 &&
               strcmp(text, "another name\n") == 0,
               "comm can be written");
    check_that(text_write("/proc/self/comm", "a name of more than fifteen bytes") == 0 && text_read("/proc/self/comm", TEXT) == 16 &&
               strcmp(text, "a name of more \n") == 0,
               "and is cut after 15 bytes");
    pid_t child = check_fork();
    if (child == 0) {
        char path[32];
        snprintf(path, sizeof path, "/proc/%d/comm", getppid());
        _exit(text_write(path, "mine") != EINVAL);
    }
    check_that(check_wait(child) == 0, "another process's cannot: EINVAL");
}

static const char *const adjustment = "/proc/self/oom_score_adj";

static void
adjustment_grandchild(void)
{
    int file = open(adjustment, O_WRONLY);

    setuid(1000);
    _exit(write(file, "599", 3) != -1 || errno != EACCES);
}

static void
adjustment_child(void)
{
    check_that(text_read(adjustment, TEXT) > 0 && strcmp(text, "500\n") == 0, "a child has its parent's oom_score_adj");
    check_that(text_write(adjustment, "400") == 0 && text_write(adjustment, "600") == 0, "root may lower and raise it");
    bool root_may = text_write(adjustment, "-1") == 0 && text_write(adjustment, "600") == 0;
    bool inherited = root_may && check_child(adjustment_grandchild) == 0;
    int file = open(adjustment, O_WRONLY);
    check_that(setuid(1000) == 0 && write(file, "700", 3) == 3 && write(file, "600", 3) == 3, "others may raise it, and take that back");
    if (root_may)
        check_that(inherited && write(file, "599", 3) == -1 && errno == EACCES, "but neither they nor their children go below what root has set: EACCES");
    else
        check_skip("root without CAP_SYS_RESOURCE");
}

static void
oom_check(void)
{
    static const char *const bad[] = { "1001", "-1001", "x", "5 5", "0x", "5\n5", "" };
    long before, after;

    check_that(text_read(adjustment, TEXT) > 0 && text_read("/proc/self/oom_score", TEXT) > 0, "oom_score and oom_score_adj can be read");
    text_write(adjustment, "0");
    text_read("/proc/self/oom_score", TEXT);
    before = atol(text);
    check_that(text_write(adjustment, "500\n") == 0 && text_read(adjustment, TEXT) > 0 && strcmp(text, "500\n") == 0, "oom_score_adj is what was written");
    text_read("/proc/self/oom_score", TEXT);
    after = atol(text);
    check_that(before >= 666 && after - before > 300 && after - before < 336,
               "oom_score is 666 and more, and rises by two thirds of that: %ld, %ld", before, after);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        check_that(text_write(adjustment, bad[i]) == EINVAL, "\"%s\" is refused: EINVAL", bad[i]);
    check_that(text_write(adjustment, "99999999999") == ERANGE, "too great for a number: ERANGE");
    check_that(text_read(adjustment, TEXT) > 0 && strcmp(text, "500\n") == 0, "and changes nothing");
    check_that(text_write(adjustment, "\t7 \n") == 0 && text_read(adjustment, TEXT) > 0 && strcmp(text, "7\n") == 0, "blanks around it do not matter");
    text_write(adjustment, "500");
    check_child(adjustment_child);
    text_write(adjustment, "0");
}

/* ---- Threads ---- */

static char thread_name[64];
static pid_t thread_number;

static void *
thread_body(void *unused)
{
    char link[64] = "", expected[64];

    (void) unused;
    thread_number = (pid_t) syscall(SYS_gettid);
    snprintf(thread_name, sizeof thread_name, "%d", thread_number);
    check_that(directory_lists("/proc/self/task", thread_name), "task lists a thread");
    snprintf(expected, sizeof expected, "%d/task/%d", getpid(), thread_number);
    check_that(readlink("/proc/thread-self", link, sizeof link - 1) > 0 && strcmp(link, expected) == 0, "thread-self leads to it");
    check_that(text_read("/proc/thread-self/stat", TEXT) > 0 && atoi(text) == thread_number, "its stat names it");
    check_that(text_read("/proc/thread-self/status", TEXT) > 0 && text_number("Pid:\t") == thread_number && text_number("Tgid:\t") == getpid(),
               "its status names it and its process");
    check_that(text_number("Threads:\t") == 2, "there are two");
    check_that(text_read("/proc/self/stat", TEXT) > 0 && atoi(text) == getpid(), "the process's stat names the process");
    return NULL;
}

static void
task_check(void)
{
    char number[16], name[64];
    pthread_t thread;

    snprintf(number, sizeof number, "%d", getpid());
    check_that(directory_lists("/proc/self/task", number), "task lists the first thread");
    if (pthread_create(&thread, NULL, thread_body, NULL) != 0)
        return;
    pthread_join(thread, NULL);
    snprintf(name, sizeof name, "/proc/self/task/%d/stat", thread_number);
    /* Who joins is woken a little before. */
    for (int i = 0; i < PATIENCE && access(name, F_OK) == 0; i++)
        usleep(1000);
    check_that(open(name, O_RDONLY) == -1 && errno == ENOENT, "a thread that has ended is gone");
    snprintf(name, sizeof name, "/proc/self/task/%d", getppid());
    check_that(getppid() == 0 || (open(name, O_RDONLY) == -1 && errno == ENOENT), "another process is not in task");
}

/* ---- sys/kernel ---- */

static void
uname_check(void)
{
    struct utsname name;

    uname(&name);
    check_that(text_read("/proc/sys/kernel/ostype", TEXT) > 0 && strncmp(text, name.sysname, strlen(name.sysname)) == 0, "ostype is uname's");
    check_that(text_read("/proc/sys/kernel/osrelease", TEXT) > 0 && strncmp(text, name.release, strlen(name.release)) == 0, "osrelease is uname's");
    check_that(text_read("/proc/sys/kernel/hostname", TEXT) > 0 && strncmp(text, name.nodename, strlen(name.nodename)) == 0, "hostname is uname's");
    check_that(text_read("/proc/sys/kernel/version", TEXT) > 0 && strncmp(text, name.version, strlen(name.version)) == 0, "version is uname's");
}

int
main(int count, char **arguments)
{
    (void) count;
    stat_check();
    status_check();
    names_check(arguments[0]);
    descriptors_check();
    memory_check();
    copies_check();
    offset_check();
    child_check();
    system_check();
    exec_check();
    limits_check();
    comm_check();
    listing_check();
    numbers_check();
    check_child(oom_check);
    task_check();
    uname_check();
    return check_end();
}
