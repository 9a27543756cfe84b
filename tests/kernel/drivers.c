/* The drivers, as far as they can be seen from within. */
#include "drivers/block.h"
#include "drivers/clock.h"
#include "drivers/keyboard.h"
#include "drivers/ramdisk.h"
#include "drivers/timer.h"
#include "drivers/vga.h"
#include "drivers/vga_screen.h"
#include "drivers/vga_screen.h"
#include "kernel/command_line.h"
#include "kernel/console.h"
#include "kernel/lib/string.h"
#include "kernel/selftest.h"
#include "kernel/x86/cpu.h"
#include "mm/kmem.h"
#include "mm/units.h"

#include <asm/errno.h>

#define ATTEMPTS 20

SELFTEST(timer, runs, "the clock ticks, and time passes with it")
{
    u64 before = timer_ticks();
    u64 start = timer_nanoseconds();
    u64 start_ticks = timer_ticks();
    u64 elapsed;

    while (timer_ticks() < start_ticks + 3)
        cpu_wait_for_interrupt();
    elapsed = timer_nanoseconds() - start;
    check_true(elapsed >= 2 * (u64)TIMER_TICK_NANOSECONDS);
    /* A busy host may let any number of ticks pass meanwhile, but the clock no faster than they. */
    check_true(elapsed <= (timer_ticks() - before + 2) * TIMER_TICK_NANOSECONDS);
}

SELFTEST(timer, never_goes_back, "time never goes back, across ticks too")
{
    u64 end = timer_nanoseconds() + 3 * (u64)TIMER_TICK_NANOSECONDS;
    u64 last = 0;

    while (last < end) {
        u64 now = timer_nanoseconds();

        check_true(now >= last);
        last = now;
    }
}

SELFTEST(timer, dates, "dates become seconds since 1970, leap years included")
{
    check_equal(clock_seconds(1970, 1, 1, 0, 0, 0), 0);
    check_equal(clock_seconds(2000, 2, 29, 12, 0, 0), 951825600);
    check_equal(clock_seconds(2000, 3, 1, 0, 0, 0), 951868800);
    check_equal(clock_seconds(2023, 12, 31, 23, 59, 59), 1704067199);
    check_equal(clock_seconds(2100, 3, 1, 0, 0, 0), 4107542400u);
}

SELFTEST(timer, clock_readings, "the clock's numbers are decimal digits or binary, its hours 24 or twice 12, its years 1970 to 2069")
{
    enum { HOURS_24 = 2, BINARY = 4 };
    static const struct { struct clock_reading reading; u8 status; u32 seconds; } rows[] = {
        {{0x56, 0x34, 0x23, 0x31, 0x12, 0x23}, HOURS_24, 1704065696},              /* 2023-12-31 23:34:56 */
        {{56, 34, 23, 31, 12, 23}, HOURS_24 | BINARY, 1704065696},
        {{0x56, 0x34, 0x91, 0x31, 0x12, 0x23}, 0, 1704065696},                      /* 11 in the afternoon */
        {{56, 34, 0x8b, 31, 12, 23}, BINARY, 1704065696},
        {{0x56, 0x34, 0x11, 0x31, 0x12, 0x23}, 0, 1704065696 - 12 * 3600},
        {{0x56, 0x34, 0x12, 0x31, 0x12, 0x23}, 0, 1704065696 - 23 * 3600},          /* midnight */
        {{0x56, 0x34, 0x92, 0x31, 0x12, 0x23}, 0, 1704065696 - 11 * 3600},          /* noon */
        {{0, 0, 0, 1, 1, 0x70}, HOURS_24, 0},
        {{0, 0, 0, 1, 1, 0x69}, HOURS_24, 3124224000u},
    };

    for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
        check_equal(clock_convert(&rows[i].reading, rows[i].status), rows[i].seconds);
}

/* Shows text on the screen only; the serial line carries the report. */
static void
show(const char *text)
{
    vga_write(text, strlen(text));
}

static bool
screen_has(u32 row, u32 column, const char *text)
{
    for (; *text; text++, column++) {
        if (vga_screen_character(row, column) != *text)
            return false;
    }
    return true;
}

