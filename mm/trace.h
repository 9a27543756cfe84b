/*
 * Tracing: every reference of a process, exactly.
 *
 * A traced address space has no page-table entries when an instruction begins.
 * Each page that the instruction touches faults in and is recorded, with read,
 * write or execute; the single-step trap behind the instruction takes the entries
 * away again. What the kernel touches for the process in a system call is recorded
 * the same way.
 *
 *     instruction ──> #PF fetch ──> #PF data ... ──> done ──> #DB
 *                     record x      record r, w               trace_step
 *
 * The pages touched since the last step are a group: their frames are needed until it is
 * over, so that what is recorded depends on the program alone, not on the policy. A
 * system call that touches more than INSTRUCTION_PAGES makes several groups.
 *
 * Beside the references the trace has whatever else the replacement policy hears of
 * the process's pages, so that the simulator can come to the same victims
 * (mm/pool_trace.c). It leaves the machine on COM2, in the text or the binary form of
 * tools/pagesim/FORMAT.md. trace=PATH traces every process that runs the program at
 * PATH, and what it forks and executes.
 */
#pragma once

#include "kernel/types.h"
#include "kernel/x86/trap.h"
#include "mm/pmap.h"
#include "mm/trace_form.h"

#define TRACE_NO_PAGE UINT32_MAX

/* A page of the group. */
struct trace_touch {
    page_t page;
    struct frame *frame;        /* in which it was when it was touched, and which is needed; NULL: it may go */
    u8 accesses;                /* recorded so far: a bit for each trace_event up to TRACE_EXECUTE */
};

struct trace {
    u32 process;                /* its number, for the record */
    struct trace_touch group[INSTRUCTION_PAGES];
    u32 count;                  /* of these */
    bool continues;             /* the group's first reference has been written */
    u32 arrived;                /* number of the page that the fault at hand brought in and recorded; TRACE_NO_PAGE */
    struct replay *replay;      /* a recorded run that it is held against, or NULL (mm/replay.h) */
    u64 references, steps, faults;
};

/* Whether any process was ever traced: what faults ask first. */
extern bool trace_any;

/* Whether trace= names a program, and so COM2 is for traces; and this one. */
bool trace_is_on(void);
bool trace_wants(const char *path);

/* Starts to trace the process with this number. NULL without memory for it, which the
 * log says. */
struct trace *trace_start(u32 process);

/* Ends it, with a line in the log that says what it cost. */
void trace_end(struct trace *trace);

/* Takes all entries away, when a process begins to be traced. */
void trace_forget_all(struct pmap *pmap);

/* A fault at page begins. If the group is full and the page not in it, another one does. */
void trace_fault(struct trace *trace, struct pmap *pmap, page_t page);

/* Notes that the frame's page was touched; true if that access had not been recorded in
 * this group. */
bool trace_touch(struct trace *trace, page_t page, struct frame *frame, enum trace_event access);

/* Writes a reference to a page. One that is no part of the game, being locked in memory or
 * charged to another pool, is only remarked. */
void trace_reference(struct trace *trace, u32 page, enum trace_event access, bool remark);

/* An instruction or a system call is over: takes the group's entries away, and has the
 * processor trap behind the next instruction. */
void trace_step(struct trace *trace, struct pmap *pmap, struct trap_frame *frame);
