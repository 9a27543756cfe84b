/*
 * The terminal as processes see it: read, write, settings, and whose it is. What typed characters do is in
 * terminal_input.c.
 *
 * Reading: bytes are looked at with interrupts disabled, copied to the user with them enabled (the copy may sleep),
 * and taken afterwards, unless the input was thrown away meanwhile. So a bad pointer consumes nothing.
 */
#include "kernel/terminal.h"

#include "drivers/timer.h"
#include "kernel/console.h"
#include "kernel/lib/string.h"
#include "kernel/pid.h"
#include "kernel/process.h"
#include "kernel/session.h"
#include "kernel/signal.h"
#include "kernel/x86/cpu.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <asm/ioctls.h>
#include <linux/fcntl.h>
#include <linux/poll.h>

#define TERMINAL_COPY_BYTES 256u                        /* copied at a time: lies on the kernel stack */
#define TERMINAL_ROWS 25
#define TERMINAL_COLUMNS 80
#define TERMINAL_TAB 8u
#define NANOSECONDS_PER_DECISECOND 100000000u           /* VTIME's unit */

#define CONTROL(letter) ((letter) & 0x1f)

static struct terminal terminal_console;

static const struct termios terminal_initial_settings = {
    .c_iflag = ICRNL,
    .c_oflag = OPOST | ONLCR,
    .c_cflag = B38400 | CS8 | CREAD | HUPCL,
    .c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
    .c_cc = {
        [VINTR] = CONTROL('C'), [VQUIT] = CONTROL('\\'), [VSUSP] = CONTROL('Z'), [VEOF] = CONTROL('D'),
        [VERASE] = 0x7f, [VKILL] = CONTROL('U'), [VWERASE] = CONTROL('W'), [VLNEXT] = CONTROL('V'), [VMIN] = 1,
    },
};

/* ---- output ---- */

static void
terminal_follow_column(struct terminal *terminal, char character)
{
    if (character == '\r')
        terminal->column = 0;
    else if (character == '\b')
        terminal->column -= terminal->column > 0;
    else if (character == '\t')
        terminal->column += TERMINAL_TAB - terminal->column % TERMINAL_TAB;
    else if ((u8)character >= ' ')
        terminal->column++;
}

void
terminal_print(struct terminal *terminal, const char *text, usize length)
{
    bool translate = (terminal->settings.c_oflag & (OPOST | ONLCR)) == (OPOST | ONLCR);
    usize start = 0;

    for (usize i = 0; i < length; i++) {
        if (text[i] == '\n' && translate) {
            terminal->output(text + start, i - start);
            terminal->output("\r\n", 2);
            terminal->column = 0;
            start = i + 1;
        } else {
            terminal_follow_column(terminal, text[i]);
        }
    }
    terminal->output(text + start, length - start);
}

s32
terminal_write(struct terminal *terminal, struct transfer *transfer)
{
    char text[TERMINAL_COPY_BYTES];
    u32 done = 0;

    while (transfer->remaining > 0) {
        u32 bytes = transfer->remaining < sizeof(text) ? transfer->remaining : sizeof(text);
        u32 copied = transfer_in(transfer, text, bytes);

        terminal_print(terminal, text, copied);
        done += copied;
        if (copied < bytes)
            return done > 0 ? (s32)done : -EFAULT;
    }
    return done;
}

/* ---- input ---- */

static bool
terminal_is_canonical(const struct terminal *terminal)
{
    return terminal->settings.c_lflag & ICANON;
}

u32
terminal_readable(const struct terminal *terminal)
{
    return terminal->finished - terminal->taken;
}

static bool
terminal_ends_line(const struct terminal *terminal, u32 position)
{
    u32 index = position % TERMINAL_INPUT_BYTES;

    return terminal->line_ends[index / 8] & 1u << index % 8;
}

/* What ^D left: the end of a line that has no character. */
static bool
terminal_is_end_of_file(const struct terminal *terminal, u32 position)
{
    return terminal_ends_line(terminal, position) && terminal->input[position % TERMINAL_INPUT_BYTES] == '\0';
}

