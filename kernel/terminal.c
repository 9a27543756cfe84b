/*
 * A terminal as processes see it: write and read. What typed characters do is in terminal_input.c, whose terminal
 * it is in terminal_session.c.
 *
 * Writing: what is printed while output stands still is held, as far as there is room; writers wait for that, echo is
 * lost without it.
 *
 * Reading: bytes are looked at with interrupts disabled, copied to the user with them enabled (the copy may sleep),
 * and taken afterwards, unless the input was thrown away meanwhile. So a bad pointer consumes nothing.
 */
#include "kernel/terminal.h"

#include "drivers/timer.h"
#include "kernel/lib/string.h"
#include "kernel/poll.h"
#include "kernel/signal.h"
#include "kernel/x86/cpu.h"

#include <asm/errno.h>

#define TERMINAL_COPY_BYTES 256u                        /* copied at a time: lies on the kernel stack */
#define TERMINAL_ROWS 25
#define TERMINAL_COLUMNS 80
#define NANOSECONDS_PER_DECISECOND (NANOSECONDS_PER_SECOND / 10)    /* VTIME's unit */

#define CONTROL(letter) ((letter) & 0x1f)

static const struct termios2 terminal_initial_settings = {
    .c_iflag = ICRNL | IXON,
    .c_oflag = OPOST | ONLCR,
    .c_cflag = B38400 | CS8 | CREAD | HUPCL,
    .c_ispeed = 38400,
    .c_ospeed = 38400,
    .c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
    .c_cc = {
        [VINTR] = CONTROL('C'), [VQUIT] = CONTROL('\\'), [VSUSP] = CONTROL('Z'), [VEOF] = CONTROL('D'),
        [VERASE] = 0x7f, [VKILL] = CONTROL('U'), [VWERASE] = CONTROL('W'), [VLNEXT] = CONTROL('V'),
        [VREPRINT] = CONTROL('R'), [VDISCARD] = CONTROL('O'), [VSTART] = CONTROL('Q'), [VSTOP] = CONTROL('S'), [VMIN] = 1,
    },
};

/* ---- Output ---- */

static void
terminal_hold(struct terminal *terminal, const char *text, usize length)
{
    usize room = sizeof(terminal->held) - terminal->held_bytes;

    length = length < room ? length : room;
    memcpy(terminal->held + terminal->held_bytes, text, length);
    terminal->held_bytes += length;
}

/*
 * Bytes leave, or are held; what finds no room is lost. Which of the two is decided once: ^S or ^Q may be typed at any
 * moment.
 */
static void
terminal_send(struct terminal *terminal, const char *text, usize length)
{
    u32 interrupts = interrupts_save();
    bool held = terminal->stopped;

    if (held)
        terminal_hold(terminal, text, length);
    interrupts_restore(interrupts);
    if (!held)
        terminal->output(text, length);
}

void
terminal_stop(struct terminal *terminal)
{
    terminal->stopped = true;
}

void
terminal_go_on(struct terminal *terminal)
{
    u32 interrupts = interrupts_save();

    if (terminal->stopped && !terminal->stopped_by_program) {
        terminal->stopped = false;
        terminal->output(terminal->held, terminal->held_bytes);
        terminal_flush_output(terminal);
    }
    interrupts_restore(interrupts);
}

void
terminal_flush_output(struct terminal *terminal)
{
    u32 interrupts = interrupts_save();

    terminal->held_bytes = 0;
    wait_wake_events(&terminal->queue, POLL_WRITABLE);
    interrupts_restore(interrupts);
}

/* The columns that a tab takes from here. */
static u32
terminal_tab(const struct terminal *terminal)
{
    return TERMINAL_TAB_COLUMNS - terminal->column % TERMINAL_TAB_COLUMNS;
}

