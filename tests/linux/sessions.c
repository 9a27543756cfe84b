/*
 * Whose terminal it is: foreground and background groups, what they may read, write and set, typed signals, orphaned
 * groups, sessions, and hang-up. The program types at its own terminal, by TIOCSTI.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "user/lib/outcome.h"

#define TERMINAL "/dev/ttyS0"

enum { NAP = 100000 };      /* us: for others to come to where they wait */

static int terminal;

static void
type(const char *text)
{
    for (; *text != '\0'; text++)
        ioctl(terminal, TIOCSTI, text);
}

/* Waits for news of a child, and tells them. Returns whether it still lives. */
static bool
news_show(pid_t child, const char *what)
{
    int status = 0;

    if (waitpid(child, &status, WUNTRACED | WCONTINUED) != child) {
        tell("%s: no child", what);
        return false;
    }
    tell("%s: %s", what, status_text(status));
    return WIFSTOPPED(status) || WIFCONTINUED(status);
}

static void
end(pid_t child)
{
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

/* A child in a group of its own, in the background. */
static pid_t
background(void (*body)(void))
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0);
        body();
        _exit(EXIT_SUCCESS);
    }
    setpgid(child, child);
    return child;
}

static void
output_stop(bool stops)
{
    struct termios settings;

    tcgetattr(terminal, &settings);
    settings.c_lflag = stops ? settings.c_lflag | TOSTOP : settings.c_lflag & ~(tcflag_t) TOSTOP;
    tcsetattr(terminal, TCSANOW, &settings);
}

/* ---- What the background may do ------------------------------------------------------------------------------------------------- */

static void
do_read(void)
{
    char bytes[8];
    outcome(read(terminal, bytes, sizeof bytes), "  read");
}

static void
do_read_nothing(void)
{
    char bytes[8];
    outcome(read(terminal, bytes, 0), "  read nothing");
}

static void do_write(void) { outcome(write(terminal, "  (written)\n", 12), "  write"); }
static void do_flush(void) { outcome(tcflush(terminal, TCIFLUSH), "  tcflush"); }
static void do_drain(void) { outcome(tcdrain(terminal), "  tcdrain"); }
static void do_flow(void) { outcome(tcflow(terminal, TCOON), "  tcflow"); }
static void do_take(void) { outcome(tcsetpgrp(terminal, getpid()), "  tcsetpgrp"); }
static void do_ask(void) { outcome(tcgetpgrp(terminal) == getppid(), "  tcgetpgrp"); }
static void do_type(void) { outcome(ioctl(terminal, TIOCSTI, "z"), "  TIOCSTI"); }
static void do_poll(void) { outcome(poll(&(struct pollfd){ .fd = terminal, .events = POLLIN | POLLOUT }, 1, 0), "  poll"); }

static void
do_set(void)
{
    struct termios settings;

    outcome(tcgetattr(terminal, &settings), "  tcgetattr");
    outcome(tcsetattr(terminal, TCSANOW, &settings), "  tcsetattr");
}

static void
do_resize(void)
{
    struct winsize size = { .ws_row = 24, .ws_col = 80 };
    outcome(ioctl(terminal, TIOCSWINSZ, &size), "  TIOCSWINSZ");
}

static const struct {
    const char *what;
    void (*body)(void);
    int signal;             /* that it would be stopped by */
    bool stops;             /* with TOSTOP */
} deeds[] = {
    { "read", do_read, SIGTTIN, false }, { "read nothing", do_read_nothing, SIGTTIN, false }, { "write", do_write, SIGTTOU, false },
    { "write with TOSTOP", do_write, SIGTTOU, true }, { "set", do_set, SIGTTOU, false }, { "resize", do_resize, SIGTTOU, false },
    { "flush", do_flush, SIGTTOU, false }, { "drain", do_drain, SIGTTOU, false }, { "flow", do_flow, SIGTTOU, false },
    { "take the terminal", do_take, SIGTTOU, false }, { "ask whose it is", do_ask, SIGTTOU, false }, { "type", do_type, SIGTTOU, false },
    { "poll", do_poll, SIGTTIN, false },
};

static size_t deed;

static void
do_ignoring(void)
{
    signal(deeds[deed].signal, SIG_IGN);
    deeds[deed].body();
}

static void
do_blocking(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, deeds[deed].signal);
    sigprocmask(SIG_BLOCK, &set, NULL);
    deeds[deed].body();
}