/*
 * Copies what a read of `wanted` bytes gets next, and says whether the read ends with it. Returns the bytes;
 * interrupts disabled.
 */
static u32
terminal_look(const struct terminal *terminal, u8 *bytes, u32 wanted, bool *ends)
{
    u32 count = 0;

    *ends = false;
    while (count < wanted && terminal->taken + count != terminal->finished && !*ends) {
        u32 position = terminal->taken + count;

        if (terminal_is_canonical(terminal)) {
            if (terminal_is_end_of_file(terminal, position))
                break;
            *ends = terminal_ends_line(terminal, position);
        }
        bytes[count++] = terminal->input[position % TERMINAL_INPUT_BYTES];
    }
    return count;
}

/* Removes what was copied out, and an end of file that follows it; true if there was one. */
static bool
terminal_consume(struct terminal *terminal, u32 from, u32 count)
{
    u32 state = interrupts_save();
    bool end_of_file = false;

    if (terminal->taken == from) {
        /* What follows the end of a line belongs to the next read. */
        bool line_ended = count > 0 && terminal_ends_line(terminal, from + count - 1);

        terminal->taken += count;
        if (terminal_is_canonical(terminal) && terminal_readable(terminal) > 0 && !line_ended)
            end_of_file = terminal_is_end_of_file(terminal, terminal->taken);
        terminal->taken += end_of_file;
    }
    interrupts_restore(state);
    return end_of_file;
}

/* Copies out what can be read now: bytes (0: an end of file, or nothing there), or -EFAULT with nothing consumed. */
static s32
terminal_take(struct terminal *terminal, struct transfer *transfer)
{
    u8 bytes[TERMINAL_COPY_BYTES];
    u32 done = 0;
    bool ends = false;

    while (transfer->remaining > 0 && !ends) {
        u32 wanted = transfer->remaining < sizeof(bytes) ? transfer->remaining : sizeof(bytes);
        u32 state = interrupts_save();
        u32 from = terminal->taken;
        u32 count = terminal_look(terminal, bytes, wanted, &ends);
        u32 copied;

        interrupts_restore(state);
        copied = transfer_out(transfer, bytes, count);
        if (copied == 0 && count > 0)
            return done > 0 ? (s32)done : -EFAULT;
        ends |= terminal_consume(terminal, from, copied) || copied < wanted;
        done += copied;
    }
    return done;
}

/* Bytes that must be there before a read of `wanted` bytes goes on. */
static u32
terminal_minimum(const struct terminal *terminal, u32 wanted)
{
    u32 minimum = terminal->settings.c_cc[VMIN];

    if (terminal_is_canonical(terminal))
        return 1;
    if (minimum == 0)
        return terminal->settings.c_cc[VTIME] > 0;
    return minimum < wanted ? minimum : wanted;
}

/*
 * When raw mode's VTIME ends a wait that begins now. With VMIN it is the longest time between two bytes, and does not
 * run before the first; without, it is the longest time to the first.
 */
static u64
terminal_deadline(const struct terminal *terminal)
{
    u32 deciseconds = terminal->settings.c_cc[VTIME];

    if (terminal_is_canonical(terminal) || deciseconds == 0)
        return WAIT_FOREVER;
    if (terminal->settings.c_cc[VMIN] > 0 && terminal_readable(terminal) == 0)
        return WAIT_FOREVER;
    return timer_nanoseconds() + (u64)deciseconds * NANOSECONDS_PER_DECISECOND;
}

/*
 * Sleeps until a read of `wanted` bytes can go on: 0, -EAGAIN, -ERESTARTSYS, or -ETIMEDOUT where VTIME has run out.
 */
static int
terminal_wait(struct terminal *terminal, u32 wanted, bool nonblocking)
{
    u32 state = interrupts_save();
    u64 deadline = terminal_deadline(terminal);
    int error = 0;

    if (nonblocking && terminal_readable(terminal) == 0 && terminal_minimum(terminal, wanted) > 0)
        error = -EAGAIN;
    while (!nonblocking && error == 0 && terminal_readable(terminal) < terminal_minimum(terminal, wanted)) {
        error = wait_timeout(&terminal->readers, deadline);
        if (terminal->settings.c_cc[VMIN] > 0)
            deadline = terminal_deadline(terminal);
    }
    interrupts_restore(state);
    return error;
}

