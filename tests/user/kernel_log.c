/*
 * The kernel's log for programs: syslog(2), by its C library's name klogctl.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/system.h"

enum { CLOSE, OPEN, READ, READ_ALL, READ_CLEAR, CLEAR, CONSOLE_OFF, CONSOLE_ON, CONSOLE_LEVEL, SIZE_UNREAD, SIZE_BUFFER };
enum { USER = 4242, SMALL = 100, KERNEL_ADDRESS = -4096, WAIT_USECONDS = 200000 };

static char *text;
static int room;

/* Each line begins with its priority, and the last one has an end. */
static bool
lines_are_whole(const char *lines, int bytes)
{
    for (const char *line = lines; line < lines + bytes; line = (char *) memchr(line, '\n', (size_t) (lines + bytes - line)) + 1)
        if (line[0] != '<' || !isdigit((unsigned char) line[1]) || memchr(line, '\n', (size_t) (lines + bytes - line)) == NULL)
            return false;
    return true;
}

/* Has the kernel write a line. */
static void
line_provoke(void)
{
    if (system_is_belady())
        setting_write("/proc/sys/vm/policy", "opt");        /* for which there is no recording */
    else
        setting_write("/dev/kmsg", "<6>a line\n");
}

static void
read_check(void)
{
    int bytes;

    room = klogctl(SIZE_BUFFER, NULL, 0);
    check_that(room > 0 && (text = malloc((size_t) room)) != NULL, "the log has a size");
    line_provoke();
    bytes = klogctl(READ_ALL, text, room);
    check_that(bytes > 0 && bytes <= room && lines_are_whole(text, bytes), "all of it: lines with a priority each");
    char *small = malloc(SMALL);
    int fewer = klogctl(READ_ALL, small, SMALL);
    check_that(fewer > 0 && fewer <= SMALL && lines_are_whole(small, fewer) && memcmp(small, text + bytes - fewer, (size_t) fewer) == 0,
               "with little room, the last lines");
    check_that(klogctl(READ_ALL, text, 1) == 0, "with too little, none");
    free(small);
}

static void
clear_check(void)
{
    check_that(klogctl(READ_CLEAR, text, room) > 0 && klogctl(READ_ALL, text, room) == 0, "READ_CLEAR: what was read is shown no more");
    line_provoke();
    check_that(klogctl(READ_ALL, text, room) > 0, "what comes later is");
    check_that(klogctl(CLEAR, NULL, 0) == 0 && klogctl(READ_ALL, text, room) == 0, "nor is it after CLEAR");
}

static void
nothing(int signal)
{
    (void) signal;
}

static void
interrupted_body(void)
{
    struct sigaction action = { .sa_handler = nothing };

    sigaction(SIGALRM, &action, NULL);
    ualarm(WAIT_USECONDS, 0);
    _exit(!refused(klogctl(READ, text, room), EINTR));
}

/* Whoever reads the log takes the lines, clearing or not. */
static void
take_check(void)
{
    int taken = 0, bytes;

    line_provoke();
    check_that(klogctl(OPEN, NULL, 0) == 0 && klogctl(SIZE_UNREAD, NULL, 0) > 0, "there are lines that nobody took");
    while (klogctl(SIZE_UNREAD, NULL, 0) > 0 && (bytes = klogctl(READ, text, room)) > 0)
        taken += bytes;
    check_that(taken > 0 && klogctl(SIZE_UNREAD, NULL, 0) == 0, "READ takes them");
    check_that(check_child(interrupted_body) == 0, "and waits for more, unless a signal comes: EINTR");
    line_provoke();
    check_that(klogctl(SIZE_UNREAD, NULL, 0) > 0 && klogctl(READ, text, 1) == 1 && text[0] == '<', "a part of a line can be taken");
    check_that(klogctl(READ, text, room) > 0 && text[0] != '<' && klogctl(CLOSE, NULL, 0) == 0, "and then the rest");
}

static void
bad_check(void)
{
    check_that(refused(klogctl(SIZE_BUFFER + 1, text, 1), EINVAL) && refused(klogctl(-1, text, 1), EINVAL), "no such kind of call: EINVAL");
    check_that(refused(klogctl(READ_ALL, NULL, 1), EINVAL) && refused(klogctl(READ_ALL, text, -1), EINVAL), "no buffer, or a negative size: EINVAL");
    check_that(klogctl(READ_ALL, text, 0) == 0 && klogctl(READ, text, 0) == 0, "nothing is asked for: 0");
    line_provoke();
    check_that(refused(klogctl(READ_ALL, (char *) KERNEL_ADDRESS, 8192), EFAULT), "a buffer in the kernel: EFAULT");
    check_that(refused(klogctl(READ_ALL, (char *) 4096, room), EFAULT), "or nowhere: EFAULT");
    check_that(refused(klogctl(CONSOLE_LEVEL, NULL, 0), EINVAL) && refused(klogctl(CONSOLE_LEVEL, NULL, 9), EINVAL), "levels go from 1 to 8");
}

static void
user_body(void)
{
    setresuid(USER, USER, USER);
    _exit(!refused(klogctl(CLEAR, NULL, 0), EPERM) || !refused(klogctl(READ, text, room), EPERM) || !refused(klogctl(CONSOLE_LEVEL, NULL, 8), EPERM));
}

int
main(void)
{
    if (geteuid() != 0) {
        check_skip("only root may do most of this");
        return check_end();
    }
    read_check();
    clear_check();
    take_check();
    bad_check();
    check_that(check_child(user_body) == 0, "another user may not take or clear it: EPERM");
    check_that(klogctl(CONSOLE_OFF, NULL, 0) == 0 && klogctl(CONSOLE_ON, NULL, 0) == 0, "the console can be silenced");
    return check_end();
}