static void
terminal_print_control(struct terminal *terminal, char character)
{
    tcflag_t flags = terminal->settings.c_oflag;
    u32 columns = terminal_tab(terminal);

    switch (character) {
    case '\n':
        if (flags & (ONLCR | ONLRET))
            terminal->column = 0;
        if (flags & ONLCR)
            terminal_send(terminal, "\r", 1);
        break;
    case '\r':
        if ((flags & ONOCR) && terminal->column == 0)
            return;
        if (!(flags & OCRNL) || (flags & ONLRET))
            terminal->column = 0;
        if (flags & OCRNL)
            character = '\n';
        break;
    case '\t':
        terminal->column += columns;
        if ((flags & TABDLY) == XTABS) {
            terminal_send(terminal, "        ", columns);
            return;
        }
        break;
    case '\b':
        terminal->column -= terminal->column > 0;
        break;
    }
    terminal_send(terminal, &character, 1);
}

static void
terminal_print_capital(struct terminal *terminal, char small)
{
    char capital = (char)(small - 'a' + 'A');

    terminal->column++;
    terminal_send(terminal, &capital, 1);
}

void
terminal_print(struct terminal *terminal, const char *text, usize length)
{
    tcflag_t flags = terminal->settings.c_oflag;
    usize start = 0;

    for (usize i = 0; (flags & OPOST) && i < length; i++) {
        bool is_control = (u8)text[i] < ' ', is_raised = (flags & OLCUC) && text[i] >= 'a' && text[i] <= 'z';

        if (!is_control && !is_raised) {
            terminal->column++;
            continue;
        }
        terminal_send(terminal, text + start, i - start);
        if (is_control)
            terminal_print_control(terminal, text[i]);
        else
            terminal_print_capital(terminal, text[i]);
        start = i + 1;
    }
    terminal_send(terminal, text + start, length - start);
}

/* Sleeps while something holds; interrupts disabled. 0, -ERESTARTSYS, or -EIO after a hang-up. */
static int
terminal_sleep_while(struct terminal *terminal, bool (*holds)(const struct terminal *))
{
    u32 hang_ups = terminal->hang_ups;
    int error = 0;

    while (error == 0 && holds(terminal)) {
        error = wait_interruptible(&terminal->queue);
        if (terminal->hang_ups != hang_ups)
            error = -EIO;
    }
    return error;
}

/* How many bytes a character may become: "\r\n", or a tab's blanks. */
static u32
terminal_expansion(const struct terminal *terminal)
{
    return (terminal->settings.c_oflag & TABDLY) == XTABS ? TERMINAL_TAB_COLUMNS : 2;
}

static bool
terminal_is_full(const struct terminal *terminal)
{
    return terminal->stopped && sizeof(terminal->held) - terminal->held_bytes < terminal_expansion(terminal);
}

static bool
terminal_holds(const struct terminal *terminal)
{
    return terminal->held_bytes > 0;
}

int
terminal_drain(struct terminal *terminal)
{
    u32 interrupts = interrupts_save();
    int error = terminal_sleep_while(terminal, terminal_holds);

    interrupts_restore(interrupts);
    return error;
}

/* How many of the next `wanted` bytes can be printed now, at least one; or -EAGAIN, -ERESTARTSYS, -EIO. */
static s32
terminal_wait_room(struct terminal *terminal, u32 wanted, bool nonblocking)
{
    u32 interrupts = interrupts_save(), room;
    int error = 0;

    if (!nonblocking)
        error = terminal_sleep_while(terminal, terminal_is_full);
    else if (terminal_is_full(terminal))
        error = -EAGAIN;
    room = terminal->stopped ? (sizeof(terminal->held) - terminal->held_bytes) / terminal_expansion(terminal) : wanted;
    interrupts_restore(interrupts);
    return error < 0 ? error : room < wanted ? (s32)room : (s32)wanted;
}

s32
terminal_write(struct terminal *terminal, struct transfer *transfer, bool nonblocking)
{
    char text[TERMINAL_COPY_BYTES];
    u32 done = 0;

    while (transfer->remaining > 0) {
        u32 wanted = transfer->remaining < sizeof(text) ? transfer->remaining : sizeof(text);
        s32 bytes = terminal_wait_room(terminal, wanted, nonblocking);
        u32 copied;

        if (bytes < 0)
            return done > 0 ? (s32)done : bytes;
        copied = transfer_in(transfer, text, (u32)bytes);
        terminal_print(terminal, text, copied);
        done += copied;
        if (copied < (u32)bytes)
            return done > 0 ? (s32)done : -EFAULT;
    }
    return (s32)done;
}

