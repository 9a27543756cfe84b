/*
 * The line discipline: what typed characters show, and what a read gets. The program types at its own terminal, by TIOCSTI.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "user/lib/outcome.h"

enum {
    READ_BYTES = 16,        /* asked for by each read of show_input */
    READS = 12,             /* at most, of show_input */
    LONG_LINE = 5000,
    PAUSE = 100000,         /* us until the alarm's handler types */
};

static const struct termios usual = {
    .c_iflag = ICRNL,
    .c_oflag = OPOST | ONLCR,
    .c_cflag = B38400 | CS8 | CREAD | CLOCAL,
    .c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
    .c_cc = { [VINTR] = 3, [VQUIT] = 034, [VSUSP] = 26, [VEOF] = 4, [VERASE] = 0177, [VKILL] = 21, [VWERASE] = 23, [VLNEXT] = 22,
              [VREPRINT] = 18, [VMIN] = 1 },
};

static int terminal, impatient;     /* the terminal, blocking and not */

static void
type_bytes(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (ioctl(terminal, TIOCSTI, text + i) != 0)
            tell("TIOCSTI: %s", error_name(errno));
}

static void
type(const char *text)
{
    type_bytes(text, strlen(text));
}

static void
bytes_show(const char *bytes, ssize_t count)
{
    putchar('"');
    for (ssize_t i = 0; i < count; i++)
        if (bytes[i] >= ' ' && bytes[i] < 0177)
            putchar(bytes[i]);
        else
            printf("\\%03o", (unsigned char) bytes[i]);
    putchar('"');
}

/* A read's result: the bytes, of many the last ones, or the error. */
static ssize_t
read_show(int file, size_t bytes)
{
    char text[2 * LONG_LINE];
    ssize_t got = read(file, text, bytes);

    putchar(' ');
    if (got < 0)
        printf("%s", error_name(errno));
    else if (got > READS * READ_BYTES)
        printf("%zd bytes, the last of them ", got);
    if (got > READS * READ_BYTES)
        bytes_show(text + got - READ_BYTES, READ_BYTES);
    else if (got >= 0)
        bytes_show(text, got);
    return got;
}

static void
line_end(void)
{
    putchar('\n');
    fflush(stdout);
}

/* All that can be read now. */
static void
input_show(void)
{
    int waiting = -1;

    ioctl(terminal, FIONREAD, &waiting);
    printf("    %d waiting:", waiting);
    for (int i = 0; i < READS && read_show(impatient, READ_BYTES) >= 0; i++)
        ;
    line_end();
}

static void
settings_set(const struct termios *settings)
{
    if (tcsetattr(terminal, TCSAFLUSH, settings) != 0)
        tell("tcsetattr: %s", error_name(errno));
}

