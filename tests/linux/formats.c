/*
 * The formats of /proc, with what differs from run to run masked. Linux has more lines than Belady: tests/36-recorded.t asks
 * for those of Linux that are not in tests/linux/absent.txt.
 *
 *     {17} kB     a number, or "unlimited", in a field of 17 characters, whichever side of it the blanks are on
 *     N           any other decimal number
 *     X8          a hexadecimal number of 8 digits; X2:X2 the numbers of a device
 *     *           any text
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/outcome.h"
#include "user/lib/system.h"

enum { LINE = 4096 };

/* ---- Masks ------------------------------------------------------------------------------------------------------------------ */

/* How many hexadecimal digits begin here. */
static size_t
hexadecimal(const char *text)
{
    size_t length = 0;

    while (isdigit((unsigned char) text[length]) || (text[length] >= 'a' && text[length] <= 'f'))
        length++;
    return length;
}

/* How many characters a number takes, or the word that stands for the largest; 0: there is none. */
static size_t
number(const char *text)
{
    size_t length = *text == '-' ? 1 : 0;

    if (strncmp(text, "unlimited", 9) == 0)
        return 9;
    while (isdigit((unsigned char) text[length]))
        length++;
    return length > (*text == '-') ? length : 0;
}

/* The field that begins here, blanks before it or behind it included, goes into the mask. Returns what is behind it; `text` if it is no number. */
static const char *
field_mask(const char *text, char **mask, bool left_aligned)
{
    size_t blanks = strspn(text, " "), digits = number(text + blanks);
    size_t behind = strspn(text + blanks + digits, " ");

    if (digits == 0)
        return text;
    if (blanks > 2 && !left_aligned) {
        *mask += sprintf(*mask, "{%zu}", blanks + digits);
        return text + blanks + digits;
    }
    *mask += sprintf(*mask, "%.*s", (int) blanks, text);
    if (behind > 1) {
        *mask += sprintf(*mask, "{%zu}", digits + behind);
        return text + blanks + digits + behind;
    }
    *(*mask)++ = 'N';
    return text + blanks + digits;
}

static void
line_mask(const char *text, char *mask, bool left_aligned)
{
    unsigned major, minor;
    int length = 0;

    while (*text != '\0') {
        size_t hex = hexadecimal(text);
        const char *next;

        if (hex == 8 || hex == 16) {
            mask += sprintf(mask, "X%zu%s", hex, text[hex] == '-' ? "-" : "");
            text += hex + (text[hex] == '-');
        } else if (*text == ' ' && sscanf(text, " %2x:%2x %n", &major, &minor, &length) == 2 && length == 7) {
            mask += sprintf(mask, " X2:X2 ");
            text += length;
        } else if ((next = field_mask(text, &mask, left_aligned)) != text) {
            text = next;
        } else {
            *mask++ = *text++;
        }
    }
    *mask = '\0';
}

/* What is behind the first of these characters is any text. */
static void
value_mask(char *line, const char *ends)
{
    char *value = strpbrk(line, ends);

    if (value != NULL && value[1] != '\0')
        strcpy(value + 1, "*");
}

/* ---- Files ------------------------------------------------------------------------------------------------------------------- */

enum kind { PLAIN, COLUMNS, NAMED, WORDS, KEYS, UNTIL_COLON };

/* Only the number of words on a line counts. */
static void
words_count(const char *line, char *mask)
{
    int words = 0;

    for (size_t i = 0; line[i] != '\0'; i++)
        words += line[i] != ' ' && (i == 0 || line[i - 1] == ' ');
    sprintf(mask, "%d words", words);
}

static void
mask_line(enum kind kind, const char *line, char *mask)
{
    char copy[LINE];

    snprintf(copy, sizeof copy, "%s", line);
    if (kind == UNTIL_COLON)
        value_mask(copy, ":");
    if (kind == NAMED)
        memmove(copy + 1, copy + strcspn(copy, " "), strlen(copy + strcspn(copy, " ")) + 1), *copy = '*';
    if (strncmp(copy, "VmFlags: ", 9) == 0 || strncmp(copy, "intr ", 5) == 0 || strncmp(copy, "softirq ", 8) == 0)
        value_mask(copy, " ");
    if (kind == WORDS)
        words_count(copy, mask);
    else
        line_mask(copy, mask, kind == COLUMNS);
}

/* Prints a file's lines; equal ones that follow each other once. */
static void
file_show(const char *path, enum kind kind)
{
    char *text = file_text(path), before[LINE] = "";

    tell("== %s", path);
    if (text == NULL) {
        tell("cannot be read");
        return;
    }
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        char mask[LINE];

        *end = '\0';
        mask_line(kind, line, mask);
        if (strcmp(mask, before) != 0)
            tell("%s", mask);
        strcpy(before, mask);
        if (kind == KEYS)
            break;
    }
    tell("== end, %s", *text == '\0' || text[strlen(text) - 1] == '\n' ? "a newline" : "no newline");
    free(text);
}