SELFTEST(vga, moves_and_erases, "the screen obeys the common escape sequences")
{
    show("\033[2J\033[H");
    show("abc\r\ndef");
    check_true(screen_has(0, 0, "abc ") && screen_has(1, 0, "def "));
    show("\033[5;10Hxyz\033[2Dw");
    check_true(screen_has(4, 9, "xwz"));
    show("\033[1;2H\033[K");
    check_true(screen_has(0, 0, "a  "));
    show("\033[31;1mred\033[0m\b\b\t!");
    check_true(screen_has(0, 1, "red") && screen_has(0, 8, "!"));
    show("\033[999;999Hend\033[?25h\033[3J");
    check_true(screen_has(VGA_ROWS - 1, 0, "nd"));
}

SELFTEST(vga, scrolls, "a line feed on the last line moves all others up")
{
    show("\033[2J\033[25;1Hlast");
    show("\r\nnext");
    check_true(screen_has(VGA_ROWS - 2, 0, "last") && screen_has(VGA_ROWS - 1, 0, "next"));
}

/* Letters a to y down the left side, one in each line. */
static void
show_letters(void)
{
    char line[] = "\033[1;1H?";

    show("\033[r\033[2J");
    for (u32 row = 0; row < VGA_ROWS; row++) {
        line[sizeof(line) - 2] = (char)('a' + row);
        show(row > 0 ? "\r\n" : "\033[H");
        show(line + sizeof(line) - 2);
    }
}

/* Whether the first lines begin with these letters. */
static bool
lines_begin(const char *letters)
{
    for (u32 row = 0; letters[row]; row++) {
        if (vga_screen_character(row, 0) != letters[row])
            return false;
    }
    return true;
}

SELFTEST(vga, scrolls_a_region, "with a region set, only its lines move, downwards and upwards, and the cursor goes home")
{
    show_letters();
    show("\033[2;4r");
    check_true(vga_cursor.row == 0 && vga_cursor.column == 0);
    show("\033[4;1H\n");
    check_true(lines_begin("acd e"));
    show("\033[2;1H\033M\033M");
    check_true(lines_begin("a  ce"));
    show("\033[2S");
    check_true(lines_begin("ac  e"));
    show("\033[T");
    check_true(lines_begin("a c e"));
    show("\033[r\033[25;1H\n");
    check_true(lines_begin(" c ef"));
}

SELFTEST(vga, inserts_and_deletes, "lines below, and characters behind the cursor make room or close up; what is outside stays")
{
    show_letters();
    show("\033[2;1H\033[2L");
    check_true(lines_begin("a  bc"));
    show("\033[2M");
    check_true(lines_begin("abcde") && vga_screen_character(VGA_ROWS - 1, 0) == ' ');
    show("\033[1;3r\033[5;1H\033[M\033[2;1H\033[99M\033[r");
    check_true(lines_begin("a  de"));
    show("\033[2J\033[HABCDEF\033[1;3H\033[2@");
    check_true(screen_has(0, 0, "AB  CDEF"));
    show("\033[3P");
    check_true(screen_has(0, 0, "ABDEF "));
    show("\033[2X");
    check_true(screen_has(0, 0, "AB  F"));
}

SELFTEST(vga, swallows, "titles, character sets, private modes and colours that are not there leave no trace; the cursor is kept and taken back")
{
    show("\033[0m\033[2J\033[Habc\0337\033[9;9H\033[1;31m\0338d\033(B\033)0e\033]0;title\007f\033]2;title\033\\g\033[?25lh\033[?2Ji");
    check_true(screen_has(0, 0, "abcdefghi "));
    show("\033[38;5;1m\033[48;2;1;7;31m");
    check_true(vga_cursor.attribute == 0x07 && !vga_cursor.reverse);
    show("\033[38;5;1;32m");
    check_true(vga_cursor.attribute == 0x02);
    show("\033[0m");
}

/* The attribute after a sequence from the normal one. */
static u32
attribute_after(const char *text)
{
    u32 attribute;

    show("\033[0m");
    show(text);
    attribute = vga_cursor.attribute;
    show("\033[0m");
    return attribute;
}

