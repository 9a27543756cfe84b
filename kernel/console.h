/*
 * The console: COM1 and the VGA text screen, as one. What is written goes to both; what is typed on either goes to one
 * receiver (the terminal). Text is raw: the caller writes "\r\n" to end a line.
 */
#pragma once

#include "kernel/types.h"

/* Makes COM1 and the screen ready for output (polled; no interrupts needed). First thing at boot. */
void console_start(void);

/* From here on what is typed on COM1 or the keyboard reaches the receiver. Needs interrupts_start(). */
void console_start_input(void);

/*
 * Writes `length` bytes to COM1 and the screen. From anywhere, also from interrupt handlers and a panic; does not
 * sleep.
 */
void console_write(const char *text, usize length);

/* Waits until all of it has left the machine: before its end. */
void console_flush(void);

/* Takes the characters typed, in the interrupt handler, one at a time. */
typedef void (*console_receiver)(char character);

/* From now on what is typed goes to `receiver` (NULL: it is thrown away). Returns the receiver before. */
console_receiver console_input_register(console_receiver receiver);
