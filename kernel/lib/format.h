/*
 * Formatted text, with the meanings of C's snprintf: conversions d i u x X o c s p %, lengths hh h l ll z, flags - 0 +
 * space #, width and precision as numbers or *. No floating point.
 */
#pragma once

#include <stdarg.h>

#include "kernel/types.h"

/* Writes at most size - 1 characters and a final zero (nothing if size is 0). Returns the length the whole text has. */
int format(char *buffer, usize size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int vformat(char *buffer, usize size, const char *fmt, va_list arguments) __attribute__((format(printf, 3, 0)));
