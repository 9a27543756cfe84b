/*
 * What measurements have in common. Whatever fails ends the program with a message:
 * a figure that is wrong is worse than none.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Says what has failed, and errno's reason, and ends the program. */
_Noreturn void fail(const char *what);

/* Private memory: pages of the open file `descriptor`, or anonymous ones where it is negative. */
char *memory_map(size_t pages, int protection, int descriptor);
void memory_unmap(char *base, size_t pages);

enum { MICROSECONDS_A_SECOND = 1000000 };

/* The time by a clock that nobody sets. */
uint64_t microseconds_now(void);

/* Waits for a child that must end with status 0. */
void child_wait(pid_t child);

/* Instructions for writing, or reading, one byte of each page in order. */
uint64_t write_cost(char *base, size_t pages);
uint64_t read_cost(const char *base, size_t pages);
