/*
 * The VGA text screen as an ANSI terminal. Text goes straight into the adapter's memory; an escape sequence is
 * collected by a small state machine:
 *
 *     GROUND --ESC--> ESCAPE --[--> PARAMETERS --letter--> carried out, back to GROUND
 *
 * Writing from an interrupt handler in the middle of another write can garble a sequence but nothing else: all
 * positions are kept in range.
 */
#include "drivers/vga.h"

#include "boot/layout.h"
#include "kernel/lib/string.h"
#include "kernel/x86/io.h"

#define VGA_MEMORY ((u16 *)(BOOT_KERNEL_BASE + 0xb8000))
#define CRTC_INDEX 0x3d4
#define CRTC_DATA 0x3d5
#define CRTC_CURSOR_HIGH 0x0e
#define CRTC_CURSOR_LOW 0x0f

#define ATTRIBUTE_NORMAL 0x07 /* light grey on black */
#define ATTRIBUTE_BRIGHT 0x08
#define TAB_COLUMNS 8
#define PARAMETERS_MAX 4
#define PARAMETER_LIMIT 1000

enum state { GROUND, ESCAPE, PARAMETERS };

static struct {
    u32 row, column; /* column may be VGA_COLUMNS: the line is full, and the next character begins a new one */
    u8 attribute;
    bool reverse;
    enum state state;
    u32 parameters[PARAMETERS_MAX];
    u32 parameter; /* index of the one being read */
} screen;

static u16
cell(char character)
{
    u8 attribute = screen.attribute;

    if (screen.reverse)
        attribute = (u8)(attribute << 4 | attribute >> 4);
    return (u16)(attribute << 8 | (u8)character);
}

/* Erases cells first to last - 1, counted from the upper left corner. */
static void
erase(u32 first, u32 last)
{
    for (u32 i = first; i < last; i++)
        VGA_MEMORY[i] = cell(' ');
}

static void
show_cursor(void)
{
    u32 column = screen.column < VGA_COLUMNS ? screen.column : VGA_COLUMNS - 1;
    u32 position = screen.row * VGA_COLUMNS + column;

    io_write8(CRTC_INDEX, CRTC_CURSOR_HIGH);
    io_write8(CRTC_DATA, (u8)(position >> 8));
    io_write8(CRTC_INDEX, CRTC_CURSOR_LOW);
    io_write8(CRTC_DATA, (u8)position);
}

static void
line_feed(void)
{
    if (screen.row + 1 < VGA_ROWS) {
        screen.row++;
        return;
    }
    memmove(VGA_MEMORY, VGA_MEMORY + VGA_COLUMNS, (VGA_ROWS - 1) * VGA_COLUMNS * sizeof(u16));
    erase((VGA_ROWS - 1) * VGA_COLUMNS, VGA_ROWS * VGA_COLUMNS);
}

static void
put_printable(char character)
{
    if (screen.column >= VGA_COLUMNS) {
        screen.column = 0;
        line_feed();
    }
    VGA_MEMORY[screen.row * VGA_COLUMNS + screen.column++] = cell(character);
}

static void
put_ground(char character)
{
    switch (character) {
    case '\033': screen.state = ESCAPE; break;
    case '\r': screen.column = 0; break;
    case '\n': line_feed(); break;
    case '\b': screen.column -= screen.column > 0; break;
    case '\t':
        screen.column = (screen.column / TAB_COLUMNS + 1) * TAB_COLUMNS;
        if (screen.column >= VGA_COLUMNS)
            screen.column = VGA_COLUMNS - 1;
        break;
    default:
        if ((u8)character >= ' ')
            put_printable(character);
        break;
    }
}

/* A parameter, where 0 and none mean `standard`. */
static u32
parameter(u32 index, u32 standard)
{
    return screen.parameters[index] ? screen.parameters[index] : standard;
}

static u32
clamp(s32 value, u32 limit)
{
    if (value < 0)
        return 0;
    return (u32)value < limit ? (u32)value : limit - 1;
}

static void
move_to(s32 row, s32 column)
{
    screen.row = clamp(row, VGA_ROWS);
    screen.column = clamp(column, VGA_COLUMNS);
}