static void
caught(int signal)
{
    tell("  [%s]", signal_name(signal));
    _exit(3);
}

static void
do_catching(void)
{
    signal(deeds[deed].signal, caught);
    deeds[deed].body();
}

static void
deeds_show(void)
{
    static const struct {
        const char *how;
        void (*body)(void);
    } ways[] = { { "", NULL }, { ", ignoring", do_ignoring }, { ", blocking", do_blocking }, { ", catching", do_catching } };

    for (deed = 0; deed < sizeof deeds / sizeof *deeds; deed++) {
        for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
            char what[64];

            output_stop(deeds[deed].stops);
            snprintf(what, sizeof what, "background: %s%s", deeds[deed].what, ways[i].how);
            pid_t child = background(ways[i].body != NULL ? ways[i].body : deeds[deed].body);
            if (news_show(child, what))
                end(child);
            output_stop(false);
            signal(SIGTTOU, SIG_IGN);
            tcsetpgrp(terminal, getpgrp());
            signal(SIGTTOU, SIG_DFL);
            tcflush(terminal, TCIFLUSH);
        }
    }
}

/* Stopped in the background, brought to the front, and let go on. */
static void
foreground_show(void)
{
    pid_t child = background(do_read);

    news_show(child, "a reader in the background");
    outcome(tcsetpgrp(terminal, child), "it comes to the front");
    kill(-child, SIGCONT);
    news_show(child, "and goes on");
    type("to it\n");
    news_show(child, "it has read");
    signal(SIGTTOU, SIG_IGN);
    outcome(tcsetpgrp(terminal, getpgrp()), "back in front");
    signal(SIGTTOU, SIG_DFL);
}

/* ---- Typed signals ---------------------------------------------------------------------------------------------------------------- */

static void
do_sleep(void)
{
    for (;;)
        pause();
}

static void
typed_show(void)
{
    static const char keys[] = { 3, 034, 26 };

    signal(SIGTTOU, SIG_IGN);
    for (size_t i = 0; i < sizeof keys; i++) {
        pid_t front = background(do_sleep), behind = background(do_sleep);

        tcsetpgrp(terminal, front);
        type((char [2]) { keys[i] });
        if (news_show(front, ": the foreground group"))
            end(front);
        usleep(NAP);
        outcome(waitpid(behind, NULL, WNOHANG | WUNTRACED), "the other group");
        end(behind);
    }
    tcsetpgrp(terminal, getpgrp());
    signal(SIGTTOU, SIG_DFL);
}

/* ---- Errors of tcsetpgrp ------------------------------------------------------------------------------------------------------------ */

static void
groups_show(void)
{
    outcome(tcsetpgrp(terminal, -1), "the group -1 in front");
    outcome(tcsetpgrp(terminal, 0), "the group 0");
    outcome(tcsetpgrp(terminal, 30000), "a group that there is not");
    outcome(tcsetpgrp(terminal, 1), "a group of another session");
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        do_sleep();
    outcome(tcsetpgrp(terminal, child), "a process that leads no group");
    end(child);
    signal(SIGTTOU, SIG_IGN);
    outcome(tcsetpgrp(terminal, getpgrp()), "one's own again");
    signal(SIGTTOU, SIG_DFL);
    outcome(tcgetsid(terminal) == getsid(0), "tcgetsid tells the session");
    outcome(ioctl(terminal, TIOCSCTTY, 0), "TIOCSCTTY of one's own");
}

/* ---- Sessions ----------------------------------------------------------------------------------------------------------------------- */

/* In a session that has no terminal. */
static void
do_without(void)
{
    outcome(setsid() == getpid(), "setsid");
    outcome(open("/dev/tty", O_RDWR), "its /dev/tty");
    outcome(tcgetpgrp(terminal), "tcgetpgrp");
    outcome(tcgetsid(terminal), "tcgetsid");
    outcome(tcsetpgrp(terminal, getpid()), "tcsetpgrp");
    outcome(ioctl(terminal, TIOCNOTTY), "TIOCNOTTY");
    outcome(ioctl(terminal, TIOCSCTTY, 0), "TIOCSCTTY of another session's");
    outcome(write(terminal, "written\n", 8), "write");
    int file = open(TERMINAL, O_RDWR);
    outcome(file < 0 ? -1 : 0, "open the terminal");
    outcome(open("/dev/tty", O_RDWR), "it is not its own");
    setuid(1000);
    outcome(ioctl(terminal, TIOCSTI, "a"), "type, as another user");
}

