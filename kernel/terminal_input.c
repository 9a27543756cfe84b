/*
 * The terminal's input side: what a typed character does.
 *
 * Everything here runs in interrupt handlers, or with interrupts disabled. A character may stop output or let it go on
 * (IXON), be a signal (ISIG), is translated (ICRNL …), and is then either appended as it is (raw) or taken as an editing command or part of the line
 * (ICANON).
 */
#include "kernel/terminal.h"

#include "kernel/poll.h"
#include "kernel/signal.h"
#include "kernel/x86/cpu.h"

#define CONTROL_BIT 0x40     /* '^C' is shown as '^' and the character with this bit flipped */
#define DELETE 0x7f
#define PARITY_MARK 0xff

static bool
terminal_has(const struct terminal *terminal, tcflag_t local_flag)
{
    return terminal->settings.c_lflag & local_flag;
}

/* Whether a character is the one that the settings name for a purpose; 0 names none. */
static bool
terminal_is(const struct terminal *terminal, u8 character, u32 purpose)
{
    return character != 0 && terminal->settings.c_cc[purpose] == character;
}

/* ---- Echo ---- */

static bool
terminal_is_control(u8 character)
{
    return (character < ' ' && character != '\t') || character == DELETE;
}

/* Shows a character, whether input is echoed or not. */
static void
terminal_show(struct terminal *terminal, u8 character)
{
    char text[2] = {'^', character ^ CONTROL_BIT};

    if (terminal_is_control(character) && terminal_has(terminal, ECHOCTL)) {
        terminal_print(terminal, text, sizeof(text));
    } else {
        text[0] = character;
        terminal_print(terminal, text, 1);
    }
}

static void
terminal_echo(struct terminal *terminal, u8 character)
{
    if (terminal_has(terminal, ECHO))
        terminal_show(terminal, character);
}

/* The end of a line is not shown as ^J. */
static void
terminal_echo_newline(struct terminal *terminal)
{
    if (terminal_has(terminal, ECHO) || terminal_has(terminal, ECHONL))
        terminal_print(terminal, "\n", 1);
}

static bool
terminal_is_continuation(const struct terminal *terminal, u8 character)
{
    return (terminal->settings.c_iflag & IUTF8) && (character & 0xc0) == 0x80;
}

/* Columns that a character takes when it is shown at a column. */
static u32
terminal_width(const struct terminal *terminal, u8 character, u32 column)
{
    if (character == '\t')
        return TERMINAL_TAB_COLUMNS - column % TERMINAL_TAB_COLUMNS;
    if (terminal_is_control(character))
        return terminal_has(terminal, ECHOCTL) ? 2 : 0;
    return terminal_is_continuation(terminal, character) ? 0 : 1;
}

/* A tab left only blanks: going back is enough. */
static void
terminal_rub_out(struct terminal *terminal, u8 character, u32 columns)
{
    while (columns-- > 0) {
        if (character == '\t')
            terminal_print(terminal, "\b", 1);
        else
            terminal_print(terminal, "\b \b", 3);
    }
}

/* ---- The ring ---- */

static u8
terminal_at(const struct terminal *terminal, u32 position)
{
    return terminal->input[position % TERMINAL_INPUT_BYTES];
}

/*
 * Puts a character at the end. One place is kept for the end of a line: a line that fills the rest goes on, but each
 * further character replaces the last. False where there is no room.
 */
static bool
terminal_append_one(struct terminal *terminal, u8 character, bool ends_line)
{
    u32 used = terminal->received - terminal->taken, index;
    bool is_only_line = terminal_has(terminal, ICANON) && terminal->finished == terminal->taken;

    if (used >= TERMINAL_INPUT_BYTES - 1 && !is_only_line)
        return false;
    if (used == TERMINAL_INPUT_BYTES)
        terminal->received--;
    if (terminal->received == terminal->finished)
        terminal->line_column = terminal->column;
    index = terminal->received % TERMINAL_INPUT_BYTES;
    terminal->input[index] = character;
    terminal->line_ends[index / 8] &= ~(1u << index % 8);
    terminal->line_ends[index / 8] |= ends_line << index % 8;
    terminal->received++;
    return true;
}

/* With PARMRK a program sees \377 where a character was damaged, so that a true one is doubled. */
static bool
terminal_append(struct terminal *terminal, u8 character, bool ends_line)
{
    if (character == PARITY_MARK && (terminal->settings.c_iflag & (PARMRK | ISTRIP)) == PARMRK)
        terminal_append_one(terminal, character, false);
    return terminal_append_one(terminal, character, ends_line);
}

