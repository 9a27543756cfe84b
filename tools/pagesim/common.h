/*
 * What all of pagesim uses: an end with a message, and memory that is there or ends the program.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/types.h"

/* Exit codes, beside 0. */
enum { EXIT_DIFFERENT = 1, EXIT_ERROR = 2 };

/* Ends the program with "pagesim: " and the message. */
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Memory for count things of that size, zeroed. */
void *allocate(size_t count, size_t size);

/* Makes an array larger, if it has no room for `wanted` things: at least doubled, the new part zeroed. */
void *grow(void *array, size_t *capacity, size_t wanted, size_t size);
