/*
 * The VGA text screen as an ANSI terminal: escape sequences are collected by a small state machine, and carried out on
 * the cells of vga_screen.c.
 *
 *     GROUND --ESC--> ESCAPE --[--> PARAMETERS --letter--> carried out, back to GROUND
 *                       │ │ └─ ( or ) --> CHARACTER_SET --any character--> GROUND
 *                       │ └──── ] ------> TITLE --BEL--> GROUND
 *                       └─ another letter: carried out, back to GROUND
 *
 * Writing from an interrupt handler in the middle of another write can garble a sequence but nothing else.
 */
#include "drivers/vga.h"

#include "drivers/keyboard.h"
#include "drivers/vga_screen.h"
#include "kernel/lib/string.h"

#define ATTRIBUTE_NORMAL 0x07 /* light grey on black */
#define ATTRIBUTE_BRIGHT 0x08
#define TAB_COLUMNS 8
#define PARAMETERS_MAX 16
#define PARAMETER_LIMIT 1000
#define BELL '\a'
#define ESCAPE_CHARACTER '\033'

/* A colour that follows as 5 and an index, or as 2 and its red, green and blue. */
#define COLOUR_FOREGROUND 38
#define COLOUR_BACKGROUND 48
#define COLOUR_BY_INDEX 5

/* ESC [ ? 1 h and l: what the cursor keys send. */
#define MODE_CURSOR_KEYS 1

enum state { GROUND, ESCAPE, PARAMETERS, CHARACTER_SET, TITLE };

static struct {
    enum state state;
    bool private;       /* ESC [ ? and its like: modes, most of them of terminals that can do more */
    u32 parameters[PARAMETERS_MAX];
    u32 parameter;      /* index of the one being read */
} sequence;

static struct vga_cursor saved;

static void
attributes_reset(void)
{
    vga_cursor.attribute = ATTRIBUTE_NORMAL;
    vga_cursor.reverse = false;
}

static void
ground_put(char character)
{
    switch (character) {
    case ESCAPE_CHARACTER: sequence.state = ESCAPE; break;
    case '\r': vga_cursor.column = 0; break;
    case '\n': vga_screen_line_feed(); break;
    case '\b': vga_cursor.column -= vga_cursor.column > 0; break;
    case '\t': vga_screen_move((s32)vga_cursor.row, (s32)(vga_cursor.column / TAB_COLUMNS + 1) * TAB_COLUMNS); break;
    default:
        if ((u8)character >= ' ')
            vga_screen_put((u8)character);
        break;
    }
}

/* A parameter, where 0 and none mean `standard`. */
static u32
parameter(u32 index, u32 standard)
{
    return sequence.parameters[index] ? sequence.parameters[index] : standard;
}

/* One number of a colour sequence. ANSI counts blue and red the other way round than VGA. */
static void
attribute_set(u32 code)
{
    static const u8 colours[] = {0, 4, 2, 6, 1, 5, 3, 7};
    u8 attribute = vga_cursor.attribute;

    if (code == 0) {
        attributes_reset();
        return;
    }
    if (code == 1)
        attribute |= ATTRIBUTE_BRIGHT;
    else if (code == 22)
        attribute &= (u8)~ATTRIBUTE_BRIGHT;
    else if (code == 7 || code == 27)
        vga_cursor.reverse = code == 7;
    else if (code >= 30 && code <= 37)
        attribute = (u8)((attribute & 0xf8) | colours[code - 30]);
    else if (code == 39)
        attribute = (attribute & 0xf8) | ATTRIBUTE_NORMAL;
    else if (code >= 40 && code <= 47)
        attribute = (u8)((attribute & 0x8f) | colours[code - 40] << 4);
    else if (code == 49)
        attribute &= 0x8f;
    else if (code >= 90 && code <= 97)
        attribute = (u8)((attribute & 0xf0) | ATTRIBUTE_BRIGHT | colours[code - 90]);
    vga_cursor.attribute = attribute;
}

static void
attributes_set(void)
{
    for (u32 i = 0; i <= sequence.parameter; i++) {
        u32 code = sequence.parameters[i];

        /* Colours that the adapter has not are passed over, with the numbers that say which. */
        if ((code == COLOUR_FOREGROUND || code == COLOUR_BACKGROUND) && i < sequence.parameter)
            i += sequence.parameters[i + 1] == COLOUR_BY_INDEX ? 2 : 4;
        else
            attribute_set(code);
    }
}

/* Mode 0: from the cursor to the end, 1: from the start to the cursor, 2: all of the range start to end - 1. */
static void
part_erase(u32 start, u32 end, u32 mode)
{
    u32 column = vga_cursor.column < VGA_COLUMNS ? vga_cursor.column : VGA_COLUMNS - 1;
    u32 cursor = vga_cursor.row * VGA_COLUMNS + column;

    if (mode == 0)
        vga_screen_erase(cursor, end);
    else if (mode == 1)
        vga_screen_erase(start, cursor + 1);
    else if (mode == 2)
        vga_screen_erase(start, end);
}