/* Everything that was received may be read now. */
static void
terminal_finish(struct terminal *terminal)
{
    terminal->finished = terminal->received;
    wait_wake_events(&terminal->queue, POLL_READABLE);
}

void
terminal_flush_input(struct terminal *terminal)
{
    u32 interrupts = interrupts_save();

    terminal->taken = terminal->finished = terminal->received;
    interrupts_restore(interrupts);
}

void
terminal_set(struct terminal *terminal, const struct termios2 *settings)
{
    u32 interrupts = interrupts_save();
    bool was_canonical = terminal_has(terminal, ICANON);
    u32 last = (terminal->received - 1) % TERMINAL_INPUT_BYTES;

    terminal->settings = *settings;
    if (!(settings->c_iflag & IXON))
        terminal_go_on(terminal);
    /* What was typed ahead in the other mode, or as an unfinished line, is handed out as if a line ended there. */
    if (was_canonical != terminal_has(terminal, ICANON) && terminal->received != terminal->taken) {
        terminal->line_ends[last / 8] |= 1u << last % 8;
        terminal_finish(terminal);
    }
    interrupts_restore(interrupts);
}

/* ---- Editing a line ---- */

/* Takes the last character off the line, and off the screen; or, `marked`, shows the key that did it instead. */
static void
terminal_erase(struct terminal *terminal, bool marked)
{
    u32 column = terminal->line_column;
    u8 character;

    do {
        character = terminal_at(terminal, --terminal->received);
    } while (terminal_is_continuation(terminal, character) && terminal->received != terminal->finished);
    for (u32 i = terminal->finished; i != terminal->received; i++)
        column += terminal_width(terminal, terminal_at(terminal, i), column);
    if (marked)
        terminal_echo(terminal, terminal->settings.c_cc[VERASE]);
    else if (terminal_has(terminal, ECHO))
        terminal_rub_out(terminal, character, terminal_width(terminal, character, column));
}

static bool
terminal_line_is_empty(const struct terminal *terminal)
{
    return terminal->received == terminal->finished;
}

static void
terminal_kill_line(struct terminal *terminal)
{
    tcflag_t rubbed = ECHOK | ECHOE | ECHOKE;

    if ((terminal->settings.c_lflag & rubbed) == rubbed) {
        while (!terminal_line_is_empty(terminal))
            terminal_erase(terminal, false);
        return;
    }
    terminal->received = terminal->finished;
    terminal_echo(terminal, terminal->settings.c_cc[VKILL]);
    if (terminal_has(terminal, ECHOK) && terminal_has(terminal, ECHO))
        terminal_echo_newline(terminal);
}

/* A word is made of letters, digits and '_', as on Linux. */
static bool
terminal_ends_in_word(const struct terminal *terminal)
{
    u8 last = terminal_at(terminal, terminal->received - 1);

    return (last >= 'a' && last <= 'z') || (last >= 'A' && last <= 'Z') || (last >= '0' && last <= '9') || last == '_';
}

static void
terminal_erase_word(struct terminal *terminal)
{
    while (!terminal_line_is_empty(terminal) && !terminal_ends_in_word(terminal))
        terminal_erase(terminal, false);
    while (!terminal_line_is_empty(terminal) && terminal_ends_in_word(terminal))
        terminal_erase(terminal, false);
}

/* ^R: the line being edited is shown again, on a new one. */
static void
terminal_reprint(struct terminal *terminal)
{
    terminal_echo(terminal, terminal->settings.c_cc[VREPRINT]);
    if (terminal_has(terminal, ECHO))
        terminal_echo_newline(terminal);
    terminal->line_column = terminal->column;
    for (u32 i = terminal->finished; i != terminal->received; i++)
        terminal_echo(terminal, terminal_at(terminal, i));
}

/* ^V: until the character comes, its place is marked. */
static void
terminal_expect_literal(struct terminal *terminal)
{
    terminal->literal_next = true;
    if (terminal_has(terminal, ECHO) && terminal_has(terminal, ECHOCTL))
        terminal_print(terminal, "^\b", 2);
}

/* True if the character was an editing command. */
static bool
terminal_edit(struct terminal *terminal, u8 character)
{
    bool extended = terminal_has(terminal, IEXTEN);

    if (terminal_is(terminal, character, VERASE)) {
        if (!terminal_line_is_empty(terminal))
            terminal_erase(terminal, !terminal_has(terminal, ECHOE));
    } else if (terminal_is(terminal, character, VKILL)) {
        terminal_kill_line(terminal);
    } else if (extended && terminal_is(terminal, character, VWERASE)) {
        terminal_erase_word(terminal);
    } else if (extended && terminal_is(terminal, character, VLNEXT)) {
        terminal_expect_literal(terminal);
    } else if (extended && terminal_has(terminal, ECHO) && terminal_is(terminal, character, VREPRINT)) {
        terminal_reprint(terminal);
    } else {
        return false;
    }
    return true;
}