s32
terminal_read(struct terminal *terminal, struct transfer *transfer, bool nonblocking)
{
    u32 before;
    s32 result;

    if (transfer->remaining == 0)
        return 0;
    do {
        result = terminal_wait(terminal, transfer->remaining, nonblocking);
        if (result < 0 && result != -ETIMEDOUT)
            return result;
        if (result == -ETIMEDOUT && terminal_readable(terminal) == 0)
            return 0;
        mutex_lock(&terminal->reading);
        before = terminal_readable(terminal);
        result = terminal_take(terminal, transfer);
        mutex_unlock(&terminal->reading);
        /* Somebody else was faster, or the input was thrown away: wait again. */
    } while (result == 0 && before == 0 && terminal_minimum(terminal, transfer->remaining) > 0);
    return result;
}

/* ---- whose terminal it is ---- */

bool
terminal_is_controlling(void)
{
    return terminal_console.session != 0 && current_process()->session->number == terminal_console.session;
}

void
terminal_acquire(void)
{
    struct process *process = current_process();

    if (process->id != process->session->number || terminal_console.session != 0)
        return;
    terminal_console.session = process->session->number;
    terminal_console.foreground = process->group->number;
}

u32
terminal_foreground(void)
{
    return terminal_console.foreground;
}

u32
terminal_session(void)
{
    return terminal_console.session;
}

void
terminal_hang_up(u32 session)
{
    u32 foreground = terminal_console.foreground;

    if (terminal_console.session != session)
        return;
    terminal_console.session = 0;
    terminal_console.foreground = 0;
    if (foreground != 0) {
        signal_send_group(foreground, SIGHUP, NULL);
        signal_send_group(foreground, SIGCONT, NULL);
    }
}

/*
 * A process in the background may not read or change the terminal: its group is stopped by the signal and the call
 * begins again after that, or fails with -EIO where it does not take the signal (refused_is_error) or goes on. A group
 * that nobody could let go on again is not stopped: -EIO.
 */
static int
terminal_check_foreground(int signal, bool refused_is_error)
{
    struct process *process = current_process();

    if (!terminal_is_controlling() || process->group->number == terminal_console.foreground)
        return 0;
    if (signal_is_ignored_or_blocked(signal))
        return refused_is_error ? -EIO : 0;
    if (session_group_is_orphaned(process))
        return -EIO;
    signal_send_group(process->group->number, signal, NULL);
    return -ERESTARTSYS;
}

/* ---- the console's terminal as a file ---- */

static s32
terminal_file_read(struct file *file, struct transfer *transfer, u64 *offset)
{
    int error = terminal_check_foreground(SIGTTIN, true);

    (void)offset;
    return error < 0 ? error : terminal_read(&terminal_console, transfer, file->flags & O_NONBLOCK);
}

static s32
terminal_file_write(struct file *file, struct transfer *transfer, u64 *offset)
{
    int error = terminal_console.settings.c_lflag & TOSTOP ? terminal_check_foreground(SIGTTOU, false) : 0;

    (void)file;
    (void)offset;
    return error < 0 ? error : terminal_write(&terminal_console, transfer);
}

static u32
terminal_file_poll(struct file *file, struct wait_queue **queue)
{
    u32 readable = terminal_readable(&terminal_console);
    u32 events = POLLOUT | POLLWRNORM;

    (void)file;
    *queue = &terminal_console.readers;
    if (readable > 0 && readable >= terminal_minimum(&terminal_console, TERMINAL_INPUT_BYTES))
        events |= POLLIN | POLLRDNORM;
    return events;
}

static s32
terminal_set_from_user(u32 command, u32 argument)
{
    struct termios settings;
    int error = terminal_check_foreground(SIGTTOU, false);

    if (error < 0)
        return error;
    if (user_copy_in(&settings, argument, sizeof(settings)) < 0)
        return -EFAULT;
    if (command == TCSETSF)
        terminal_flush_input(&terminal_console);
    terminal_set(&terminal_console, &settings);
    return 0;
}

