/*
 * The end of the log, kept in memory for those who come later (syslog.c): one line after the other, each with its
 * priority as Linux writes it, 3 for an error to 7 for what helps to find one.
 *
 *     bytes that were ever written   ...... <6>clock: ...\n <3>out of memory: ...\n
 *                                           ^                                      ^
 *                                         first                                   end
 *
 * Positions count the bytes since boot, and wrap around; a line that does not fit any more takes the place of the oldest.
 */
#pragma once

#include "kernel/types.h"

#define LOG_BUFFER_BYTES 32768u      /* a power of two, so that positions may wrap around */

/* Adds a line without its end. From anywhere, as log_line. */
void log_buffer_add(u32 priority, const char *line, usize length);

/* Where the oldest line begins, and where the next one will. */
u32 log_buffer_first(void);
u32 log_buffer_end(void);

/* The line behind the one that begins at position. */
u32 log_buffer_next(u32 position);

/* Copies the bytes [position, position + bytes), which must be there, to memory. */
void log_buffer_copy(char *memory, u32 position, u32 bytes);