/* ---- Input ---- */

static bool
terminal_is_canonical(const struct terminal *terminal)
{
    return terminal->settings.c_lflag & ICANON;
}

/* Bytes that have been received for reading, with those that only mark an end of file. */
static u32
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
    u8 character = terminal->input[position % TERMINAL_INPUT_BYTES];

    return character == TERMINAL_END_OF_FILE && terminal_ends_line(terminal, position);
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
    u32 interrupts = interrupts_save();
    bool end_of_file = false;

    if (terminal->taken == from) {
        /* What follows the end of a line belongs to the next read. */
        bool line_ended = count > 0 && terminal_ends_line(terminal, from + count - 1);

        terminal->taken += count;
        if (terminal_is_canonical(terminal) && terminal_readable(terminal) > 0 && !line_ended)
            end_of_file = terminal_is_end_of_file(terminal, terminal->taken);
        terminal->taken += end_of_file;
    }
    interrupts_restore(interrupts);
    return end_of_file;
}

u32
terminal_waiting(const struct terminal *terminal)
{
    u32 interrupts = interrupts_save();
    u32 bytes = 0;

    for (u32 i = terminal->taken; i != terminal->finished; i++)
        bytes += !terminal_is_canonical(terminal) || !terminal_is_end_of_file(terminal, i);
    interrupts_restore(interrupts);
    return bytes;
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
        u32 interrupts = interrupts_save();
        u32 from = terminal->taken;
        u32 count = terminal_look(terminal, bytes, wanted, &ends);
        u32 copied;

        interrupts_restore(interrupts);
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

bool
terminal_is_ready(const struct terminal *terminal)
{
    bool is_timed = !terminal_is_canonical(terminal) && terminal->settings.c_cc[VTIME] > 0;
    u32 minimum = is_timed ? 1 : terminal_minimum(terminal, TERMINAL_INPUT_BYTES);

    return terminal_readable(terminal) > 0 && terminal_readable(terminal) >= minimum;
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

/* Sleeps until there are as many bytes as `wanted` ask for: 0, or what ended the wait. Interrupts disabled. */
static int
terminal_sleep(struct terminal *terminal, u32 wanted)
{
    u32 hang_ups = terminal->hang_ups;
    u64 deadline = terminal_deadline(terminal);
    int error = 0;

    while (error == 0 && terminal_readable(terminal) < terminal_minimum(terminal, wanted)) {
        error = wait_timeout(&terminal->queue, deadline);
        if (terminal->hang_ups != hang_ups)
            error = -EIO;
        if (terminal->settings.c_cc[VMIN] > 0)
            deadline = terminal_deadline(terminal);
    }
    return error;
}

/*
 * Waits until a read of `wanted` bytes can go on: 0, -EAGAIN, -ERESTARTSYS, -EIO after a hang-up, or -ETIMEDOUT where
 * VTIME has run out. In raw mode a signal hands out what has come.
 */
static int
terminal_wait(struct terminal *terminal, u32 wanted, bool nonblocking)
{
    u32 interrupts = interrupts_save();
    int error = 0;

    if (!nonblocking)
        error = terminal_sleep(terminal, wanted);
    else if (terminal_readable(terminal) == 0 && terminal_minimum(terminal, wanted) > 0)
        error = -EAGAIN;
    if (error == -ERESTARTSYS && !terminal_is_canonical(terminal) && terminal_readable(terminal) > 0)
        error = 0;
    interrupts_restore(interrupts);
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

/* ---- Start ---- */

void
terminal_initialize(struct terminal *terminal, u32 device, void (*output)(const char *, usize))
{
    memset(terminal, 0, sizeof(*terminal));
    terminal->device = device;
    terminal->modem = TIOCM_DTR | TIOCM_RTS | TIOCM_OUT2 | TIOCM_CTS | TIOCM_CAR | TIOCM_DSR;
    terminal->settings = terminal_initial_settings;
    terminal->size = (struct winsize){.ws_row = TERMINAL_ROWS, .ws_col = TERMINAL_COLUMNS};
    terminal->output = output;
}