/* A character in canonical mode that is no editing command. */
static void
terminal_receive_line(struct terminal *terminal, u8 character)
{
    bool ends_line = character == '\n' || terminal_is(terminal, character, VEOL)
        || terminal_is(terminal, character, VEOL2);

    if (terminal_is(terminal, character, VEOF)) {
        if (terminal_append(terminal, TERMINAL_END_OF_FILE, true))
            terminal_finish(terminal);
        return;
    }
    if (!terminal_append(terminal, character, ends_line))
        return;
    if (character == '\n')
        terminal_echo_newline(terminal);
    else
        terminal_echo(terminal, character);
    if (ends_line)
        terminal_finish(terminal);
}

/* ---- A character arrives ---- */

/* True if the character was a signal. */
static bool
terminal_signal(struct terminal *terminal, u8 character)
{
    int signal;

    if (terminal_is(terminal, character, VINTR))
        signal = SIGINT;
    else if (terminal_is(terminal, character, VQUIT))
        signal = SIGQUIT;
    else if (terminal_is(terminal, character, VSUSP))
        signal = SIGTSTP;
    else
        return false;
    if (!terminal_has(terminal, NOFLSH)) {
        terminal_flush_input(terminal);
        terminal_flush_output(terminal);
    }
    if (terminal->settings.c_iflag & IXON)
        terminal_go_on(terminal);
    terminal_echo(terminal, character);
    if (terminal->foreground != 0)
        signal_send_group(terminal->foreground, signal, NULL);
    return true;
}

/* True if the character was ^S or ^Q. With IXANY any other lets output go on, too, and is input. */
static bool
terminal_control_flow(struct terminal *terminal, u8 character)
{
    tcflag_t flags = terminal->settings.c_iflag;

    if (!(flags & IXON))
        return false;
    if (terminal_is(terminal, character, VSTART)) {
        terminal_go_on(terminal);
        return true;
    }
    if (terminal_is(terminal, character, VSTOP)) {
        terminal_stop(terminal);
        return true;
    }
    if (flags & IXANY)
        terminal_go_on(terminal);
    return false;
}

/* Into seven bits (ISTRIP), into small letters (IUCLC). */
static u8
terminal_fold(const struct terminal *terminal, u8 character)
{
    tcflag_t flags = terminal->settings.c_iflag;

    if (flags & ISTRIP)
        character &= 0x7f;
    if ((flags & IUCLC) && terminal_has(terminal, IEXTEN) && character >= 'A' && character <= 'Z')
        character += 'a' - 'A';
    return character;
}

/* Translates the ends of lines; false where the character is thrown away. */
static bool
terminal_translate(const struct terminal *terminal, u8 *character)
{
    tcflag_t flags = terminal->settings.c_iflag;

    if (*character == '\r') {
        if (flags & IGNCR)
            return false;
        if (flags & ICRNL)
            *character = '\n';
    } else if (*character == '\n' && (flags & INLCR)) {
        *character = '\r';
    }
    return true;
}

static void
terminal_receive_plain(struct terminal *terminal, u8 character)
{
    if (!terminal_append(terminal, character, false))
        return;
    terminal_echo(terminal, character);
    if (!terminal_has(terminal, ICANON))
        terminal_finish(terminal);
}

/* A character that ^V did not make plain. */
static void
terminal_receive_meaningful(struct terminal *terminal, u8 character)
{
    character = terminal_fold(terminal, character);
    if (terminal_control_flow(terminal, character))
        return;
    if (terminal_has(terminal, ISIG) && terminal_signal(terminal, character))
        return;
    if (!terminal_translate(terminal, &character))
        return;
    if (!terminal_has(terminal, ICANON))
        terminal_receive_plain(terminal, character);
    else if (!terminal_edit(terminal, character))
        terminal_receive_line(terminal, character);
}

void
terminal_receive(struct terminal *terminal, u8 character)
{
    u32 interrupts = interrupts_save();

    if (terminal->literal_next) {
        terminal->literal_next = false;
        terminal_receive_plain(terminal, character);
    } else {
        terminal_receive_meaningful(terminal, character);
    }
    interrupts_restore(interrupts);
}
