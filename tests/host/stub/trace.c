/* Host tests trace nothing. */
#include "kernel/assert.h"
#include "mm/trace.h"

bool trace_any;

struct trace *
trace_start(struct pmap *pmap, u32 process, const char *path)
{
    (void)pmap;
    (void)process;
    (void)path;
    return NULL;
}

void
trace_end(struct trace *trace, u32 faults)
{
    (void)trace;
    (void)faults;
}

void
trace_reference(struct trace *trace, page_t page, const struct frame *frame, char access, bool loaded, bool locked)
{
    (void)trace;
    (void)page;
    (void)frame;
    (void)access;
    (void)loaded;
    (void)locked;
    assert(!"nothing is traced");
}

void
trace_victim(struct trace *trace, const struct frame *frame)
{
    (void)trace;
    (void)frame;
    assert(!"nothing is traced");
}

void
trace_limit(struct trace *trace, u32 frames, const char *policy)
{
    (void)trace;
    (void)frames;
    (void)policy;
    assert(!"nothing is traced");
}

void
trace_step(struct trace *trace, struct pmap *pmap, struct trap_frame *frame)
{
    (void)trace;
    (void)pmap;
    (void)frame;
    assert(!"nothing is traced");
}
