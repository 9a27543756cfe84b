/*
 * The line discipline, on a terminal of its own whose output is kept here. It belongs to no session, so that no
 * signals are sent.
 */
#include "kernel/lib/string.h"
#include "kernel/selftest.h"
#include "kernel/terminal.h"

#include <asm/errno.h>

#define SHOWN_BYTES 512u

static struct terminal terminal;
static char shown[SHOWN_BYTES];
static usize shown_length;

static void
show(const char *text, usize length)
{
    for (usize i = 0; i < length && shown_length < sizeof(shown) - 1; i++)
        shown[shown_length++] = text[i];
    shown[shown_length] = '\0';
}

static void
start(void)
{
    shown_length = 0;
    shown[0] = '\0';
    terminal_initialize(&terminal, 0, show);
}

static void
type(const char *text)
{
    for (; *text != '\0'; text++)
        terminal_receive(&terminal, *text);
}

/* Reads without waiting, as text. Returns what terminal_read does. */
static s32
read_text(char *text, usize size)
{
    struct transfer transfer = transfer_kernel(text, size - 1);
    s32 result = terminal_read(&terminal, &transfer, true);

    text[result > 0 ? result : 0] = '\0';
    return result;
}

/* Ends the test as failed unless the next read gives just this text. */
#define check_reads(expected)                                                  \
    do {                                                                       \
        char read[sizeof(expected) + 1];                                       \
                                                                               \
        check_equal(read_text(read, sizeof(read)), (s32)sizeof(expected) - 1); \
        check_text(read, expected);                                            \
    } while (0)

/* Ends the test as failed unless there is nothing to read yet. */
#define check_reads_nothing()                                \
    do {                                                     \
        char read[2];                                        \
                                                             \
        check_equal(read_text(read, sizeof(read)), -EAGAIN); \
    } while (0)

static void
set_raw(void)
{
    struct termios2 settings = terminal.settings;

    settings.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    terminal_set(&terminal, &settings);
}

SELFTEST(terminal, line_is_read_when_ended, "in canonical mode nothing can be read before the line is ended")
{
    start();
    type("hello");
    check_reads_nothing();
    type("\r");
    check_reads("hello\n");
    check_text(shown, "hello\r\n");
}

SELFTEST(terminal, one_line_a_read, "a read gives at most one line, and the rest of a line to the next read")
{
    char little[4];

    start();
    type("first\nsecond\n");
    check_equal(read_text(little, sizeof(little)), 3);
    check_text(little, "fir");
    check_reads("st\n");
    check_reads("second\n");
}

SELFTEST(terminal, erase_edits_line,
         "backspace, ^W and ^U take back a character, a word and the line, on the screen too")
{
    start();
    type("cat\x7fr\n");
    check_reads("car\n");
    check_text(shown, "cat\b \br\r\n");
    type("one two \x17three\n");
    check_reads("one three\n");
    type("rest azAZ_09  \x17\n");
    check_reads("rest \n");
    type("gone\x15\x7fstays\n");
    check_reads("stays\n");
}

SELFTEST(terminal, killed_line_leaves_the_screen, "^U takes the line back, and every column of it off the screen")
{
    start();
    type("abc\x15" "d\n");
    check_reads("d\n");
    check_text(shown, "abc\b \b\b \b\b \bd\r\n");
}

SELFTEST(terminal, erase_stops_at_line, "erasing does not reach back into a line that is finished")
{
    start();
    type("kept\n\x7f\x7f\x15x\n");
    check_reads("kept\n");
    check_reads("x\n");
}

SELFTEST(terminal, erases_width,
         "erasing takes as many columns as the character took: a caret pair two, a tab up to eight, which are blank already")
{
    start();
    type("\x01\x7f");
    check_text(shown, "^A\b \b\b \b");
    start();
    type("abc\t\x7f");
    check_text(shown, "abc\t\b\b\b\b\b");
}

SELFTEST(terminal, end_of_file, "^D ends a read: with what was typed, or as an end of file of its own")
{
    start();
    type("\x04");
    check_reads("");
    check_reads_nothing();
    type("part\x04");
    check_reads("part");
    check_reads_nothing();
    type("line\n\x04");
    check_reads("line\n");
    check_reads("");
}

SELFTEST(terminal, literal_next, "^V takes the next character as it is")
{
    start();
    type("a\x16\x15\x16\x03z\n");
    check_reads("a\x15\x03z\n");
}

SELFTEST(terminal, interrupt_throws_line_away, "^C throws away what was typed and is shown as such")
{
    start();
    type("half\x03");
    type("whole\n");
    check_reads("whole\n");
    check_text(shown, "half^Cwhole\r\n");
}

SELFTEST(terminal, interrupt_may_spare_line, "with NOFLSH what was typed before ^C stays")
{
    struct termios2 settings;

    start();
    settings = terminal.settings;
    settings.c_lflag |= NOFLSH;
    terminal_set(&terminal, &settings);
    type("kept\x03 too\n");
    check_reads("kept too\n");
}

SELFTEST(terminal, raw_reads_at_once, "in raw mode each character can be read at once, unedited and without echo")
{
    start();
    set_raw();
    type("a\x7f\x04");
    check_reads("a\x7f\x04");
    check_text(shown, "");
}

SELFTEST(terminal, typed_ahead_survives_mode,
         "what was typed ahead can still be read after a change of mode, in either direction")
{
    char text[32];
    struct termios2 canonical;

    start();
    canonical = terminal.settings;
    type("ahead");
    set_raw();
    check_equal(read_text(text, sizeof(text)), 5);
    type("again");
    terminal_set(&terminal, &canonical);
    type("more\n");
    check_reads("again");
    check_reads("more\n");
}

