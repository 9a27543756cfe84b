/*
 * Switching the processor from one kernel stack to another (switch.S).
 */
#pragma once

#include "kernel/types.h"

/* Where a thread that does not run goes on: its other registers lie on its stack. */
struct context {
    u32 esp;
};

/*
 * Save the caller's ebx, esi, edi, ebp and stack pointer in `from`, and return from the call that saved `to`;
 * for a new thread that is the function context_prepare was given. Interrupts must be disabled.
 */
void context_switch(struct context *from, const struct context *to);

/*
 * Lay out a stack that has never run, so that the first switch to it calls `start`, which must not return, with
 * the stack pointer just below `stack_top` (a multiple of 4).
 */
void context_prepare(struct context *context, void *stack_top, void (*start)(void));
