/*
 * The terminal: its settings, size and foreground group, what output processing
 * does, and that other files are no terminals. Standard input and output must be
 * the console, as they are for process 1; elsewhere most of it is skipped.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "user/lib/check.h"

static int terminal;

static void
no_terminal_check(void)
{
    struct termios settings;
    int file = open("/dev/null", O_RDWR), ends[2];

    check_that(tcgetattr(file, &settings) == -1 && errno == ENOTTY, "/dev/null is no terminal: ENOTTY");
    check_that(pipe(ends) == 0 && !isatty(ends[0]) && errno == ENOTTY, "nor is a pipe");
    check_that(!isatty(99) && errno == EBADF, "nor is nothing: EBADF");
    close(file);
}

static void
settings_check(void)
{
    struct termios before, changed, after;

    check_that(tcgetattr(terminal, &before) == 0, "settings can be read");
    check_that((before.c_lflag & (ICANON | ECHO | ISIG)) == (ICANON | ECHO | ISIG), "lines, echo and signals are on");
    check_that((before.c_oflag & (OPOST | ONLCR)) == (OPOST | ONLCR), "newlines get a carriage return");
    check_that(before.c_cc[VINTR] == 3 && before.c_cc[VEOF] == 4 && before.c_cc[VERASE] != 0, "^C, ^D and erase");
    changed = before;
    cfmakeraw(&changed);
    changed.c_cc[VMIN] = 0;
    changed.c_cc[VTIME] = 1;
    check_that(tcsetattr(terminal, TCSANOW, &changed) == 0 && tcgetattr(terminal, &after) == 0
               && !(after.c_lflag & (ICANON | ECHO | ISIG)) && after.c_cc[VMIN] == 0, "they can be changed");
    check_that(read(terminal, (char [1]) { 0 }, 1) == 0, "VMIN 0, VTIME 1: a read ends without input");
    check_that(tcsetattr(terminal, TCSADRAIN, &before) == 0 && tcgetattr(terminal, &after) == 0
               && after.c_lflag == before.c_lflag, "and changed back");
}

static void
size_check(void)
{
    struct winsize size = { .ws_row = 1 };
    check_that(ioctl(terminal, TIOCGWINSZ, &size) == 0, "its size can be asked for: %d by %d", size.ws_col, size.ws_row);
}

static void
group_check(void)
{
    struct stat status;
    pid_t group = tcgetpgrp(terminal);

    check_that(fstat(terminal, &status) == 0 && S_ISCHR(status.st_mode), "it is a character device");
    if (group < 0) {
        check_skip("foreground groups");
        return;
    }
    check_that(tcsetpgrp(terminal, getpgrp()) == 0 && tcgetpgrp(terminal) == getpgrp(), "one's own group in front");
    check_that(ioctl(terminal, TIOCSPGRP, &(pid_t) { -5 }) == -1 && errno == EINVAL, "no such group: EINVAL");
}

int
main(void)
{
    no_terminal_check();
    terminal = open("/dev/tty", O_RDWR);
    if (terminal < 0)
        terminal = dup(STDIN_FILENO);
    if (!isatty(terminal)) {
        check_skip("the rest, without a terminal");
        return check_end();
    }
    settings_check();
    size_check();
    group_check();
    return check_end();
}
