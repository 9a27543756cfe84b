/*
 * The console's terminal: whose it is, and what it is as a file.
 */
#include "kernel/terminal.h"

#include "kernel/console.h"
#include "kernel/lib/string.h"
#include "kernel/permission.h"
#include "kernel/pid.h"
#include "kernel/poll.h"
#include "kernel/process.h"
#include "kernel/session.h"
#include "kernel/signal.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <asm/ioctls.h>
#include <linux/fcntl.h>
#include <linux/tty.h>

static struct terminal terminal_console;

/* ---- Whose terminal it is ---- */

bool
terminal_is_controlling(void)
{
    const struct process *process = current_process();

    return terminal_console.session != 0 && process->session->number == terminal_console.session
        && !process->left_terminal;
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

/* The terminal is nobody's any more. Returns the group that was in the foreground; 0: none. */
static u32
terminal_give_up(void)
{
    u32 foreground = terminal_console.foreground;

    terminal_console.session = 0;
    terminal_console.foreground = 0;
    if (foreground != 0)
        signal_send_group(foreground, SIGHUP, NULL);
    return foreground;
}

void
terminal_hang_up(u32 session)
{
    if (terminal_console.session != session)
        return;
    terminal_console.hang_ups++;
    terminal_flush_input(&terminal_console);
    wait_wake_all(&terminal_console.readers);
    terminal_give_up();
}

/* TIOCNOTTY: a process leaves the terminal; with its leader the whole session does. What is open stays so. */
static s32
terminal_leave(void)
{
    if (current_process()->id == terminal_console.session) {
        u32 foreground = terminal_give_up();

        if (foreground != 0)
            signal_send_group(foreground, SIGCONT, NULL);
    } else {
        current_process()->left_terminal = true;
    }
    return 0;
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

/* ---- The console's terminal as a file ---- */

/* What a file that lasts has instead of the number of hang-ups before it was opened. */
#define TERMINAL_LASTS (~0u)

void
terminal_open(struct file *file, bool lasts)
{
    file->data = (void *)(lasts ? TERMINAL_LASTS : terminal_console.hang_ups);
}

static bool
terminal_is_hung_up(const struct file *file)
{
    u32 hang_ups = (u32)file->data;

    return hang_ups != TERMINAL_LASTS && hang_ups != terminal_console.hang_ups;
}

static s32
terminal_file_read(struct file *file, struct transfer *transfer, u64 *offset)
{
    (void)offset;
    while (!terminal_is_hung_up(file)) {
        u32 hang_ups = terminal_console.hang_ups;
        s32 result = terminal_check_foreground(SIGTTIN, true);

        if (result == 0)
            result = terminal_read(&terminal_console, transfer, file->flags & O_NONBLOCK);
        if (result != -EIO || hang_ups == terminal_console.hang_ups)
            return result;
    }
    return 0;
}

static s32
terminal_file_write(struct file *file, struct transfer *transfer, u64 *offset)
{
    int error = terminal_console.settings.c_lflag & TOSTOP ? terminal_check_foreground(SIGTTOU, false) : 0;

    (void)offset;
    if (terminal_is_hung_up(file))
        return -EIO;
    return error < 0 ? error : terminal_write(&terminal_console, transfer);
}

static u32
terminal_file_poll(struct file *file, struct wait_queue **queue)
{
    u32 events = POLL_WRITABLE;

    *queue = &terminal_console.readers;
    if (terminal_is_hung_up(file))
        return events | POLL_READABLE | POLLERR | POLLHUP;
    if (terminal_is_ready(&terminal_console))
        events |= POLL_READABLE;
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

/* A process of the group, or, as on Linux, the one with this number though it leads no group; NULL: there is none. */
static struct process *
terminal_find_member(u32 number)
{
    struct pid *group = pid_find(number);
    struct process *member = group == NULL ? NULL : LIST_FIRST(&group->group);

    return member != NULL ? member : process_find(number);
}

static s32
terminal_set_foreground(u32 argument)
{
    struct process *member;
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
    member = terminal_find_member(number);
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
        return terminal_is_controlling() && current_process()->id == terminal_console.session ? 0 : -EPERM;
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
        return terminal_leave();
    }
}

static s32
terminal_flush(u32 which)
{
    int error = terminal_check_foreground(SIGTTOU, false);

    if (error < 0)
        return error;
    if (which > TCIOFLUSH)
        return -EINVAL;
    if (which != TCOFLUSH)
        terminal_flush_input(&terminal_console);
    return 0;
}

/* Output is never queued: there is nothing to drain, break or hold. */
static s32
terminal_control_output(u32 command, u32 argument)
{
    int error = terminal_check_foreground(SIGTTOU, false);

    if (error == 0 && command == TCXONC && argument > TCION)
        error = -EINVAL;
    return error;
}

/* TIOCSTI: a character as if it had been typed, by root or at one's own terminal. */
static s32
terminal_type(u32 argument)
{
    u8 character;

    if (!terminal_is_controlling() && !permission_is_root())
        return -EPERM;
    if (user_copy_in(&character, argument, sizeof(character)) < 0)
        return -EFAULT;
    terminal_receive(&terminal_console, character);
    return 0;
}

static s32
terminal_file_ioctl(struct file *file, u32 command, u32 argument)
{
    if (terminal_is_hung_up(file))
        return command == TIOCSPGRP ? -ENOTTY : -EIO;
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
    case TIOCSTI:
        return terminal_type(argument);
    case FIONREAD:
        return user_write_word(argument, terminal_waiting(&terminal_console));
    case TIOCOUTQ:
        return user_write_word(argument, 0);
    case TIOCGETD:
        return user_write_word(argument, N_TTY);
    case TCSBRK:
    case TCSBRKP:
    case TCXONC:
        return terminal_control_output(command, argument);
    default:
        return -ENOTTY;
    }
}

const struct file_operations terminal_operations = {
    .read = terminal_file_read,
    .write = terminal_file_write,
    .ioctl = terminal_file_ioctl,
    .poll = terminal_file_poll,
    .splice_read = true,
    .splice_write = true,
};

/* ---- Start ---- */

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
