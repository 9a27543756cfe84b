/*
 * The PS/2 keyboard. The controller translates to scan code set 1: one byte a key, with the high bit set when it is
 * released, and 0xe0 before the keys that the first PC did not have.
 */
#include "drivers/keyboard.h"

#include "drivers/interrupts.h"
#include "kernel/assert.h"
#include "kernel/x86/io.h"

#define PORT_DATA 0x60
#define PORT_STATUS 0x64
#define PORT_COMMAND 0x64
#define STATUS_OUTPUT_FULL 0x01
#define STATUS_FROM_MOUSE 0x20
#define COMMAND_ENABLE_KEYBOARD 0xae
#define FLUSH_MAX 32

#define CODE_RELEASED 0x80
#define CODE_EXTENDED 0xe0
#define KEY_CONTROL 0x1d
#define KEY_LEFT_SHIFT 0x2a
#define KEY_RIGHT_SHIFT 0x36
#define KEY_ALT 0x38
#define KEY_CAPS_LOCK 0x3a
#define KEY_NUM_LOCK 0x45
#define KEY_SPACE 0x39
#define KEY_PAD_FIRST 0x47
#define KEY_PAD_SLASH 0x35
#define KEY_PAD_ENTER 0x1c

#define ESCAPE '\033'
#define DELETE '\177'
#define CONTROL_MASK 0x1f

/* Index: scan code. 0: no character. */
static const char plain[] = "\0\0331234567890-=\177\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] = "\0\033!@#$%^&*()_+\177\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

/* The pad from its upper left key on: with num lock, these; without, the keys of sequences, but for - and +. */
static const char pad[] = "789-456+1230.";

/* Keys that send a sequence: ESC [ and this text; in application mode a single letter follows ESC O. */
static const struct {
    u8 code;
    const char *text;
} sequences[] = {
    {0x48, "A"}, {0x50, "B"}, {0x4d, "C"}, {0x4b, "D"},                     /* up, down, right, left */
    {0x47, "H"}, {0x4f, "F"}, {0x52, "2~"}, {0x53, "3~"},                   /* Home, End, Insert, Delete */
    {0x49, "5~"}, {0x51, "6~"},                                             /* Page Up, Page Down */
    {0x3b, "[A"}, {0x3c, "[B"}, {0x3d, "[C"}, {0x3e, "[D"}, {0x3f, "[E"},   /* F1 to F5 */
    {0x40, "17~"}, {0x41, "18~"}, {0x42, "19~"}, {0x43, "20~"},             /* F6 to F9 */
    {0x44, "21~"}, {0x57, "23~"}, {0x58, "24~"},                            /* F10 to F12 */
};

static void (*receiver)(char character);
static bool left_shift, right_shift, control, alt, caps_lock, num_lock, extended, application_mode;

static void
character_send(char character)
{
    if (receiver)
        receiver(character);
}

static void
sequence_send(u8 code)
{
    for (u32 i = 0; i < ARRAY_SIZE(sequences); i++) {
        if (sequences[i].code != code)
            continue;
        character_send(ESCAPE);
        character_send(application_mode && sequences[i].text[1] == '\0' ? 'O' : '[');
        for (const char *text = sequences[i].text; *text; text++)
            character_send(*text);
    }
}

/* Notes a modifier's state; whether the key is one. */
static bool
modifier_note(u8 key, bool pressed)
{
    switch (key) {
    case KEY_CONTROL: control = pressed; return true;
    case KEY_ALT: alt = pressed; return true;
    case KEY_LEFT_SHIFT: left_shift = pressed; return true;
    case KEY_RIGHT_SHIFT: right_shift = pressed; return true;
    case KEY_CAPS_LOCK: caps_lock ^= pressed; return true;
    /* With control it is the key Pause. */
    case KEY_NUM_LOCK: num_lock ^= pressed && !control; return true;
    default: return false;
    }
}

/* The character of a key with the present modifiers, but for control and alt; 0: it has none. */
static char
key_character(u8 key)
{
    bool shift = left_shift || right_shift;

    if (key >= KEY_PAD_FIRST && key - KEY_PAD_FIRST < (u8)sizeof(pad) - 1) {
        char character = pad[key - KEY_PAD_FIRST];

        return num_lock != shift || character == '-' || character == '+' ? character : '\0';
    }
    if (key >= sizeof(plain))
        return '\0';
    bool letter = plain[key] >= 'a' && plain[key] <= 'z';
    return shift != (letter && caps_lock) ? shifted[key] : plain[key];
}

static void
key_send(u8 key)
{
    char character = key_character(key);

    if (character == '\0') {
        sequence_send(key);
        return;
    }
    if (control && (key == KEY_SPACE || (character >= '@' && character < DELETE)))
        character &= CONTROL_MASK;
    if (alt)
        character_send(ESCAPE);
    character_send(character);
}

void
keyboard_set_application_mode(bool on)
{
    application_mode = on;
}

void
keyboard_scan(u8 code)
{
    u8 key = code & (u8)~CODE_RELEASED;
    bool pressed = !(code & CODE_RELEASED);
    bool was_extended = extended;

    extended = code == CODE_EXTENDED;
    if (extended)
        return;
    /* Some keyboards wrap extended keys in shifts of their own. */
    if (was_extended && (key == KEY_LEFT_SHIFT || key == KEY_RIGHT_SHIFT))
        return;
    if (modifier_note(key, pressed) || !pressed)
        return;
    if (was_extended && key != KEY_PAD_SLASH && key != KEY_PAD_ENTER)
        sequence_send(key);
    else
        key_send(key);
}

static void
keyboard_interrupt(void)
{
    u8 status = io_read8(PORT_STATUS);

    if (!(status & STATUS_OUTPUT_FULL))
        return;
    u8 code = io_read8(PORT_DATA);
    if (!(status & STATUS_FROM_MOUSE))
        keyboard_scan(code);
}

void
keyboard_start(void (*character_receiver)(char character))
{
    assert(character_receiver != NULL);
    receiver = character_receiver;
    /* What was typed before would block the interrupts. */
    for (u32 i = 0; i < FLUSH_MAX && (io_read8(PORT_STATUS) & STATUS_OUTPUT_FULL); i++)
        io_read8(PORT_DATA);
    irq_register(IRQ_KEYBOARD, keyboard_interrupt);
    io_write8(PORT_COMMAND, COMMAND_ENABLE_KEYBOARD);
}