SELFTEST(vga, colours, "colours are ANSI's in VGA's numbers, bright or not, in front and behind, and each is taken back alone")
{
    check_equal(attribute_after("\033[31m"), 0x04);
    check_equal(attribute_after("\033[37;44m"), 0x17);
    check_equal(attribute_after("\033[47m"), 0x77);
    check_equal(attribute_after("\033[48m"), 0x07);
    check_equal(attribute_after("\033[50m"), 0x07);
    check_equal(attribute_after("\033[34;41;39m"), 0x47);
    check_equal(attribute_after("\033[34;41;49m"), 0x01);
    check_equal(attribute_after("\033[1;31m"), 0x0c);
    check_equal(attribute_after("\033[1;31;22m"), 0x04);
    check_equal(attribute_after("\033[91m"), 0x0c);
    check_equal(attribute_after("\033[1;32;0m"), 0x07);
}

SELFTEST(vga, reverse, "7 exchanges the colours, until 27 or 0")
{
    show("\033[0;7m");
    check_true(vga_cursor.reverse);
    show("\033[27m");
    check_true(!vga_cursor.reverse);
    show("\033[7m\033[0m");
    check_true(!vga_cursor.reverse);
}

static char typed[64];
static usize typed_count;

static void
receive(char character)
{
    if (typed_count + 1 < sizeof(typed))
        typed[typed_count++] = character;
}

/* Feeds the scan codes to the keyboard and returns what they type. */
static const char *
type(const u8 *codes, usize count)
{
    console_receiver before = console_input_register(receive);

    memset(typed, 0, sizeof(typed));
    typed_count = 0;
    for (usize i = 0; i < count; i++)
        keyboard_scan(codes[i]);
    console_input_register(before);
    return typed;
}

SELFTEST(keyboard, letters, "shift, caps lock and control act as on every keyboard")
{
    /* a, shift+a, caps a shift+a caps, ctrl+c, shift+1 */
    static const u8 codes[] = {0x1e, 0x9e, 0x2a, 0x1e, 0x9e, 0xaa, 0x3a, 0xba, 0x1e, 0x2a, 0x1e, 0xaa, 0x3a, 0xba,
                               0x1d, 0x2e, 0x9d, 0x2a, 0x02, 0xaa};

    check_text(type(codes, sizeof(codes)), "aAAa\003!");
}

SELFTEST(keyboard, cursor_keys, "cursor keys send escape sequences, the pad's slash and enter themselves, alt an escape before")
{
    static const u8 codes[] = {0xe0, 0x48, 0xe0, 0xc8, 0xe0, 0x53, 0xe0, 0x35, 0xe0, 0x1c, 0x38, 0x30, 0xb8};

    check_text(type(codes, sizeof(codes)), "\033[A\033[3~/\r\033b");
}

SELFTEST(keyboard, both_shifts, "shift holds until both keys are released")
{
    static const u8 codes[] = {0x2a, 0x36, 0x1e, 0xaa, 0x1e, 0xb6, 0x1e};

    check_text(type(codes, sizeof(codes)), "AAa");
}

SELFTEST(keyboard, pad, "the pad moves the cursor, and with num lock or shift types digits; Pause is not num lock")
{
    /* 7, num lock 7 . shift+4 num lock, - +, Pause, 8 */
    static const u8 codes[] = {0x47, 0xc7, 0x45, 0xc5, 0x47, 0x53, 0x2a, 0x4b, 0xaa, 0x45, 0xc5, 0x4a, 0x4e,
                               0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5, 0x48};

    check_text(type(codes, sizeof(codes)), "\033[H7.\033[D-+\033[A");
}

SELFTEST(keyboard, function_keys, "function keys send what they send on Linux's console")
{
    static const u8 codes[] = {0x3b, 0x3f, 0x40, 0x44, 0x57, 0x58};

    check_text(type(codes, sizeof(codes)), "\033[[A\033[[E\033[17~\033[21~\033[23~\033[24~");
}

