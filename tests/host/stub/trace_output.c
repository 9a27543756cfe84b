/* Host tests write no traces. */
#include "kernel/assert.h"
#include "mm/trace_output.h"

static void __attribute__((noreturn))
refuse(void)
{
    assert(!"no trace is written");
    __builtin_unreachable();
}

void
trace_write_header(u32 process, const char *path, u32 frames, const char *policy, u32 window)
{
    (void)process;
    (void)path;
    (void)frames;
    (void)policy;
    (void)window;
    refuse();
}

void
trace_write_page(u32 process, enum trace_event event, u32 page, bool continues)
{
    (void)process;
    (void)event;
    (void)page;
    (void)continues;
    refuse();
}

void
trace_write_remark(u32 process, enum trace_event access, u32 page)
{
    (void)process;
    (void)access;
    (void)page;
    refuse();
}

void
trace_write_tick(void)
{
    refuse();
}

void
trace_write_process(enum trace_event event, u32 process)
{
    (void)event;
    (void)process;
    refuse();
}

void
trace_write_fork(u32 parent, u32 child)
{
    (void)parent;
    (void)child;
    refuse();
}

void
trace_write_frames(u32 process, u32 frames)
{
    (void)process;
    (void)frames;
    refuse();
}

void
trace_write_policy(u32 process, const char *name)
{
    (void)process;
    (void)name;
    refuse();
}

/* Nothing has been written. */
void
trace_flush(void)
{
}
