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
trace_reference(struct trace *trace, page_t page, char access)
{
    (void)trace;
    (void)page;
    (void)access;
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
