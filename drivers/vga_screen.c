/*
 * The cells of the VGA text screen. Writing from an interrupt handler in the middle of another write can garble the
 * screen but nothing else: every place is clamped where it is used.
 */
#include "drivers/vga_screen.h"

#include "boot/layout.h"
#include "kernel/lib/string.h"
#include "kernel/x86/io.h"

#define VGA_MEMORY ((u16 *)(BOOT_KERNEL_BASE + 0xb8000))
#define CRTC_INDEX 0x3d4
#define CRTC_DATA 0x3d5
#define CRTC_CURSOR_HIGH 0x0e
#define CRTC_CURSOR_LOW 0x0f

struct vga_cursor vga_cursor;

static struct {
    u32 first, last;    /* lines; the scrolling region */
} region = {0, VGA_ROWS - 1};

static u16
cell(u8 character)
{
    u8 attribute = vga_cursor.attribute;

    if (vga_cursor.reverse)
        attribute = (u8)(attribute << 4 | attribute >> 4);
    return (u16)(attribute << 8 | character);
}

void
vga_screen_erase(u32 first, u32 last)
{
    for (u32 i = first; i < last; i++)
        VGA_MEMORY[i] = cell(' ');
}

/* Cells first to last - 1 move by so many cells to the front (distance > 0) or to the end; what is left is erased. */
static void
cells_shift(u32 first, u32 last, s32 distance)
{
    u32 length = last - first;
    u32 gap = distance < 0 ? (u32)-distance : (u32)distance;

    if (gap > length)
        gap = length;
    if (distance > 0) {
        memmove(VGA_MEMORY + first, VGA_MEMORY + first + gap, (length - gap) * sizeof(u16));
        vga_screen_erase(last - gap, last);
    } else {
        memmove(VGA_MEMORY + first + gap, VGA_MEMORY + first, (length - gap) * sizeof(u16));
        vga_screen_erase(first, first + gap);
    }
}

static u32
clamp(s32 value, u32 limit)
{
    if (value < 0)
        return 0;
    return (u32)value < limit ? (u32)value : limit - 1;
}

void
vga_screen_move(s32 row, s32 column)
{
    vga_cursor.row = clamp(row, VGA_ROWS);
    vga_cursor.column = clamp(column, VGA_COLUMNS);
}

void
vga_screen_set_region(u32 first, u32 last)
{
    if (last >= VGA_ROWS)
        last = VGA_ROWS - 1;
    if (first >= last)
        return;
    region.first = first;
    region.last = last;
    vga_screen_move(0, 0);
}

void
vga_screen_scroll(s32 count)
{
    cells_shift(region.first * VGA_COLUMNS, (region.last + 1) * VGA_COLUMNS, count * VGA_COLUMNS);
}

void
vga_screen_shift_lines(s32 count)
{
    if (vga_cursor.row >= region.first && vga_cursor.row <= region.last)
        cells_shift(vga_cursor.row * VGA_COLUMNS, (region.last + 1) * VGA_COLUMNS, count * VGA_COLUMNS);
}

void
vga_screen_shift_characters(s32 count)
{
    u32 line = vga_cursor.row * VGA_COLUMNS;

    cells_shift(line + clamp((s32)vga_cursor.column, VGA_COLUMNS), line + VGA_COLUMNS, count);
}

void
vga_screen_line_feed(void)
{
    if (vga_cursor.row == region.last)
        vga_screen_scroll(1);
    else
        vga_cursor.row = clamp((s32)vga_cursor.row + 1, VGA_ROWS);
}

void
vga_screen_reverse_feed(void)
{
    if (vga_cursor.row == region.first)
        vga_screen_scroll(-1);
    else
        vga_cursor.row = clamp((s32)vga_cursor.row - 1, VGA_ROWS);
}

void
vga_screen_put(u8 character)
{
    if (vga_cursor.column >= VGA_COLUMNS) {
        vga_cursor.column = 0;
        vga_screen_line_feed();
    }
    VGA_MEMORY[vga_cursor.row * VGA_COLUMNS + vga_cursor.column++] = cell(character);
}

void
vga_screen_show_cursor(void)
{
    u32 position = vga_cursor.row * VGA_COLUMNS + clamp((s32)vga_cursor.column, VGA_COLUMNS);

    io_write8(CRTC_INDEX, CRTC_CURSOR_HIGH);
    io_write8(CRTC_DATA, (u8)(position >> 8));
    io_write8(CRTC_INDEX, CRTC_CURSOR_LOW);
    io_write8(CRTC_DATA, (u8)position);
}

void
vga_screen_start(void)
{
    region.first = 0;
    region.last = VGA_ROWS - 1;
    vga_screen_move(0, 0);
    vga_screen_erase(0, VGA_ROWS * VGA_COLUMNS);
}

char
vga_screen_character(u32 row, u32 column)
{
    return (char)VGA_MEMORY[row * VGA_COLUMNS + column];
}
