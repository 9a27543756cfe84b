/*
 * Rows of calls that are short of memory. See failing.h.
 *
 * What the kernel keeps is compared to the last object (/proc/slabinfo); frames, of which caches keep some for later,
 * over whole rounds: not each can take some.
 */
#define _GNU_SOURCE
#include "user/lib/failing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"

enum {
    PAGE = 4096,
    TEXT = 4 * PAGE,        /* of a file of /proc */
    DESCRIPTORS = 64,
    MOST = 1000,            /* allocations of one call */
    ROUNDS = 4,             /* that each take a frame: it leaks */
    COMPLAINTS = 5,         /* notes for a row */
    BOOT_MICROSECONDS = 20000,  /* if this is init: until the kernel has done with starting it */
    CLOSED = 200,           /* the first of the descriptors kept here: out of the way of the rows' */
};

/* What a call must leave as it found it. */
struct state {
    char objects[TEXT];     /* the kernel's, of each kind */
    char maps[TEXT];
    char files[PAGE];       /* in FAILING_DIRECTORY */
    char working_directory[PAGE];
    char descriptors[DESCRIPTORS];
};

#define SWITCH "/proc/sys/vm/failslab"

static struct state before, after, done;    /* done: after a success for which nothing has failed */
static char text[TEXT];
static int switch_file, check_file, directory;
static volatile unsigned wanted;    /* the allocation that fails; 0: none does */
static char *fresh;                 /* a page to fault on, for check= */

/* ---- The switch ---- */

static void
number_write(int file, unsigned number)
{
    char digits[16];
    int length = snprintf(digits, sizeof digits, "%u", number);

    if (pwrite(file, digits, (size_t) length, 0) != length)
        abort();
}

void
failing_begin(void)
{
    number_write(switch_file, wanted);
}

void
failing_end(void)
{
    int file = open(SWITCH, O_WRONLY);

    while (file < 0)
        file = open(SWITCH, O_WRONLY);
    number_write(file, 0);
    close(file);
}

/* The file is not kept open: it would keep its text, of which the kernel's objects are some. */
static void
text_read(const char *path)
{
    int file = open(path, O_RDONLY);
    ssize_t length = read(file, text, TEXT - 1);

    if (length < 0)
        abort();
    text[length] = '\0';
    close(file);
}

static unsigned long
number_in(const char *path, const char *name)
{
    text_read(path);
    char *line = strstr(text, name);
    return line == NULL ? 0 : strtoul(line + strlen(name), NULL, 10);
}

/* ---- The state ---- */

/* "region 15\n" and so on: of each cache its name and how many objects it has given out. */
static void
objects_read(char *objects)
{
    text_read("/proc/slabinfo");
    char *end = objects;
    for (char *line = strchr(strchr(text, '\n') + 1, '\n') + 1; *line != '\0'; line = strchr(line, '\n') + 1) {
        char name[32];
        unsigned count;
        sscanf(line, "%31s %u", name, &count);
        if (count > 0)
            end += sprintf(end, "%s %u\n", name, count);
    }
}

/* "file 100600 1 6144 16\n" and so on. */
static void
files_read(char *files)
{
    struct dirent *entry;
    struct stat status;
    long length;

    lseek(directory, 0, SEEK_SET);
    *files = '\0';
    while ((length = syscall(SYS_getdents64, directory, text, TEXT)) > 0)
        for (char *next = text; next < text + length; next += entry->d_reclen) {
            entry = (struct dirent *) next;
            fstatat(directory, entry->d_name, &status, AT_SYMLINK_NOFOLLOW);
            files += sprintf(files, "%s %o %u %lld %lld\n", entry->d_name, (unsigned) status.st_mode, (unsigned) status.st_nlink,
                             (long long) (S_ISDIR(status.st_mode) ? 0 : status.st_size), (long long) status.st_blocks);
        }
}

static void
state_take(struct state *state)
{
    files_read(state->files);
    getcwd(state->working_directory, sizeof state->working_directory);
    for (int i = 0; i < DESCRIPTORS; i++)
        state->descriptors[i] = (char) ('0' + fcntl(i, F_GETFD));
    text_read("/proc/self/maps");
    strcpy(state->maps, text);
    objects_read(state->objects);
}

/* Says which line is another one. */
static void
difference_note(const char *kind, const char *one, const char *other)
{
    while (*one != '\0' && *other != '\0') {
        size_t length = strcspn(one, "\n"), other_length = strcspn(other, "\n");
        if (length != other_length || memcmp(one, other, length) != 0)
            break;
        one += length + (one[length] != '\0');
        other += other_length + (other[other_length] != '\0');
    }
    check_note("    %s: was \"%.*s\", is \"%.*s\"", kind, (int) strcspn(one, "\n"), one, (int) strcspn(other, "\n"), other);
}

static bool
text_is_same(const char *kind, const char *one, const char *other)
{
    bool same = strcmp(one, other) == 0;

    if (!same && wanted > 0)
        difference_note(kind, one, other);
    return same;
}

static bool
state_is_same(const struct state *one, const struct state *other)
{
    bool same = text_is_same("files", one->files, other->files);

    same &= text_is_same("working directory", one->working_directory, other->working_directory);
    if (memcmp(one->descriptors, other->descriptors, DESCRIPTORS) == 0)
        return same;
    check_note("    descriptors: were %.64s, are %.64s", one->descriptors, other->descriptors);
    return false;
}

