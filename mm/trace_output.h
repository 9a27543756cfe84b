/*
 * How traces leave the machine: on COM2, in the text or the binary form of
 * tools/pagesim/FORMAT.md (trace.format=). For mm/trace.c and mm/pool_trace.c.
 */
#pragma once

#include "kernel/types.h"

/* What a record is about. The numbers are those of the binary form. */
enum trace_event {
    TRACE_READ, TRACE_WRITE, TRACE_EXECUTE,     /* a reference to a page */
    TRACE_FAULT,                                /* the page comes in */
    TRACE_EVICT,                                /* the policy's victim goes */
    TRACE_UNMAP,                                /* the page is gone with its contents */
    TRACE_TICK,                                 /* of the clock */
    TRACE_FORK, TRACE_EXEC, TRACE_EXIT,         /* of a process */
    TRACE_RETURN,                               /* the policy learns of a page that is in memory */
    TRACE_LEAVE,                                /* the policy is to forget it, and it stays in memory, or is freed */
    TRACE_DIRTY,                                /* the page has no copy on any device */
    TRACE_FRAMES,                               /* how many the process may have */
    TRACE_POLICY,                               /* that chooses among them */
    TRACE_SHORT,                                /* the machine is short of memory: it loses a page */
};

/* The first line, once: later calls do nothing. */
void trace_write_header(u32 process, const char *path, u32 frames, const char *policy, u32 window);

/* An event of a page, or a reference; continues: of the same instruction as the last
 * reference. */
void trace_write_page(u32 process, enum trace_event event, u32 page, bool continues);

/* A reference that no reader is to heed. Text only. */
void trace_write_remark(u32 process, enum trace_event access, u32 page);

/* TRACE_TICK. */
void trace_write_tick(void);

/* TRACE_EXEC, TRACE_EXIT, TRACE_SHORT; TRACE_FORK with the child's number. */
void trace_write_process(enum trace_event event, u32 process);
void trace_write_fork(u32 parent, u32 child);

/* TRACE_FRAMES (0: not limited any more) and TRACE_POLICY. */
void trace_write_frames(u32 process, u32 frames);
void trace_write_policy(u32 process, const char *name);

/* Everything written so far leaves. */
void trace_flush(void);
