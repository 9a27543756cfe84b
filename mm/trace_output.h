/*
 * How traces leave the machine: on COM2, in the text or the binary form of
 * tools/pagesim/FORMAT.md (trace.format=). For mm/trace.c and mm/pool_trace.c.
 */
#pragma once

#include "kernel/types.h"
#include "mm/trace_form.h"

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