SELFTEST(keyboard, application_mode, "on a program's request the cursor keys send what it expects of a VT100, the others what they did")
{
    static const u8 codes[] = {0xe0, 0x48, 0xe0, 0x47, 0xe0, 0x53, 0x3b};

    show("\033[?1h");
    check_text(type(codes, sizeof(codes)), "\033OA\033OH\033[3~\033[[A");
    show("\033[?2l\033[?1m");
    check_text(type(codes, sizeof(codes)), "\033OA\033OH\033[3~\033[[A");
    show("\033[?1l\033[?2h");
    check_text(type(codes, sizeof(codes)), "\033[A\033[H\033[3~\033[[A");
}

SELFTEST(keyboard, control_keys, "control makes of a letter and its neighbours a control character, of the space a null")
{
    /* ctrl with [ \ ] 1 and the space, whose null ends the text. */
    static const u8 codes[] = {0x1d, 0x1a, 0x2b, 0x1b, 0x02, 0x39, 0x9d};

    check_text(type(codes, sizeof(codes)), "\033\034\0351");
    check_equal(typed_count, 5);
}

SELFTEST(keyboard, control_limits, "what control changes begins with @, and ends before delete")
{
    /* ctrl+shift 2, which is @ and ends the text; ctrl _ (shift -); ctrl backspace, which is delete; ctrl 9 */
    static const u8 codes[] = {0x1d, 0x2a, 0x03, 0x0c, 0xaa, 0x0e, 0x0a, 0x9d};

    type(codes, sizeof(codes));
    check_equal(typed_count, 4);
    check_true(typed[0] == '\0' && typed[1] == 0x1f && typed[2] == 0x7f && typed[3] == '9');
}

SELFTEST(keyboard, extended_once, "the byte that announces an extended key is for the next code only; shifts that a keyboard adds are none")
{
    /* extended up, 8 of the pad with num lock, num lock; extended shift, a */
    static const u8 codes[] = {0x45, 0xc5, 0xe0, 0x48, 0x48, 0x45, 0xc5, 0xe0, 0x2a, 0x1e, 0xe0, 0xaa};

    check_text(type(codes, sizeof(codes)), "\033[A8a");
}

SELFTEST(block, ranges, "a transfer beyond the end is refused, and what was written is read, at any position")
{
    u8 *memory = kmem_allocate(512);
    struct block_device *disk = ramdisk_create("test", (u32)((char *)memory - direct_map), 512);
    char text[8] = "";

    check_true(disk != NULL);
    check_equal(block_write(disk, 507, "hello", 5), 0);
    check_equal(block_read(disk, 507, text, 5), 0);
    check_text(text, "hello");
    check_equal(block_read(disk, 508, text, 5), -EIO);
    check_equal(block_write(disk, 513, text, 0), -EIO);
    check_equal(block_read(disk, UINT64_MAX, text, 2), -EIO);
    check_equal(disk->transfers_read, 1);
    check_equal(disk->bytes_written, 5);
    ramdisk_destroy(disk);
    kmem_free(memory);
}

static u32 new_latency, old_latency;

static void
exchange_latency(const struct boot_switch *boot_switch, const char *value)
{
    u32 *variable = boot_switch->variable;

    (void)value;
    if (strcmp(boot_switch->name, "ramdisk.latency") != 0)
        return;
    old_latency = *variable;
    *variable = new_latency;
}

static void
set_latency(u32 microseconds)
{
    new_latency = microseconds;
    command_line_for_each(exchange_latency);
}

SELFTEST(block, latency, "a transfer takes as long as ramdisk.latency says, and not much longer")
{
    static char memory[16];
    struct block_device *disk = ramdisk_create("test", (u32)(memory - direct_map), sizeof(memory));
    u64 taken = UINT64_MAX;
    char text[4];

    check_true(disk != NULL);
    set_latency(3000);
    /* A busy host may be late at any time, but not at each. */
    for (int attempt = 0; attempt < ATTEMPTS && taken >= 10 * (u64)TIMER_TICK_NANOSECONDS; attempt++) {
        u64 start = timer_nanoseconds();

        block_read(disk, 0, text, sizeof(text));
        block_read(disk, 0, text, sizeof(text));
        taken = timer_nanoseconds() - start;
    }
    set_latency(old_latency);
    ramdisk_destroy(disk);
    check_true(taken >= 6000000);
    check_true(taken < 10 * (u64)TIMER_TICK_NANOSECONDS);
}
