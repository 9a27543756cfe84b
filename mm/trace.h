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
 * The trace leaves the machine on COM2, in the text format of
 * tools/pagesim/FORMAT.md. trace=PATH traces every process that runs the program
 * at PATH, and what it forks.
 */
#pragma once

#include "kernel/types.h"
#include "kernel/x86/trap.h"
#include "mm/pmap.h"

/* Pages that one instruction or system call may touch before all entries are taken
 * away together. */
#define TRACE_PAGES 32u

struct trace {
    u32 process;                /* its number, for the record */
    u32 count;                  /* entries made since the last step; more than TRACE_PAGES: too many to list */
    page_t pages[TRACE_PAGES];
    u32 *pages_of;              /* the page last referenced in each frame, by frame number */
    u32 loads;                  /* of the pool, when the last reference was recorded */
    u64 references, steps;
};

/* Whether any process was ever traced: what faults ask first. */
extern bool trace_any;

/* Whether trace= names this program. */
bool trace_wants(const char *path);

/* Starts to trace the process with this number, running the program at path: all
 * entries are taken away. NULL without memory for it, which the log says. */
struct trace *trace_start(struct pmap *pmap, u32 process, const char *path);

/* Ends it, with a line in the log that says what it cost. */
void trace_end(struct trace *trace, u32 faults);

/* A fault at page was resolved, and its entry maps frame: records the access, 'r', 'w'
 * or 'x', and before it whether the page had to come in. A page that is locked in memory
 * is no part of the game: its line is a comment. */
void trace_reference(struct trace *trace, page_t page, const struct frame *frame, char access, bool loaded,
                     bool locked);

/* The frame's page is replaced. */
void trace_victim(struct trace *trace, const struct frame *frame);

/* From here on the process has so many frames, under this policy: a comment. */
void trace_limit(struct trace *trace, u32 frames, const char *policy);

/* An instruction or a system call is over: takes the entries away, and has the
 * processor trap behind the next instruction. */
void trace_step(struct trace *trace, struct pmap *pmap, struct trap_frame *frame);
