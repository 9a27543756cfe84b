/*
 * The ioctls of terminals.
 *
 * A process in the background may change nothing: see terminal_check_foreground.
 */
#include "kernel/terminal.h"

#include "kernel/lib/string.h"
#include "kernel/permission.h"
#include "kernel/process.h"
#include "kernel/signal.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <asm/ioctls.h>
#include <linux/tty.h>

/* ---- Settings ---- */

/* The speeds by their numbers, B0 to B38400 and then, those with CBAUDEX, B57600 to B4000000. They mean nothing here. */
static const u32 terminal_speeds[] = {
    0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400,
    57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000,
    3500000, 4000000,
};

/* BOTHER stands for the speed that is told beside it. */
static u32
terminal_speed(tcflag_t number, u32 told)
{
    if (number == BOTHER)
        return told;
    return terminal_speeds[number & CBAUDEX ? B38400 + (number & ~(tcflag_t)CBAUDEX) : number];
}

/* Input comes as fast as output goes, unless something else is said. */
static void
terminal_settle_speeds(struct termios2 *settings)
{
    tcflag_t input = settings->c_cflag >> IBSHIFT & CBAUD;

    settings->c_ospeed = terminal_speed(settings->c_cflag & CBAUD, settings->c_ospeed);
    settings->c_ispeed = input == B0 ? settings->c_ospeed : terminal_speed(input, settings->c_ispeed);
}

/* The commands that set wait, and throw away what was typed, or not, in any form of the settings. */
static s32
terminal_change(struct terminal *terminal, u32 command, struct termios2 *settings)
{
    bool flush = command == TCSETSF || command == TCSETAF || command == TCSETSF2;
    int error = 0;

    if (command != TCSETS && command != TCSETA && command != TCSETS2)
        error = terminal_drain(terminal);
    if (error < 0)
        return error;
    if (flush)
        terminal_flush_input(terminal);
    terminal_settle_speeds(settings);
    terminal_set(terminal, settings);
    return 0;
}

/* The form without speeds is the beginning of the one that has them. */
_Static_assert(sizeof(struct termios) == offsetof(struct termios2, c_ispeed), "as long as all before the speeds");

static s32
terminal_set_from_user(struct terminal *terminal, u32 command, u32 argument, u32 bytes)
{
    struct termios2 settings = terminal->settings;

    if (user_copy_in(&settings, argument, bytes) < 0)
        return -EFAULT;
    return terminal_change(terminal, command, &settings);
}

/* System V's form of the settings has 16 bits of flags and fewer characters. */
static s32
terminal_get_short(const struct terminal *terminal, u32 argument)
{
    const struct termios2 *settings = &terminal->settings;
    struct termio brief = {
        .c_iflag = (u16)settings->c_iflag,
        .c_oflag = (u16)settings->c_oflag,
        .c_cflag = (u16)settings->c_cflag,
        .c_lflag = (u16)settings->c_lflag,
        .c_line = settings->c_line,
    };

    memcpy(brief.c_cc, settings->c_cc, sizeof(brief.c_cc));
    return user_copy_out(argument, &brief, sizeof(brief));
}

static tcflag_t
terminal_low_half(tcflag_t flags, u16 low)
{
    return (flags & ~(tcflag_t)UINT16_MAX) | low;
}

static s32
terminal_set_short(struct terminal *terminal, u32 command, u32 argument)
{
    struct termios2 settings = terminal->settings;
    struct termio brief;

    if (user_copy_in(&brief, argument, sizeof(brief)) < 0)
        return -EFAULT;
    settings.c_iflag = terminal_low_half(settings.c_iflag, brief.c_iflag);
    settings.c_oflag = terminal_low_half(settings.c_oflag, brief.c_oflag);
    settings.c_cflag = terminal_low_half(settings.c_cflag, brief.c_cflag);
    settings.c_lflag = terminal_low_half(settings.c_lflag, brief.c_lflag);
    memcpy(settings.c_cc, brief.c_cc, sizeof(brief.c_cc));
    return terminal_change(terminal, command, &settings);
}

/* TIOCSSOFTCAR: whether the modem's carrier is ignored, which is one of the settings. */
static s32
terminal_set_local(struct terminal *terminal, u32 argument)
{
    u32 local;

    if (user_read_word(&local, argument) < 0)
        return -EFAULT;
    terminal->settings.c_cflag = (terminal->settings.c_cflag & ~(tcflag_t)CLOCAL) | (local ? CLOCAL : 0);
    return 0;
}