static s32
terminal_set_size(u32 argument)
{
    struct winsize size;

    if (user_copy_in(&size, argument, sizeof(size)) < 0)
        return -EFAULT;
    if (memcmp(&size, &terminal_console.size, sizeof(size)) == 0)
        return 0;
    terminal_console.size = size;
    if (terminal_console.foreground != 0)
        signal_send_group(terminal_console.foreground, SIGWINCH, NULL);
    return 0;
}

static s32
terminal_set_foreground(u32 argument)
{
    struct process *member;
    struct pid *group;
    u32 number;
    int error;

    if (!terminal_is_controlling())
        return -ENOTTY;
    error = terminal_check_foreground(SIGTTOU, false);
    if (error < 0)
        return error;
    if (user_read_word(&number, argument) < 0)
        return -EFAULT;
    if ((s32)number < 0)
        return -EINVAL;
    group = pid_find(number);
    member = group == NULL ? NULL : LIST_FIRST(&group->group);
    if (member == NULL)
        return -ESRCH;
    if (member->session != current_process()->session)
        return -EPERM;
    terminal_console.foreground = number;
    return 0;
}

/* Commands about sessions and process groups. */
static s32
terminal_session_ioctl(u32 command, u32 argument)
{
    if (command == TIOCSCTTY) {
        terminal_acquire();
        return terminal_is_controlling() ? 0 : -EPERM;
    }
    if (command == TIOCSPGRP)
        return terminal_set_foreground(argument);
    if (!terminal_is_controlling())
        return -ENOTTY;
    switch (command) {
    case TIOCGPGRP:
        return user_write_word(argument, terminal_console.foreground);
    case TIOCGSID:
        return user_write_word(argument, terminal_console.session);
    default: /* TIOCNOTTY */
        if (current_process()->id == terminal_console.session)
            terminal_hang_up(terminal_console.session);
        return 0;
    }
}

static s32
terminal_flush(u32 which)
{
    if (which > TCIOFLUSH)
        return -EINVAL;
    if (which != TCOFLUSH)
        terminal_flush_input(&terminal_console);
    return 0;
}

static s32
terminal_file_ioctl(struct file *file, u32 command, u32 argument)
{
    (void)file;
    switch (command) {
    case TCGETS:
        return user_copy_out(argument, &terminal_console.settings, sizeof(terminal_console.settings));
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
        return terminal_set_from_user(command, argument);
    case TIOCGWINSZ:
        return user_copy_out(argument, &terminal_console.size, sizeof(terminal_console.size));
    case TIOCSWINSZ:
        return terminal_set_size(argument);
    case TIOCSCTTY:
    case TIOCSPGRP:
    case TIOCGPGRP:
    case TIOCGSID:
    case TIOCNOTTY:
        return terminal_session_ioctl(command, argument);
    case TCFLSH:
        return terminal_flush(argument);
    case FIONREAD:
        return user_write_word(argument, terminal_readable(&terminal_console));
    case TIOCOUTQ:
        return user_write_word(argument, 0);
    case TCSBRK:
    case TCSBRKP:
    case TCXONC:
        /* Output is never queued: there is nothing to drain, break or hold. */
        return 0;
    default:
        return -ENOTTY;
    }
}

const struct file_operations terminal_operations = {
    .read = terminal_file_read,
    .write = terminal_file_write,
    .ioctl = terminal_file_ioctl,
    .poll = terminal_file_poll,
};

/* ---- start ---- */

void
terminal_initialize(struct terminal *terminal, void (*output)(const char *, usize))
{
    memset(terminal, 0, sizeof(*terminal));
    terminal->settings = terminal_initial_settings;
    terminal->size = (struct winsize){.ws_row = TERMINAL_ROWS, .ws_col = TERMINAL_COLUMNS};
    terminal->output = output;
}

static void
terminal_console_receive(char character)
{
    terminal_receive(&terminal_console, character);
}

void
terminal_start(void)
{
    terminal_initialize(&terminal_console, console_write);
    console_input_register(terminal_console_receive);
}