/* A fault under check=1, so that the kernel looks whether all of its own agrees. It panics if not. */
static void
kernel_check(void)
{
    number_write(check_file, 1);
    *(volatile char *) fresh = 1;
    number_write(check_file, 0);
    madvise(fresh, PAGE, MADV_DONTNEED);
}

/* ---- Rows ---- */

/* As call, but made by a child: what kills that for want of memory is a failure with ENOMEM. */
static long
call_in_child(const struct failing *row)
{
    pid_t child = check_fork();

    if (child == 0) {
        sched_yield();          /* until the parent waits, and needs no memory */
        failing_begin();
        long result = row->call();
        int error = errno;
        number_write(switch_file, 0);
        _exit(result < 0 ? error : 0);
    }
    int status = check_wait(child);
    number_write(switch_file, 0);
    errno = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status) == SIGKILL ? ENOMEM : -WTERMSIG(status);
    return errno == 0 ? 0 : -1;
}

static long
call_here(const struct failing *row)
{
    failing_begin();
    long result = row->call();
    int error = errno;
    number_write(switch_file, 0);
    errno = error;
    return result;
}

/* One try, with the allocation `wanted` failing; 0: none. Sets how many did. Returns whether all is as it should be. */
static bool
row_try(const struct failing *row, unsigned long *failed)
{
    static struct state prepared;
    bool good = true;

    state_take(&before);
    if (row->prepare != NULL)
        row->prepare();
    state_take(&prepared);
    unsigned long count = number_in("/proc/vmstat", "\nfailslab ");
    long result = row->in_child ? call_in_child(row) : call_here(row);
    int error = errno;
    *failed = number_in("/proc/vmstat", "\nfailslab ") - count;
    kernel_check();
    state_take(&after);
    if (wanted == 0)
        done = after;
    else if (result >= 0 && !row->partial)
        good = state_is_same(&done, &after);    /* but for mappings, which show the numbers of files */
    if (result < 0) {
        good = *failed > 0 && (error == ENOMEM || error == row->error);
        if (!good)
            check_note("    fails with %s", strerror(error));
        if (row->comes_through > 0 && wanted >= row->comes_through) {
            check_note("    does not come through");
            good = false;
        }
        good &= text_is_same("mappings", prepared.maps, after.maps);
        good &= state_is_same(&prepared, &after);   /* but for objects: a table may have grown already */
    }
    if (row->clean != NULL)
        row->clean();
    state_take(&after);
    good &= state_is_same(&before, &after);
    good &= text_is_same("mappings", before.maps, after.maps);
    return text_is_same("objects", before.objects, after.objects) && good;
}

/* Every allocation of the call in turn: returns how many there are, or 0 if something was not as it should be. */
static unsigned
row_round(const struct failing *row)
{
    unsigned complaints = 0;
    unsigned long failed = 1;

    for (wanted = 1; failed > 0 && wanted < MOST && complaints < COMPLAINTS; wanted++)
        if (!row_try(row, &failed)) {
            check_note("%s, every %uth allocation failing", row->what, wanted);
            complaints++;
        }
    return complaints > 0 ? 0 : wanted - 2;
}

/* Whether round after round takes frames; the first tells how many allocations there are, or 0. */
static bool
row_leaks(const struct failing *row, unsigned *allocations)
{
    unsigned long free = number_in("/proc/vmstat", "nr_free_pages "), now = 0;

    for (int round = 0; round < ROUNDS && now < free; round++) {
        unsigned found = row_round(row);
        if (round == 0)
            *allocations = found;
        else
            free = now;
        now = number_in("/proc/vmstat", "nr_free_pages ");
    }
    return now < free;
}

static void
row_check(const struct failing *row)
{
    unsigned long failed;
    unsigned allocations = 0;

    wanted = 0;
    row_try(row, &failed);      /* once, for what is kept from the first time */
    row_try(row, &failed);
    bool leaks = row_leaks(row, &allocations);
    check_that(!leaks && allocations > 0, "%s: none of %u allocations is missed", row->what, allocations);
}

/* ---- What rows share ---- */

int
failing_make_file(const char *path, size_t bytes)
{
    static const char zeroes[FAILING_FILE_MAXIMUM];
    int file = open(path, O_CREAT | O_RDWR, 0600);

    write(file, zeroes, bytes);
    return file;
}

void
failing_close(int *pair)
{
    for (int i = 0; i < 2; i++) {
        if (pair[i] >= 0)
            close(pair[i]);
        pair[i] = -1;
    }
}

/* ---- The whole ---- */

static int
file_open_apart(const char *path, int flags)
{
    int file = open(path, flags), apart = fcntl(file, F_DUPFD_CLOEXEC, CLOSED);

    close(file);
    return apart;
}

void
failing_check(const struct failing *rows, size_t count)
{
    usleep(BOOT_MICROSECONDS);
    switch_file = file_open_apart(SWITCH, O_WRONLY);
    if (switch_file < 0) {
        check_skip("failslab=");
        return;
    }
    check_file = file_open_apart("/proc/sys/vm/check", O_WRONLY);
    mkdir(FAILING_DIRECTORY, 0700);
    directory = file_open_apart(FAILING_DIRECTORY, O_RDONLY | O_DIRECTORY);
    fresh = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check_that(number_in(SWITCH, "") == 0, "failslab= is off");
    mlockall(MCL_CURRENT);      /* so that no call fails for a page of ours */
    munlock(fresh, PAGE);
    for (size_t i = 0; i < count; i++)
        row_check(&rows[i]);
    rmdir(FAILING_DIRECTORY);
}