static const struct {
    const char *path;
    enum kind kind;
} files[] = {
    { "/proc/cpuinfo", UNTIL_COLON }, { "/proc/loadavg", PLAIN }, { "/proc/meminfo", PLAIN }, { "/proc/mounts", WORDS },
    { "/proc/stat", PLAIN }, { "/proc/swaps", KEYS }, { "/proc/uptime", PLAIN }, { "/proc/vmstat", NAMED }, { "/proc/filesystems", PLAIN },
    { "/proc/sys/kernel/pid_max", PLAIN }, { "/proc/sys/kernel/ostype", PLAIN }, { "/proc/sys/vm/max_map_count", PLAIN },
    { "/proc/sys/vm/overcommit_memory", PLAIN },
    { "/proc/self/comm", PLAIN }, { "/proc/self/limits", COLUMNS }, { "/proc/self/oom_score", PLAIN },
    { "/proc/self/oom_score_adj", PLAIN }, { "/proc/self/stat", PLAIN }, { "/proc/self/statm", PLAIN }, { "/proc/self/status", PLAIN },
    { "/proc/self/mounts", WORDS },
};

/* ---- Memory ------------------------------------------------------------------------------------------------------------------- */

/* The lines of maps or smaps that are about the two pages at `place`. */
static void
region_show(const char *path, const char *place)
{
    char *text = file_text(path), wanted[16];
    bool is_it = false;

    snprintf(wanted, sizeof wanted, "%08lx-", (unsigned long) place);
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        char mask[LINE];

        *end = '\0';
        if (hexadecimal(line) == 8)
            is_it = strncmp(line, wanted, 9) == 0;
        mask_line(PLAIN, line, mask);
        if (is_it)
            tell("%s", mask);
    }
    free(text);
}

static void
regions_show(void)
{
    enum { PAGE = 4096 };
    int file = open("/tmp/a file", O_RDWR | O_CREAT, 0600);

    ftruncate(file, 2 * PAGE);
    struct {
        const char *what;
        int protection, flags, file;
    } kinds[] = {
        { "anonymous", PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1 }, { "nothing allowed", PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1 },
        { "shared", PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1 }, { "a file", PROT_READ, MAP_SHARED, file },
        { "a private file", PROT_READ | PROT_EXEC, MAP_PRIVATE, file },
    };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char *place = mmap((void *) 0x2a000000, 2 * PAGE, kinds[i].protection, kinds[i].flags | MAP_FIXED, kinds[i].file, 0);

        if (kinds[i].protection & PROT_READ)
            (void) *(volatile char *) place;
        tell("== a region: %s", kinds[i].what);
        region_show("/proc/self/maps", place);
        region_show("/proc/self/smaps", place);
        munmap(place, 2 * PAGE);
    }
    unlink("/tmp/a file");
}

/* ---- Links, threads, children --------------------------------------------------------------------------------------------------- */

static void
link_show(const char *path)
{
    char target[256] = "", mask[LINE];
    ssize_t length = readlink(path, target, sizeof target - 1);

    line_mask(target, mask, false);
    tell("%s -> %s (%s)", path, mask, length < 0 ? "none" : "a link");
}

static void
links_show(void)
{
    char path[64];
    int ends[2], file = open("/tmp/file", O_RDWR | O_CREAT, 0600), directory = open("/tmp", O_RDONLY | O_DIRECTORY);

    pipe(ends);
    dup2(ends[0], 40);
    dup2(file, 41);
    dup2(directory, 42);
    dup2(open("/dev/null", O_RDWR), 43);
    for (int i = 40; i <= 43; i++) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", i);
        link_show(path);
    }
    link_show("/proc/self");
    link_show("/proc/thread-self");
    link_show("/proc/self/exe");
    link_show("/proc/self/cwd");
    link_show("/proc/self/root");
}

static void *
thread_show(void *unused)
{
    file_show("/proc/thread-self/stat", PLAIN);
    file_show("/proc/thread-self/status", PLAIN);
    return unused;
}

/* A child that has stopped, and one that has ended. */
static void
children_show(void)
{
    static const int signals[] = { SIGSTOP, SIGKILL };
    static const char *const names[] = { "stat", "statm", "status", "cmdline", "maps", "smaps", "limits", "comm", "oom_score_adj" };

    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        for (;;)
            pause();
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        kill(child, signals[i]);
        waitid(P_PID, (id_t) child, &(siginfo_t){ 0 }, WEXITED | WSTOPPED | WNOWAIT);
        tell("-- a child with %s", signal_name(signals[i]));
        for (size_t j = 0; j < sizeof names / sizeof *names; j++) {
            char path[64], here[64];

            snprintf(path, sizeof path, "/proc/%d/%s", child, names[j]);
            snprintf(here, sizeof here, "/tmp/%s", names[j]);
            unlink(here);
            symlink(path, here);
            if (signals[i] == SIGKILL || strstr(names[j], "maps") == NULL)
                file_show(here, strcmp(names[j], "limits") == 0 ? COLUMNS : PLAIN);
        }
    }
    waitpid(child, NULL, 0);
}

int
main(void)
{
    pthread_t thread;

    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        file_show(files[i].path, files[i].kind);
    regions_show();
    links_show();
    if (pthread_create(&thread, NULL, thread_show, NULL) == 0)
        pthread_join(thread, NULL);
    children_show();
    return EXIT_SUCCESS;
}