static s32
terminal_set_size(struct terminal *terminal, u32 argument)
{
    struct winsize size;

    if (user_copy_in(&size, argument, sizeof(size)) < 0)
        return -EFAULT;
    if (memcmp(&size, &terminal->size, sizeof(size)) == 0)
        return 0;
    terminal->size = size;
    if (terminal->foreground != 0)
        signal_send_group(terminal->foreground, SIGWINCH, NULL);
    return 0;
}

/* TIOCSETD: there is one line discipline. */
static s32
terminal_set_discipline(u32 argument)
{
    u32 number;

    if (user_read_word(&number, argument) < 0)
        return -EFAULT;
    return number == N_TTY ? 0 : -EINVAL;
}

/* TIOCMSET, TIOCMBIS, TIOCMBIC: sets, raises or drops the lines that are ours. */
static s32
terminal_set_modem(struct terminal *terminal, u32 command, u32 argument)
{
    const u32 own = TIOCM_DTR | TIOCM_RTS | TIOCM_OUT1 | TIOCM_OUT2 | TIOCM_LOOP;
    u32 lines;

    if (user_read_word(&lines, argument) < 0)
        return -EFAULT;
    lines &= own;
    if (command == TIOCMSET)
        terminal->modem = (terminal->modem & ~own) | lines;
    else
        terminal->modem = command == TIOCMBIS ? terminal->modem | lines : terminal->modem & ~lines;
    return 0;
}

/* ---- Sessions and process groups ---- */

static s32
terminal_take(struct terminal *terminal, u32 argument)
{
    const struct process *process = current_process();

    terminal_acquire(terminal, argument == 1 && permission_is_root());
    return terminal_controlling(process) == terminal && process->id == terminal->session ? 0 : -EPERM;
}

static s32
terminal_foreground_from_user(struct terminal *terminal, u32 argument)
{
    u32 group;

    if (user_read_word(&group, argument) < 0)
        return -EFAULT;
    return terminal_set_foreground(terminal, group);
}

static s32
terminal_session_ioctl(struct terminal *terminal, u32 command, u32 argument)
{
    if (command == TIOCSCTTY)
        return terminal_take(terminal, argument);
    if (terminal_controlling(current_process()) != terminal)
        return -ENOTTY;
    switch (command) {
    case TIOCSPGRP:
        return terminal_foreground_from_user(terminal, argument);
    case TIOCGPGRP:
        return user_write_word(argument, terminal->foreground);
    case TIOCGSID:
        return user_write_word(argument, terminal->session);
    default: /* TIOCNOTTY */
        terminal_leave(terminal);
        return 0;
    }
}

/* ---- Input and output ---- */

static s32
terminal_flush(struct terminal *terminal, u32 which)
{
    if (which > TCIOFLUSH)
        return -EINVAL;
    if (which != TCOFLUSH)
        terminal_flush_input(terminal);
    if (which != TCIFLUSH)
        terminal_flush_output(terminal);
    return 0;
}

/* tcflow: holds our output, or asks the other side to hold its. */
static s32
terminal_flow(struct terminal *terminal, u32 action)
{
    const cc_t *characters = terminal->settings.c_cc;
    u8 character;

    switch (action) {
    case TCOOFF:
        terminal->stopped_by_program = true;
        terminal_stop(terminal);
        return 0;
    case TCOON:
        if (terminal->stopped_by_program) {
            terminal->stopped_by_program = false;
            terminal_go_on(terminal);
        }
        return 0;
    case TCIOFF:
    case TCION:
        character = characters[action == TCIOFF ? VSTOP : VSTART];
        if (character != 0)
            terminal->output((const char *)&character, 1);
        return 0;
    default:
        return -EINVAL;
    }
}

/* tcdrain, tcsendbreak: a break means nothing to a console, but it comes after what was written. */
static s32
terminal_break(struct terminal *terminal)
{
    return terminal_drain(terminal) < 0 ? -EINTR : 0;
}

/* TIOCSTI: a character as if it had been typed, by root or at one's own terminal. */
static s32
terminal_type(struct terminal *terminal, u32 argument)
{
    u8 character;

    if (terminal_controlling(current_process()) != terminal && !permission_is_root())
        return -EPERM;
    if (user_copy_in(&character, argument, sizeof(character)) < 0)
        return -EFAULT;
    terminal_receive(terminal, character);
    return 0;
}

