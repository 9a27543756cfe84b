/*
 * The two forms of traces, text and binary, as tools/pagesim/FORMAT.md describes them: what the kernel, which
 * writes them and reads them again, and the simulator on the host must agree on.
 */
#pragma once

#include <stdbool.h>

/* The beginning of the first line: the form, and its version. */
#define TRACE_TEXT_MAGIC   "belady-trace 1"
#define TRACE_BINARY_MAGIC "belady-trace-binary 1"

/* What a record is about. The numbers are those of the binary form. */
enum trace_event {
    TRACE_READ, TRACE_WRITE, TRACE_EXECUTE,     /* a reference to a page */
    TRACE_FAULT,                                /* the page comes in */
    TRACE_EVICT,                                /* the policy's victim goes */
    TRACE_UNMAP,                                /* the page is gone with its contents */
    TRACE_TICK,                                 /* of the clock */
    TRACE_FORK, TRACE_EXEC, TRACE_EXIT,         /* of a process; what an exec or exit unmaps is not told page by page */
    TRACE_RETURN,                               /* the policy learns of a page that is in memory */
    TRACE_LEAVE,                                /* the policy is to forget it, and it stays in memory, or is freed */
    TRACE_DIRTY,                                /* the page has no copy on any device */
    TRACE_FRAMES,                               /* how many the process may have */
    TRACE_POLICY,                               /* that chooses among them */
    TRACE_SHORT,                                /* the machine is short of memory: it loses a page */
    TRACE_EVENTS
};

/* The event's word in the text form. */
static inline const char *
trace_event_word(enum trace_event event)
{
    static const char *const words[TRACE_EVENTS] = {
        "r", "w", "x", "f", "-", "u", "t", "fork", "exec", "exit", "i", "o", "d", "frames", "policy", "short"};

    return words[event];
}

/* Whether the event is of a page; the others are of a process, or of the clock. */
static inline bool
trace_event_has_page(enum trace_event event)
{
    return event < TRACE_TICK || event == TRACE_RETURN || event == TRACE_LEAVE || event == TRACE_DIRTY;
}

/* The first byte of a binary record: the event, and these. */
#define TRACE_EVENT_MASK    0x0fu
#define TRACE_CONTINUES     0x10u
#define TRACE_NAMES_PROCESS 0x20u

/* Binary numbers have seven bits a byte, the low ones first, and the top bit in all but the last. */
#define TRACE_NUMBER_BITS 7u
#define TRACE_NUMBER_MORE 0x80u
