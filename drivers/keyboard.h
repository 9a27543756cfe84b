/*
 * The PS/2 keyboard, US layout: shift, control, alt (ESC before), caps lock, num lock; cursor, editing and function
 * keys as ANSI sequences, as on Linux's console.
 */
#pragma once

#include "kernel/types.h"

/* From now on each character typed is given to `receiver`, in the interrupt handler. */
void keyboard_start(void (*receiver)(char character));

/* Whether the keys that move the cursor send ESC O and a letter, as programs ask a VT100, instead of ESC [. */
void keyboard_set_application_mode(bool on);

/* Interprets one byte from the keyboard (scan code set 1); the interrupt handler's part, public for tests. */
void keyboard_scan(u8 code);