/* ---- Lines ------------------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *what;
    tcflag_t input, local_off, local_on;
    const char *typed;
} lines[] = {
    { "a line", 0, 0, 0, "hello\r" },
    { "two lines and a half", 0, 0, 0, "one\ntwo\nthr" },
    { "a line longer than a read", 0, 0, 0, "a line longer than a read\n" },
    { "nothing but its end", 0, 0, 0, "\n\n" },
    { "a control character", 0, 0, 0, "a\001b\033c\n" },
    { "the same without ECHOCTL", 0, ECHOCTL, 0, "a\001b\n" },
    { "erase", 0, 0, 0, "abc\177\177d\n" },
    { "erase at the beginning", 0, 0, 0, "a\177\177\177b\n" },
    { "erase a control character", 0, 0, 0, "a\001\177b\n" },
    { "erase a tab", 0, 0, 0, "ab\tc\177\177d\n" },
    { "erase two tabs", 0, 0, 0, "a\t\001\t\177\177d\n" },
    { "erase without ECHOE", 0, ECHOE, 0, "abc\177d\n" },
    { "erase without ECHO", 0, ECHO, 0, "abc\177d\n" },
    { "erase a character of two bytes as UTF-8", IUTF8, 0, 0, "a\303\244\177b\n" },
    { "erase one of two bytes", 0, 0, 0, "a\303\244\177b\n" },
    { "kill", 0, 0, 0, "abc\001def\025g\n" },
    { "kill an empty line", 0, 0, 0, "\025g\n" },
    { "kill without ECHOKE", 0, ECHOKE, 0, "abc\025d\n" },
    { "kill without ECHOKE and ECHOK", 0, ECHOKE | ECHOK, 0, "abc\025d\n" },
    { "kill without ECHOE", 0, ECHOE, 0, "abc\025d\n" },
    { "kill without ECHO", 0, ECHO, 0, "abc\025d\n" },
    { "erase a word", 0, 0, 0, "one two\027three\n" },
    { "erase a word and the blanks behind it", 0, 0, 0, "one two  \t\027three\n" },
    { "erase a word of letters and signs", 0, 0, 0, "cd /usr/local-1_b/\027\n" },
    { "erase words until there is none", 0, 0, 0, "a b\027\027\027c\n" },
    { "erase a word without IEXTEN", 0, IEXTEN, 0, "a b\027\n" },
    { "literal interrupt", 0, 0, 0, "a\026\003b\n" },
    { "literal end of line", 0, 0, 0, "a\026\nb\n" },
    { "literal without IEXTEN", 0, IEXTEN, 0, "a\026b\n" },
    { "literal without ECHO", 0, ECHO, 0, "a\026\004b\n" },
    { "reprint", 0, 0, 0, "abc\001\022d\n" },
    { "end of file in a line", 0, 0, 0, "ab\004cd\n" },
    { "end of file alone", 0, 0, 0, "\004a\n" },
    { "end of file twice in a line", 0, 0, 0, "ab\004\004cd\n" },
    { "end of file after a line", 0, 0, 0, "a\n\004b\n" },
    { "end of file behind 16 bytes", 0, 0, 0, "0123456789abcdef\004b\n" },
    { "erase behind an end of file", 0, 0, 0, "ab\004\177c\n" },
    { "a zero byte's name", 0, 0, 0, "a\200b\n" },
    { "without ECHO", 0, ECHO, 0, "hidden\n" },
    { "without ECHO, with ECHONL", 0, ECHO, ECHONL, "hidden\n" },
    { "without ICRNL", 0x80000000, 0, 0, "a\rb\n" },
    { "IGNCR", IGNCR, 0, 0, "a\rb\n" },
    { "INLCR", INLCR, 0, 0, "a\nb\r" },
    { "ISTRIP", ISTRIP, 0, 0, "\341\342\n" },
    { "IUCLC", IUCLC, 0, 0, "ABCd\n" },
    { "raw", 0, ICANON | ECHO, 0, "a\177\025\004\n" },
    { "raw with echo", 0, ICANON, 0, "ab\177\n" },
    { "raw with an interrupt", 0, ICANON | ECHO, 0, "ab\003cd" },
    { "raw without signals", 0, ICANON | ECHO | ISIG, 0, "ab\003cd" },
    { "interrupt", 0, 0, 0, "abc\ndef\003gh\n" },
    { "interrupt with NOFLSH", 0, 0, NOFLSH, "abc\ndef\003gh\n" },
    { "interrupt without ISIG", 0, ISIG, 0, "ab\003\034\032\n" },
    { "interrupt without ECHO", 0, ECHO, 0, "ab\003c\n" },
    { "quit", 0, 0, 0, "ab\034c\n" },
    { "suspend", 0, 0, 0, "ab\032c\n" },
};

static void
signal_tell(int signal)
{
    tell("[%s]", signal_name(signal));
}

static void
lines_show(void)
{
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct termios settings = usual;

        settings.c_iflag = lines[i].input == 0x80000000 ? 0 : usual.c_iflag | lines[i].input;
        settings.c_lflag = (usual.c_lflag & ~lines[i].local_off) | lines[i].local_on;
        settings_set(&settings);
        tell("%s:", lines[i].what);
        type(lines[i].typed);
        tell("|");
        input_show();
    }
    settings_set(&usual);
}

static void
ends_show(void)
{
    struct termios settings = usual;

    settings.c_cc[VEOL] = ';';
    settings.c_cc[VEOL2] = '!';
    settings.c_cc[VERASE] = '#';
    settings.c_cc[VKILL] = '@';
    settings.c_cc[VINTR] = 0;
    settings_set(&settings);
    tell("other characters end lines:");
    type("a;b!c#d\177@e\003f\n");
    tell("|");
    input_show();
    settings_set(&usual);
}

static void
long_line_show(void)
{
    struct termios settings = usual;
    static char text[LONG_LINE];
    int waiting = -1;

    for (int i = 0; i < LONG_LINE; i++)
        text[i] = (char) ('a' + i % 26);
    settings.c_lflag &= ~(tcflag_t) ECHO;
    settings_set(&settings);
    type_bytes(text, sizeof text);
    tcsetattr(terminal, TCSANOW, &usual);
    type("0123");
    line_end();
    ioctl(terminal, FIONREAD, &waiting);
    tell("a long line: %d waiting", waiting);
    type("\n");
    ioctl(terminal, FIONREAD, &waiting);
    tell("its end: %d waiting", waiting);
    printf("read:");
    read_show(impatient, sizeof text);
    line_end();
    input_show();
    settings_set(&usual);
}

/* What is typed ahead when the mode changes. */
static void
change_show(void)
{
    struct termios raw = usual;

    raw.c_lflag &= ~(tcflag_t) (ICANON | ECHO);
    tell("half a line, then raw mode:");
    type("line\nhal");
    tcsetattr(terminal, TCSANOW, &raw);
    tell("|");
    input_show();
    tell("raw input, then lines:");
    type("raw");
    tcsetattr(terminal, TCSANOW, &usual);
    tell("|");
    input_show();
    type("more\n");
    input_show();
    tell("TCSAFLUSH throws input away:");
    type("line\nhal");
    settings_set(&usual);
    tell("|");
    input_show();
}