static s32
terminal_vhangup(struct terminal *terminal)
{
    if (!permission_is_root())
        return -EPERM;
    terminal_hang_up(terminal, true);
    return 0;
}

/* ---- All of them ---- */

/* What can be asked for by a word, or -ENOTTY. */
static s32
terminal_get_word(const struct terminal *terminal, u32 command, u32 argument)
{
    switch (command) {
    case FIONREAD:
        return user_write_word(argument, terminal_waiting(terminal));
    case TIOCOUTQ:
        return user_write_word(argument, terminal->held_bytes);
    case TIOCGETD:
        return user_write_word(argument, N_TTY);
    case TIOCMGET:
        return user_write_word(argument, terminal->modem);
    case TIOCGSOFTCAR:
        return user_write_word(argument, (terminal->settings.c_cflag & CLOCAL) != 0);
    case TIOCGEXCL:
        return user_write_word(argument, terminal->exclusive);
    case TIOCGDEV:
        return user_write_word(argument, terminal->device);
    default:
        return -ENOTTY;
    }
}

/* Commands about the settings and the line, or those that tell a word. */
static s32
terminal_line_ioctl(struct terminal *terminal, u32 command, u32 argument)
{
    switch (command) {
    case TCGETS:
        return user_copy_out(argument, &terminal->settings, sizeof(struct termios));
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
        return terminal_set_from_user(terminal, command, argument, sizeof(struct termios));
    case TCGETS2:
        return user_copy_out(argument, &terminal->settings, sizeof(struct termios2));
    case TCSETS2:
    case TCSETSW2:
    case TCSETSF2:
        return terminal_set_from_user(terminal, command, argument, sizeof(struct termios2));
    case TCGETA:
        return terminal_get_short(terminal, argument);
    case TCSETA:
    case TCSETAW:
    case TCSETAF:
        return terminal_set_short(terminal, command, argument);
    case TIOCSSOFTCAR:
        return terminal_set_local(terminal, argument);
    case TIOCGWINSZ:
        return user_copy_out(argument, &terminal->size, sizeof(terminal->size));
    case TIOCSWINSZ:
        return terminal_set_size(terminal, argument);
    case TIOCSETD:
        return terminal_set_discipline(argument);
    case TIOCMSET:
    case TIOCMBIS:
    case TIOCMBIC:
        return terminal_set_modem(terminal, command, argument);
    default:
        return terminal_get_word(terminal, command, argument);
    }
}

/* Whether the command is one that a process in the background may not give. */
static bool
terminal_is_for_foreground(u32 command)
{
    switch (command) {
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
    case TCSETS2:
    case TCSETSW2:
    case TCSETSF2:
    case TCSETA:
    case TCSETAW:
    case TCSETAF:
    case TCFLSH:
    case TCXONC:
    case TCSBRK:
    case TCSBRKP:
    case TIOCSBRK:
    case TIOCCBRK:
    case TIOCSETD:
    case TIOCSPGRP:
        return true;
    default:
        return false;
    }
}

s32
terminal_ioctl(struct terminal *terminal, u32 command, u32 argument)
{
    int error = terminal_is_for_foreground(command) ? terminal_check_foreground(terminal, SIGTTOU, false) : 0;

    if (error < 0)
        return error;
    switch (command) {
    case TIOCSCTTY:
    case TIOCSPGRP:
    case TIOCGPGRP:
    case TIOCGSID:
    case TIOCNOTTY:
        return terminal_session_ioctl(terminal, command, argument);
    case TIOCEXCL:
    case TIOCNXCL:
        terminal->exclusive = command == TIOCEXCL;
        return 0;
    case TIOCVHANGUP:
        return terminal_vhangup(terminal);
    case TCFLSH:
        return terminal_flush(terminal, argument);
    case TCXONC:
        return terminal_flow(terminal, argument);
    case TCSBRK:
    case TCSBRKP:
    case TIOCSBRK:
    case TIOCCBRK:
        return terminal_break(terminal);
    case TIOCSTI:
        return terminal_type(terminal, argument);
    default:
        return terminal_line_ioctl(terminal, command, argument);
    }
}