/* One number of a colour sequence. ANSI counts blue and red the other way round than VGA. */
static void
set_attribute(u32 code)
{
    static const u8 colours[] = {0, 4, 2, 6, 1, 5, 3, 7};

    if (code == 0) {
        screen.attribute = ATTRIBUTE_NORMAL;
        screen.reverse = false;
    } else if (code == 1) {
        screen.attribute |= ATTRIBUTE_BRIGHT;
    } else if (code == 22) {
        screen.attribute &= (u8)~ATTRIBUTE_BRIGHT;
    } else if (code == 7 || code == 27) {
        screen.reverse = code == 7;
    } else if (code >= 30 && code <= 37) {
        screen.attribute = (u8)((screen.attribute & 0xf8) | colours[code - 30]);
    } else if (code == 39) {
        screen.attribute = (screen.attribute & 0xf8) | ATTRIBUTE_NORMAL;
    } else if (code >= 40 && code <= 47) {
        screen.attribute = (u8)((screen.attribute & 0x8f) | colours[code - 40] << 4);
    } else if (code == 49) {
        screen.attribute &= 0x8f;
    } else if (code >= 90 && code <= 97) {
        screen.attribute = (u8)((screen.attribute & 0xf0) | ATTRIBUTE_BRIGHT | colours[code - 90]);
    }
}

/* Mode 0: from the cursor to the end, 1: from the start to the cursor, 2: all of the range start to end - 1. */
static void
erase_part(u32 start, u32 end, u32 mode)
{
    u32 cursor = screen.row * VGA_COLUMNS + clamp((s32)screen.column, VGA_COLUMNS);

    if (mode == 0)
        erase(cursor, end);
    else if (mode == 1)
        erase(start, cursor + 1);
    else if (mode == 2)
        erase(start, end);
}

static void
carry_out(char letter)
{
    s32 row = (s32)screen.row;
    s32 column = (s32)screen.column;
    s32 distance = (s32)parameter(0, 1);

    switch (letter) {
    case 'A': move_to(row - distance, column); break;
    case 'B': move_to(row + distance, column); break;
    case 'C': move_to(row, column + distance); break;
    case 'D': move_to(row, column - distance); break;
    case 'G': move_to(row, distance - 1); break;
    case 'd': move_to(distance - 1, column); break;
    case 'H':
    case 'f': move_to(distance - 1, (s32)parameter(1, 1) - 1); break;
    case 'J': erase_part(0, VGA_ROWS * VGA_COLUMNS, screen.parameters[0]); break;
    case 'K': erase_part(screen.row * VGA_COLUMNS, (screen.row + 1) * VGA_COLUMNS, screen.parameters[0]); break;
    case 'm':
        for (u32 i = 0; i <= screen.parameter; i++)
            set_attribute(screen.parameters[i]);
        break;
    }
}

static void
put_parameter(char character)
{
    u32 *current = &screen.parameters[screen.parameter];

    if (character >= '0' && character <= '9') {
        if (*current < PARAMETER_LIMIT)
            *current = *current * 10 + (u32)(character - '0');
    } else if (character == ';') {
        if (screen.parameter + 1 < PARAMETERS_MAX)
            screen.parameter++;
    } else if (character >= '@') {
        screen.state = GROUND;
        carry_out(character);
    }
}

static void
put_escape(char character)
{
    screen.state = character == '[' ? PARAMETERS : GROUND;
    screen.parameter = 0;
    memset(screen.parameters, 0, sizeof(screen.parameters));
}

void
vga_start(void)
{
    screen.attribute = ATTRIBUTE_NORMAL;
    erase(0, VGA_ROWS * VGA_COLUMNS);
    show_cursor();
}

void
vga_write(const char *text, usize length)
{
    for (; length > 0; text++, length--) {
        switch (screen.state) {
        case GROUND: put_ground(*text); break;
        case ESCAPE: put_escape(*text); break;
        case PARAMETERS: put_parameter(*text); break;
        }
    }
    show_cursor();
}

char
vga_character(u32 row, u32 column)
{
    return (char)VGA_MEMORY[row * VGA_COLUMNS + column];
}