/* ---- Raw reads: VMIN and VTIME ------------------------------------------------------------------------------------------------- */

/* A child that types, a character after each pause. */
static pid_t
type_later(const char *text)
{
    fflush(stdout);
    pid_t child = fork();
    if (child != 0)
        return child;
    for (; *text != '\0'; text++) {
        usleep(PAUSE);
        type_bytes(text, 1);
    }
    _exit(EXIT_SUCCESS);
}

static const struct {
    unsigned char minimum, time;
    size_t bytes;
    const char *now, *later;
} raw_reads[] = {
    { 1, 0, 8, "abc", "" }, { 1, 0, 2, "abc", "" }, { 3, 0, 8, "ab", "cd" }, { 3, 0, 2, "a", "bcd" }, { 0, 0, 8, "", "" },
    { 0, 0, 8, "ab", "" }, { 0, 5, 8, "", "" }, { 0, 5, 8, "", "x" }, { 0, 5, 8, "ab", "" }, { 3, 5, 8, "ab", "" }, { 3, 3, 8, "", "ab" },
    { 3, 5, 8, "a", "bc" }, { 3, 5, 1, "ab", "" }, { 10, 1, 8, "abc", "" }, { 2, 0, 0, "ab", "" },
};

static void
raw_reads_show(void)
{
    for (size_t i = 0; i < sizeof raw_reads / sizeof *raw_reads; i++) {
        struct termios raw = usual;
        struct pollfd wanted = { .fd = terminal, .events = POLLIN };

        raw.c_lflag &= ~(tcflag_t) (ICANON | ECHO);
        raw.c_cc[VMIN] = raw_reads[i].minimum;
        raw.c_cc[VTIME] = raw_reads[i].time;
        settings_set(&raw);
        type(raw_reads[i].now);
        printf("VMIN %d VTIME %d, %zu bytes wanted, poll %d:", raw.c_cc[VMIN], raw.c_cc[VTIME], raw_reads[i].bytes, poll(&wanted, 1, 0));
        pid_t child = type_later(raw_reads[i].later);
        read_show(terminal, raw_reads[i].bytes);
        line_end();
        waitpid(child, NULL, 0);
        /* Without VMIN there is no end of what can be read. */
        raw.c_cc[VMIN] = 1;
        tcsetattr(terminal, TCSANOW, &raw);
        input_show();
    }
    settings_set(&usual);
}

static void
type_a_line(int signal)
{
    (void) signal;
    type("ab\n");
}

/* Signals while a read waits. */
static void
interrupted_show(void)
{
    static const struct {
        const char *what;
        int flags;
        tcflag_t off;
        const char *typed;
    } reads[] = {
        { "a line", 0, 0, "" }, { "a line, SA_RESTART", SA_RESTART, 0, "" }, { "half a line", 0, 0, "x" },
        { "five bytes", 0, ICANON, "x" }, { "five bytes, SA_RESTART", SA_RESTART, ICANON, "x" },
    };

    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++) {
        struct sigaction action = { .sa_handler = type_a_line, .sa_flags = reads[i].flags };
        struct termios settings = usual;

        settings.c_lflag &= ~(reads[i].off | ECHO);
        settings.c_cc[VMIN] = 5;
        settings_set(&settings);
        sigaction(SIGALRM, &action, NULL);
        type(reads[i].typed);
        printf("%s, and a signal:", reads[i].what);
        setitimer(ITIMER_REAL, &(struct itimerval){ { 0, 0 }, { 0, PAUSE } }, NULL);
        read_show(terminal, 8);
        line_end();
        input_show();
    }
    settings_set(&usual);
}

/* ---- Calls ------------------------------------------------------------------------------------------------------------------------ */

static void
ready_show(const char *when)
{
    struct pollfd wanted = { .fd = terminal, .events = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM | POLLPRI | POLLHUP };
    fd_set in, out;

    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_SET(terminal, &in);
    FD_SET(terminal, &out);
    poll(&wanted, 1, 0);
    select(terminal + 1, &in, &out, NULL, &(struct timeval){ 0, 0 });
    tell("%s: poll %#x, select %d %d", when, wanted.revents, FD_ISSET(terminal, &in) != 0, FD_ISSET(terminal, &out) != 0);
}

static void
poll_show(void)
{
    tell("readiness");
    ready_show("nothing typed");
    type("ab");
    tell("|");
    ready_show("half a line");
    type("\n");
    ready_show("a line");
    input_show();
    type("\004");
    ready_show("an end of file");
    input_show();
}