SELFTEST(terminal, full_line_can_be_ended,
         "a line that fills the buffer loses what is too much, and can still be ended")
{
    static char text[TERMINAL_INPUT_BYTES + 1];

    start();
    for (u32 i = 0; i < 2 * TERMINAL_INPUT_BYTES; i++)
        terminal_receive(&terminal, 'x');
    type("\n");
    check_equal(read_text(text, sizeof(text)), TERMINAL_INPUT_BYTES);
    check_equal(text[TERMINAL_INPUT_BYTES - 1], '\n');
}

SELFTEST(terminal, zero_is_no_function, "a function whose character is 0 has none: a typed 0 is an ordinary character")
{
    struct termios2 settings;
    char text[8];

    start();
    settings = terminal.settings;
    settings.c_cc[VKILL] = 0;
    terminal_set(&terminal, &settings);
    type("a");
    terminal_receive(&terminal, '\0');
    type("b\r");
    check_equal(read_text(text, sizeof(text)), 4);
}

SELFTEST(terminal, half_character_is_erased_within_its_line, "where a line begins within a character, erasing it stops at the line's beginning")
{
    struct termios2 settings;

    start();
    settings = terminal.settings;
    settings.c_iflag |= IUTF8;
    terminal_set(&terminal, &settings);
    type("b\r");
    type("\x80\x7f");
    type("a\r");
    check_reads("b\n");
    check_reads("a\n");
}

SELFTEST(terminal, tab_goes_to_its_stop, "what is printed before a typed tab counts for its width: a printed tab goes to the next multiple of 8")
{
    u32 erased = 0;

    start();
    terminal_print(&terminal, "ab\t", 3);
    type("\t\x7f");
    for (usize i = 0; i < shown_length; i++)
        erased += shown[i] == '\b';
    check_equal(erased, 8);
}

/* Settings with some flags of input and output more, or local ones fewer. */
static void
set_flags(tcflag_t input, tcflag_t output, tcflag_t not_local)
{
    struct termios2 settings = terminal.settings;

    settings.c_iflag |= input;
    settings.c_oflag |= output;
    settings.c_lflag &= ~not_local;
    terminal_set(&terminal, &settings);
}

static s32
write_text(char *text)
{
    struct transfer transfer = transfer_kernel(text, strlen(text));

    return terminal_write(&terminal, &transfer, true);
}

SELFTEST(terminal, stop_holds_output, "^S holds what is written and echoed, ^Q lets it go on; neither is input")
{
    start();
    type("a\x13");
    check_equal(write_text("written\n"), 8);
    type("b");
    check_text(shown, "a");
    check_equal(terminal.held_bytes, 10);
    type("\x11");
    check_text(shown, "awritten\r\nb");
    check_equal(terminal.held_bytes, 0);
    type("\n");
    check_reads("ab\n");
}

SELFTEST(terminal, stop_is_bounded, "while output stands still a write gets as much room as there is, and then none")
{
    static char text[TERMINAL_HELD_BYTES + 1];

    start();
    memset(text, 'x', TERMINAL_HELD_BYTES);
    terminal_stop(&terminal);
    check_equal(write_text(text), TERMINAL_HELD_BYTES - 1);
    check_equal(write_text("more"), -EAGAIN);
    type("e");
    check_equal(terminal.held_bytes, TERMINAL_HELD_BYTES);
    terminal_flush_output(&terminal);
    check_equal(write_text("more"), 4);
    terminal_go_on(&terminal);
    check_text(shown, "more");
}

SELFTEST(terminal, any_key_goes_on, "with IXANY any character lets output go on, and is input; a program's stop is not ended by keys")
{
    start();
    set_flags(IXANY, 0, 0);
    type("\x13");
    write_text("w");
    type("k\n");
    check_text(shown, "wk\r\n");
    check_reads("k\n");
    terminal.stopped_by_program = true;
    terminal_stop(&terminal);
    type("k\x11");
    check_text(shown, "wk\r\n");
}

SELFTEST(terminal, stop_ends_with_its_reason, "^C throws held output away and goes on; so does a change to settings without IXON, which throws nothing away")
{
    struct termios2 settings;

    start();
    type("\x13");
    write_text("lost");
    type("\x03");
    check_text(shown, "^C");
    type("\x13");
    write_text(" kept");
    settings = terminal.settings;
    settings.c_iflag &= ~(tcflag_t)IXON;
    terminal_set(&terminal, &settings);
    check_text(shown, "^C kept");
    type("\x13\n");
    check_reads("\x13\n");
}

SELFTEST(terminal, erasing_follows_its_flags, "a word is rubbed out without ECHOE too, a line only with ECHOK; unseen control characters leave nothing to rub out")
{
    start();
    set_flags(0, 0, ECHOE);
    type("one\x17x\x7f");
    check_text(shown, "one\b \b\b \b\b \bx^?");
    start();
    set_flags(0, 0, ECHOK);
    type("ab\x15");
    check_text(shown, "ab^U");
    start();
    set_flags(0, 0, ECHOCTL);
    type("\x01\x7f");
    check_text(shown, "\x01");
}

SELFTEST(terminal, output_is_processed, "OLCUC, OCRNL, ONOCR and XTABS change what is printed")
{
    start();
    set_flags(0, OLCUC | OCRNL | ONOCR | XTABS, 0);
    terminal_print(&terminal, "\ra\tb\r\x1b", 6);
    check_text(shown, "A       B\n\x1b");
}

SELFTEST(terminal, parity_mark_is_doubled, "with PARMRK a received \\377 is read twice")
{
    start();
    set_flags(PARMRK, 0, 0);
    type("a\xff\n");
    check_reads("a\xff\xff\n");
}
