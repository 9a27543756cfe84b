/*
 * The end on a broken invariant: message, registers, backtrace with function names, the current process; then
 * power_panic(). From anywhere. A second panic on the way says so in one line and ends at once.
 */
#pragma once

#include "kernel/types.h"

struct trap_frame;

/* The registers shown are those of the caller. */
void panic(const char *fmt, ...) __attribute__((noreturn, cold, format(printf, 1, 2)));

/* The registers shown are those of `frame`: where the processor trapped. */
void panic_with_frame(const struct trap_frame *frame, const char *fmt, ...)
    __attribute__((noreturn, cold, format(printf, 2, 3)));

/* The same for a frame that always has its esp (from a TSS); the backtrace begins at address `stack`. */
void panic_at(const struct trap_frame *frame, u32 stack, const char *fmt, ...)
    __attribute__((noreturn, cold, format(printf, 3, 4)));

/* `describe` writes name and number of the current process into text[size]. It must not sleep, allocate or panic. */
void panic_set_process_hook(void (*describe)(char *text, usize size));