static void
flush_show(void)
{
    int waiting = -1;

    type("line\nhalf");
    tell("|");
    outcome(tcflush(terminal, TCOFLUSH), "flush output");
    ioctl(terminal, FIONREAD, &waiting);
    tell("%d waiting", waiting);
    outcome(tcflush(terminal, TCIFLUSH), "flush input");
    input_show();
    type("x\n");
    outcome(tcflush(terminal, TCIOFLUSH), "flush both");
    input_show();
    outcome(tcflush(terminal, 3), "flush what there is not");
    outcome(tcdrain(terminal), "tcdrain");
    outcome(ioctl(terminal, TIOCOUTQ, &waiting), "ask for output that waits");
    outcome(tcflow(terminal, TCOOFF), "stop output");
    outcome(tcflow(terminal, TCOON), "let it go on");
    outcome(tcflow(terminal, 4), "what there is not");
    outcome(tcsendbreak(terminal, 0), "tcsendbreak");
}

static void
resized(int signal)
{
    (void) signal;
    tell("SIGWINCH");
}

static void
size_show(void)
{
    struct winsize size = { .ws_row = 33, .ws_col = 77, .ws_xpixel = 5, .ws_ypixel = 6 }, now = { 0 };

    signal(SIGWINCH, resized);
    outcome(ioctl(terminal, TIOCSWINSZ, &size), "set the size");
    outcome(ioctl(terminal, TIOCSWINSZ, &size), "set the same");
    outcome(ioctl(terminal, TIOCGWINSZ, &now), "get it");
    tell("it is %d %d %d %d", now.ws_row, now.ws_col, now.ws_xpixel, now.ws_ypixel);
    size.ws_xpixel = 0;
    outcome(ioctl(terminal, TIOCSWINSZ, &size), "other pixels");
    outcome(ioctl(terminal, TIOCSWINSZ, NULL), "a size nowhere");
    outcome(ioctl(terminal, TIOCGWINSZ, (void *) 4096), "to nowhere");
    size.ws_row = 25;
    size.ws_col = 80;
    ioctl(terminal, TIOCSWINSZ, &size);
}

static void
errors_show(void)
{
    struct termios settings;
    struct stat status;
    int word = 0;

    outcome(tcgetattr(terminal, &settings), "tcgetattr");
    tell("%#x %#x %#x", settings.c_iflag, settings.c_oflag, settings.c_lflag);
    outcome(ioctl(terminal, TCGETS, NULL), "TCGETS to nowhere");
    outcome(ioctl(terminal, TCSETS, NULL), "TCSETS from nowhere");
    outcome(ioctl(terminal, TIOCSTI, NULL), "TIOCSTI from nowhere");
    outcome(ioctl(terminal, FIONREAD, NULL), "FIONREAD to nowhere");
    outcome(ioctl(terminal, TIOCGPGRP, NULL), "TIOCGPGRP to nowhere");
    outcome(ioctl(terminal, TIOCSPGRP, NULL), "TIOCSPGRP from nowhere");
    outcome(ioctl(terminal, 0x5499, &word), "no such ioctl");
    outcome(ioctl(terminal, TIOCGETD, &word), "the line discipline");
    outcome(lseek(terminal, 0, SEEK_SET), "lseek");
    outcome(pread(terminal, &word, 1, 0), "pread");
    outcome(pwrite(terminal, &word, 1, 0), "pwrite");
    outcome(ftruncate(terminal, 0), "ftruncate");
    outcome(fsync(terminal), "fsync");
    outcome_pointer(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, terminal, 0), "mmap");
    outcome(write(terminal, NULL, 1), "write from nowhere");
    outcome(write(terminal, NULL, 0), "write nothing");
    outcome(read(terminal, NULL, 0), "read nothing");
    type("xy\n");
    outcome(read(terminal, NULL, 4), "read to nowhere");
    fstat(terminal, &status);
    tell("a character device: %d", S_ISCHR(status.st_mode));
    outcome(isatty(terminal), "isatty");
    tcflush(terminal, TCIFLUSH);
    outcome(fcntl(terminal, F_GETFL) & (O_ACCMODE | O_NONBLOCK | O_APPEND), "its flags");
}

int
main(void)
{
    terminal = open("/dev/tty", O_RDWR);
    impatient = open("/dev/tty", O_RDWR | O_NONBLOCK);
    signal(SIGINT, signal_tell);
    signal(SIGQUIT, signal_tell);
    signal(SIGTSTP, signal_tell);
    lines_show();
    ends_show();
    long_line_show();
    change_show();
    raw_reads_show();
    interrupted_show();
    poll_show();
    flush_show();
    size_show();
    errors_show();
    return EXIT_SUCCESS;
}
