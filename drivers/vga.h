/*
 * The VGA text screen, 80 by 25, as a terminal that knows what a VT100 does, and the common part of ANSI: cursor motion
 * (A to H, d, f), erasing (J K X), lines and characters inserted and deleted (L M @ P), a scrolling region (r), colours
 * and attributes (m); ESC 7 8 D E M c; CR LF BS TAB BEL. Everything else is swallowed.
 */
#pragma once

#include "kernel/types.h"

/* Clears the screen. */
void vga_start(void);

/* Shows the text at the cursor. From anywhere. */
void vga_write(const char *text, usize length);
