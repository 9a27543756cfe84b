/*
 * Tracing: every reference of a process, exactly.
 */
#include "mm/trace.h"

#include "kernel/assert.h"
#include "kernel/command_line.h"
#include "kernel/lib/string.h"
#include "kernel/log.h"
#include "kernel/x86/cpu.h"
#include "mm/kmem.h"
#include "mm/trace_output.h"
#include "mm/working_set.h"

static const char *trace_path;
BOOT_TEXT(trace, trace_path, "record every reference of the program with this path, on COM2");

bool trace_any;

bool
trace_is_on(void)
{
    return trace_path != NULL;
}

bool
trace_wants(const char *path)
{
    return trace_path && strcmp(trace_path, path) == 0;
}

struct trace *
trace_start(u32 process)
{
    struct trace *trace = kmem_allocate_zeroed(sizeof(*trace));

    if (!trace) {
        log_warn("trace: no memory to trace process %u", process);
        return NULL;
    }
    trace_any = true;
    /* The processor's accessed bits would tell of each reference a second time. */
    pmap_harvest_mask &= ~ENTRY_ACCESSED;
    trace->process = process;
    trace->arrived = TRACE_NO_PAGE;
    return trace;
}

void
trace_forget_all(struct pmap *pmap)
{
    pmap_remove(pmap, page_of(0), page_of(user_top()));
}

/* ---- The group --------------------------------------------------------- */

static struct trace_touch *
trace_find(struct trace *trace, page_t page)
{
    for (u32 i = 0; i < trace->count; i++)
        if (trace->group[i].page.number == page.number)
            return &trace->group[i];
    return NULL;
}

/* The page may be in another frame than before, or not have been in any. */
static void
touch_need(struct trace_touch *touch, struct frame *frame)
{
    if (touch->frame)
        frame_need_end(touch->frame);
    touch->frame = frame && frame_need_begin(frame) ? frame : NULL;
}

/* Nothing of the group is needed any more. */
static void
trace_forget_group(struct trace *trace)
{
    for (u32 i = 0; i < trace->count; i++)
        touch_need(&trace->group[i], NULL);
    trace->count = 0;
    trace->continues = false;
}

static void
trace_end_group(struct trace *trace, struct pmap *pmap)
{
    for (u32 i = 0; i < trace->count; i++) {
        page_t page = trace->group[i].page;

        if (pmap->working_set)
            working_set_note(pmap->working_set, page);
        pmap_remove(pmap, page, page_add(page, 1));
    }
    trace_forget_group(trace);
}

void
trace_fault(struct trace *trace, struct pmap *pmap, page_t page)
{
    trace->faults++;
    trace->arrived = TRACE_NO_PAGE;
    if (trace->count == INSTRUCTION_PAGES && !trace_find(trace, page))
        trace_end_group(trace, pmap);
}

bool
trace_touch(struct trace *trace, page_t page, struct frame *frame, enum trace_event access)
{
    struct trace_touch *touch = trace_find(trace, page);
    u8 bit = (u8)(1u << access);

    if (!touch) {
        assert(trace->count < INSTRUCTION_PAGES);
        touch = &trace->group[trace->count++];
        *touch = (struct trace_touch){.page = page};
    }
    touch_need(touch, frame);
    if (touch->accesses & bit)
        return false;
    touch->accesses |= bit;
    return true;
}

void
trace_step(struct trace *trace, struct pmap *pmap, struct trap_frame *frame)
{
    trace_end_group(trace, pmap);
    trace->steps++;
    frame->eflags |= EFLAGS_TRAP;
}

void
trace_end(struct trace *trace)
{
    log_info("trace: process %u made %llu references in %llu steps, at the price of %llu faults", trace->process,
             (unsigned long long)trace->references, (unsigned long long)trace->steps,
             (unsigned long long)trace->faults);
    trace_forget_group(trace);
    trace_flush();
    kmem_free(trace);
}

/* ---- The record -------------------------------------------------------- */

void
trace_reference(struct trace *trace, u32 page, enum trace_event access, bool remark)
{
    if (remark) {
        trace_write_remark(trace->process, access, page);
        return;
    }
    trace->references++;
    trace_write_page(trace->process, access, page, trace->continues);
    trace->continues = true;
}
