/*
 * The cells of the VGA text screen, a cursor, and what a terminal does to cells. It knows no escape sequences: those
 * are of vga.c, the only caller. Rows and columns count from 0.
 */
#pragma once

#include "kernel/types.h"

#define VGA_COLUMNS 80
#define VGA_ROWS 25

struct vga_cursor {
    u32 row;            /* below VGA_ROWS */
    u32 column;         /* may be VGA_COLUMNS: the line is full, and the next character begins a new one */
    u8 attribute;       /* colours as the adapter has them: background in the high half */
    bool reverse;       /* shown with both exchanged */
};

/* Where the next character appears, and how; also the colours of what is erased. */
extern struct vga_cursor vga_cursor;

/* Clears the screen, with the cursor in its upper left corner. */
void vga_screen_start(void);

/* A character at the cursor, which goes one to the right. */
void vga_screen_put(u8 character);

/* The cursor to a place, or to the nearest one on the screen. */
void vga_screen_move(s32 row, s32 column);

/* Lines first to last scroll, the others stay. Has no effect if there are not two of them. */
void vga_screen_set_region(u32 first, u32 last);

/* The cursor down or up; on the region's last or first line its lines move instead. */
void vga_screen_line_feed(void);
void vga_screen_reverse_feed(void);

/* Lines of the region: all move up (count > 0) or down, and empty ones come. */
void vga_screen_scroll(s32 count);

/* The same from the cursor's line on: lines are deleted there (count > 0) or inserted. Nothing outside the region. */
void vga_screen_shift_lines(s32 count);

/* The same in the cursor's line: characters are deleted at the cursor (count > 0) or inserted. */
void vga_screen_shift_characters(s32 count);

/* Erases cells first to last - 1, counted from the upper left corner. */
void vga_screen_erase(u32 first, u32 last);

/* The character at a place, for tests: row < VGA_ROWS, column < VGA_COLUMNS. */
char vga_screen_character(u32 row, u32 column);

/* Moves the adapter's own cursor to where this one is. */
void vga_screen_show_cursor(void);