/* So many characters from the cursor on, within its line. */
static void
characters_erase(u32 count)
{
    u32 cursor = vga_cursor.row * VGA_COLUMNS + vga_cursor.column, rest = VGA_COLUMNS - vga_cursor.column;

    vga_screen_erase(cursor, cursor + (count < rest ? count : rest));
}

static void
cursor_save(void)
{
    saved = vga_cursor;
}

static void
cursor_restore(void)
{
    vga_cursor = saved;
}

/* The letters that move the cursor; false for another. */
static bool
motion_carry_out(char letter)
{
    s32 row = (s32)vga_cursor.row;
    s32 column = (s32)vga_cursor.column;
    s32 distance = (s32)parameter(0, 1);

    switch (letter) {
    case 'A': vga_screen_move(row - distance, column); return true;
    case 'B': vga_screen_move(row + distance, column); return true;
    case 'C': vga_screen_move(row, column + distance); return true;
    case 'D': vga_screen_move(row, column - distance); return true;
    case 'E': vga_screen_move(row + distance, 0); return true;
    case 'F': vga_screen_move(row - distance, 0); return true;
    case 'G':
    case '`': vga_screen_move(row, distance - 1); return true;
    case 'd': vga_screen_move(distance - 1, column); return true;
    case 'H':
    case 'f': vga_screen_move(distance - 1, (s32)parameter(1, 1) - 1); return true;
    case 's': cursor_save(); return true;
    case 'u': cursor_restore(); return true;
    default: return false;
    }
}

static void
sequence_carry_out(char letter)
{
    u32 line = vga_cursor.row * VGA_COLUMNS;
    u32 count = parameter(0, 1);
    s32 distance = (s32)count;

    if (sequence.private) {
        if (sequence.parameters[0] == MODE_CURSOR_KEYS && (letter == 'h' || letter == 'l'))
            keyboard_set_application_mode(letter == 'h');
        return;
    }
    if (motion_carry_out(letter))
        return;
    switch (letter) {
    case 'J': part_erase(0, VGA_ROWS * VGA_COLUMNS, sequence.parameters[0]); break;
    case 'K': part_erase(line, line + VGA_COLUMNS, sequence.parameters[0]); break;
    case 'X': characters_erase(count); break;
    case 'L': vga_screen_shift_lines(-distance); break;
    case 'M': vga_screen_shift_lines(distance); break;
    case '@': vga_screen_shift_characters(-distance); break;
    case 'P': vga_screen_shift_characters(distance); break;
    case 'S': vga_screen_scroll(distance); break;
    case 'T': vga_screen_scroll(-distance); break;
    case 'r': vga_screen_set_region(count - 1, parameter(1, VGA_ROWS) - 1); break;
    case 'm': attributes_set(); break;
    }
}

static void
parameter_put(char character)
{
    u32 *current = &sequence.parameters[sequence.parameter];

    if (character >= '0' && character <= '9') {
        if (*current < PARAMETER_LIMIT)
            *current = *current * 10 + (u32)(character - '0');
    } else if (character == ';') {
        if (sequence.parameter + 1 < PARAMETERS_MAX)
            sequence.parameter++;
    } else if (character >= '<' && character <= '?') {
        sequence.private = true;
    } else if (character >= '@') {
        sequence.state = GROUND;
        sequence_carry_out(character);
    }
}

static void
escape_put(char character)
{
    sequence.state = GROUND;
    switch (character) {
    case '[':
        memset(&sequence, 0, sizeof(sequence));
        sequence.state = PARAMETERS;
        break;
    case '(':
    case ')': sequence.state = CHARACTER_SET; break;
    case ']': sequence.state = TITLE; break;
    case '7': cursor_save(); break;
    case '8': cursor_restore(); break;
    case 'D': vga_screen_line_feed(); break;
    case 'E':
        vga_cursor.column = 0;
        vga_screen_line_feed();
        break;
    case 'M': vga_screen_reverse_feed(); break;
    case 'c': vga_start(); break;
    }
}

static void
character_put(char character)
{
    switch (sequence.state) {
    case GROUND: ground_put(character); break;
    case ESCAPE: escape_put(character); break;
    case PARAMETERS: parameter_put(character); break;
    case CHARACTER_SET: sequence.state = GROUND; break;
    case TITLE:
        /* It may also end with ESC \. */
        if (character == BELL || character == ESCAPE_CHARACTER)
            sequence.state = character == BELL ? GROUND : ESCAPE;
        break;
    }
}

void
vga_start(void)
{
    attributes_reset();
    keyboard_set_application_mode(false);
    vga_screen_start();
    cursor_save();
    vga_screen_show_cursor();
}

void
vga_write(const char *text, usize length)
{
    for (; length > 0; text++, length--)
        character_put(*text);
    vga_screen_show_cursor();
}
