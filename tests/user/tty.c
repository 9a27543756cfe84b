/*
 * The terminal: its settings, size and foreground group, what output processing
 * does, and that other files are no terminals. Standard input and output must be
 * the console, as they are for process 1; elsewhere most of it is skipped. What a
 * line does is tried on the second one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "user/lib/check.h"

static int terminal;

static void
ignore(int signal)
{
    (void) signal;
}

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

/* struct termios2 of the kernel, whose header musl's do not go together with. */
struct settings_with_speeds {
    tcflag_t input, output, control, local;
    cc_t line, characters[19];
    unsigned input_speed, output_speed;
};

#define GET_WITH_SPEEDS _IOR('T', 0x2A, struct settings_with_speeds)
#define SET_WITH_SPEEDS _IOW('T', 0x2B, struct settings_with_speeds)

static void
speeds_check(void)
{
    struct settings_with_speeds settings;
    struct termios before, after;

    tcgetattr(terminal, &before);
    check_that(ioctl(terminal, GET_WITH_SPEEDS, &settings) == 0 && settings.local == before.c_lflag
               && settings.characters[VEOF] == before.c_cc[VEOF] && settings.output_speed == settings.input_speed
               && settings.output_speed >= 9600, "TCGETS2 reads the settings and the speeds");
    settings.control = (settings.control & ~CBAUD) | B19200;
    settings.output_speed = settings.input_speed = 50;
    settings.local &= ~ECHO;
    check_that(ioctl(terminal, SET_WITH_SPEEDS, &settings) == 0 && tcgetattr(terminal, &after) == 0
               && cfgetospeed(&after) == B19200 && !(after.c_lflag & ECHO), "TCSETS2 sets both");
    check_that(ioctl(terminal, GET_WITH_SPEEDS, &settings) == 0 && settings.output_speed == 19200
               && settings.input_speed == 19200, "the flags say which speed it is");
    cfsetospeed(&after, B57600);
    check_that(tcsetattr(terminal, TCSANOW, &after) == 0 && ioctl(terminal, GET_WITH_SPEEDS, &settings) == 0
               && settings.output_speed == 57600, "so they do for TCSETS");
    check_that(refused(ioctl(terminal, GET_WITH_SPEEDS, 1), EFAULT) && refused(ioctl(terminal, SET_WITH_SPEEDS, 1), EFAULT),
               "bad pointers are EFAULT");
    tcsetattr(terminal, TCSANOW, &before);
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

static int
asked(unsigned long command)
{
    int value = -1;

    return ioctl(terminal, command, &value) == 0 ? value : -1;
}

/* Types as a person would. */
static void
type(const char *text)
{
    for (; *text != '\0'; text++)
        ioctl(terminal, TIOCSTI, text);
}

static bool
is_writable(void)
{
    struct pollfd wanted = { .fd = terminal, .events = POLLOUT };

    return poll(&wanted, 1, 0) == 1;
}

/* Output that ^S or tcflow has stopped: what is written is thrown away here, not shown. */
static void
flow_check(void)
{
    static char bytes[5000];
    struct sigaction action = { .sa_handler = ignore }, before;

    sigaction(SIGALRM, &action, &before);
    fcntl(terminal, F_SETFL, O_RDWR | O_NONBLOCK);
    type("\x13");
    check_that(write(terminal, "held", 4) == 4 && asked(TIOCOUTQ) == 4 && is_writable(), "after ^S what is written is held");
    check_that(write(terminal, bytes, 300) == 300 && !is_writable(), "with more held it is not writable for poll");
    check_that(write(terminal, bytes, sizeof bytes) < 4096 && refused(write(terminal, bytes, 1), EAGAIN), "there is room for a page");
    fcntl(terminal, F_SETFL, O_RDWR);
    ualarm(20000, 0);
    check_that(refused(write(terminal, bytes, 1), EINTR), "then a write waits");
    ualarm(20000, 0);
    check_that(refused(tcdrain(terminal), EINTR), "and tcdrain does");
    check_that(tcflush(terminal, TCOFLUSH) == 0 && asked(TIOCOUTQ) == 0 && tcdrain(terminal) == 0, "tcflush throws it away");
    type("\x11");
    check_that(tcflow(terminal, TCOOFF) == 0 && write(terminal, "\n", 1) == 1 && asked(TIOCOUTQ) > 0, "tcflow holds output");
    type("\x11");
    check_that(asked(TIOCOUTQ) > 0 && tcflow(terminal, TCOON) == 0 && asked(TIOCOUTQ) == 0, "and ^Q does not help then");
    check_that(refused(tcflow(terminal, 9), EINVAL) && refused(tcflush(terminal, 9), EINVAL), "there is nothing else: EINVAL");
    sigaction(SIGALRM, &before, NULL);
}

static void
stranger_body(void)
{
    setresuid(1000, 1000, 1000);
    check_that(refused(open("/dev/tty", O_RDWR), EBUSY), "another user cannot open it then: EBUSY");
    check_that(refused(vhangup(), EPERM) && refused(ioctl(terminal, TIOCVHANGUP), EPERM), "nor hang it up: EPERM");
    setsid();
    check_that(refused(ioctl(terminal, TIOCSCTTY, 1), EPERM), "nor take it from its session: EPERM");
}

static void
line_check(void)
{
    struct { unsigned short input, output, control, local; unsigned char line, characters[8]; } brief;
    struct termios before, after;
    int modem = asked(TIOCMGET), other = 5;

    check_that((modem & (TIOCM_DTR | TIOCM_RTS | TIOCM_CTS | TIOCM_CAR)) == (TIOCM_DTR | TIOCM_RTS | TIOCM_CTS | TIOCM_CAR), "the line is ready");
    check_that(ioctl(terminal, TIOCMBIC, &(int) { TIOCM_RTS | TIOCM_CAR }) == 0 && asked(TIOCMGET) == (modem & ~TIOCM_RTS), "what is ours can be dropped");
    check_that(ioctl(terminal, TIOCMSET, &modem) == 0 && asked(TIOCMGET) == modem, "and raised");
    check_that(asked(TIOCGETD) == 0 && ioctl(terminal, TIOCSETD, &(int) { 0 }) == 0 && refused(ioctl(terminal, TIOCSETD, &other), EINVAL), "there is one line discipline");
    tcgetattr(terminal, &before);
    check_that(ioctl(terminal, TCGETA, &brief) == 0 && brief.local == (unsigned short) before.c_lflag && brief.characters[VINTR] == 3, "System V's form of the settings");
    brief.local &= ~ECHO;
    check_that(ioctl(terminal, TCSETA, &brief) == 0 && tcgetattr(terminal, &after) == 0 && after.c_lflag == (before.c_lflag & ~ECHO) && after.c_iflag == before.c_iflag, "sets them");
    tcsetattr(terminal, TCSANOW, &before);
    check_that(ioctl(terminal, TIOCEXCL) == 0 && asked(TIOCGEXCL) == 1, "it can be kept for root");
    if (geteuid() == 0)
        check_child(stranger_body);
    else
        check_skip("another user");
    check_that(ioctl(terminal, TIOCNXCL) == 0 && asked(TIOCGEXCL) == 0, "and given free");
}

static volatile sig_atomic_t hung_up;

static void
note_hang_up(int signal)
{
    (void) signal;
    hung_up++;
}

/* vhangup tells the session's leader, and not who is in the foreground. */
static void
hang_up_check(void)
{
    struct sigaction note = { .sa_handler = note_hang_up };
    pid_t child = check_fork();

    if (child == 0)
        for (;;)
            pause();
    sigaction(SIGHUP, &note, NULL);
    setpgid(child, child);
    check_that(tcsetpgrp(terminal, child) == 0 && vhangup() == 0 && hung_up == 1, "vhangup: the session's leader is told by SIGHUP");
    kill(child, SIGTERM);
    check_that(check_wait(child) == SIGTERM, "the foreground is not");
}

/* In a new session: takes the second line, on which nothing is shown that others wait for, and loses it. */
static void
second_body(void)
{
    struct termios settings;
    char line[16];

    setsid();
    terminal = open("/dev/ttyS1", O_RDWR);
    check_that(terminal >= 0 && asked(TIOCGSID) == getpid() && tcgetpgrp(terminal) == getpgrp(), "the second line becomes the terminal of a session without one");
    check_that(tcgetattr(terminal, &settings) == 0 && (settings.c_lflag & ICANON), "it has settings of its own");
    type("typed\n");
    check_that(read(terminal, line, sizeof line) == 6 && memcmp(line, "typed\n", 6) == 0, "what comes from it is read");
    flow_check();
    line_check();
    hang_up_check();
    check_that(read(terminal, line, 1) == 0 && refused(write(terminal, "x", 1), EIO) && refused(tcgetpgrp(terminal), EIO),
               "after vhangup it is at its end, and EIO");
    check_that(refused(open("/dev/tty", O_RDWR), ENXIO), "and nobody's terminal: ENXIO");
}

static void
second_check(void)
{
    struct termios settings;
    int second = open("/dev/ttyS1", O_RDWR | O_NOCTTY);

    if (tcgetattr(second, &settings) == 0 && geteuid() == 0)
        check_that(check_child(second_body) == 0, "a second line");
    else
        check_skip("a second line");
    close(second);
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
    speeds_check();
    size_check();
    group_check();
    second_check();
    return check_end();
}