static void
do_member(void)
{
    outcome(ioctl(terminal, TIOCSCTTY, 0), "TIOCSCTTY of a session's member");
    outcome(ioctl(terminal, TIOCNOTTY), "a member gives it up");
    outcome(tcgetpgrp(terminal), "tcgetpgrp");
    outcome(open("/dev/tty", O_RDWR), "its /dev/tty");
}

static volatile sig_atomic_t hung_up, continued;

static void
note(int signal)
{
    if (signal == SIGHUP)
        hung_up++;
    else
        continued++;
}

/* In the foreground when its session ends. */
static void
left_behind(int leader_has_ended)
{
    char bytes[8];
    struct pollfd wanted = { .fd = terminal, .events = POLLIN | POLLOUT };

    signal(SIGHUP, note);
    signal(SIGCONT, note);
    read(leader_has_ended, bytes, 1);
    while (hung_up == 0)
        usleep(NAP);
    usleep(NAP);
    ssize_t got = read(terminal, bytes, sizeof bytes);
    ssize_t written = write(terminal, "x", 1);
    int write_error = errno, ready = poll(&wanted, 1, 0);
    int group = ioctl(terminal, TIOCGPGRP, bytes), group_error = errno;
    int settings = tcgetattr(terminal, &(struct termios){ 0 }), settings_error = errno;
    int set = tcsetpgrp(terminal, getpid()), set_error = errno;

    close(terminal);
    int tty = open("/dev/tty", O_RDWR), tty_error = errno;
    /* Opened anew it works again. */
    terminal = open(TERMINAL, O_RDWR | O_NOCTTY);
    dup2(terminal, STDOUT_FILENO);
    tell("SIGHUP %d, SIGCONT %d", hung_up, continued);
    tell("read %zd, write %zd %s, poll %d %#x", got, written, error_name(write_error), ready, wanted.revents);
    tell("TIOCGPGRP %d %s, TCGETS %d %s, TIOCSPGRP %d %s, /dev/tty %d %s", group, error_name(group_error), settings,
         error_name(settings_error), set, error_name(set_error), tty, error_name(tty_error));
}

/* A session of its own, which gets the terminal; one of its children stays when it ends. */
static void
do_lead(void)
{
    int gate[2];

    setsid();
    terminal = open(TERMINAL, O_RDWR | O_NOCTTY);
    outcome(open("/dev/tty", O_RDWR), "O_NOCTTY: no /dev/tty");
    close(terminal);
    terminal = open(TERMINAL, O_RDWR);
    int own = open("/dev/tty", O_RDWR);
    outcome(own < 0 ? -1 : 0, "a leader that opens the terminal gets it");
    outcome(tcgetpgrp(terminal) == getpid(), "and is in front");
    pipe(gate);
    fflush(stdout);
    if (fork() == 0) {
        close(gate[1]);
        close(own);
        left_behind(gate[0]);
        _exit(EXIT_SUCCESS);
    }
}

static void
hang_up_show(void)
{
    signal(SIGHUP, note);
    signal(SIGCONT, note);
    outcome(ioctl(terminal, TIOCNOTTY), "the leader gives the terminal up");
    tell("SIGHUP %d, SIGCONT %d", hung_up, continued);
    outcome(tcgetpgrp(terminal), "tcgetpgrp");
    outcome(open("/dev/tty", O_RDWR), "its /dev/tty");
    outcome(ioctl(terminal, TIOCSCTTY, 0), "and takes it again");
    outcome(tcgetpgrp(terminal) == getpgrp(), "it is in front");
    outcome(ioctl(terminal, TIOCNOTTY), "it gives it up");
    fflush(stdout);
    pid_t leader = fork();
    if (leader == 0) {
        do_lead();
        _exit(EXIT_SUCCESS);
    }
    waitpid(leader, NULL, 0);
    usleep(8 * NAP);
}

int
main(void)
{
    terminal = open("/dev/tty", O_RDWR);
    deeds_show();
    foreground_show();
    typed_show();
    groups_show();
    outcome_of_child(do_without, "a session without a terminal");
    outcome_of_child(do_member, "a member");
    hang_up_show();
    return EXIT_SUCCESS;
}
