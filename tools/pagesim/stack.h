/*
 * Stack algorithms: LRU and OPT for every number of frames in one pass (Mattson, Gecsei, Slutz and Traiger 1970).
 *
 * With n frames such a policy has in memory just the n uppermost pages of a stack, whatever n is. So a reference to the page
 * at depth d is a hit with d frames and more, and a fault with fewer.
 */
#pragma once

#include "tools/pagesim/simulate.h"

struct stack;

/* For 1 to `frames` frames. With a future it is OPT's stack, without LRU's. OPT's knows no TRACE_UNMAP. */
struct stack *stack_start(uint32_t frames, const struct trace *trace, const uint32_t *future);

void stack_run(struct stack *stack, const struct trace_record *records, size_t count);

/* The end of the trace: counts[n - 1] for n frames. Frees the stack. */
void stack_end(struct stack *stack, struct counts *counts);
