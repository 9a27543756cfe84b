/*
 * Tracing: every reference of a process, exactly.
 */
#include "mm/trace.h"

#include "drivers/serial.h"
#include "kernel/command_line.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/printk.h"
#include "mm/kmem.h"

#define EFLAGS_TRAP 0x100u
#define LINE_BYTES 160u

static const char *trace_path;
BOOT_TEXT(trace, trace_path, "record every reference of the program with this path, on COM2");

bool trace_any;

/* The first process traced: its number is in the header, and not in the lines. */
static u32 first_process;

static struct {
    char bytes[PAGE_SIZE];
    u32 used;
} output;

static void
output_flush(void)
{
    serial_write(SERIAL_COM2, output.bytes, output.used);
    output.used = 0;
}

static void
output_line(const char *line, u32 bytes)
{
    if (output.used + bytes > sizeof(output.bytes))
        output_flush();
    memcpy(output.bytes + output.used, line, bytes);
    output.used += bytes;
}

static void
output_header(u32 process, const char *path)
{
    char line[LINE_BYTES];

    serial_start(SERIAL_COM2);
    output_line(line, (u32)format(line, sizeof(line), "belady-trace 1 page=%u program=%s pid=%u\n", PAGE_SIZE, path,
                                  process));
    first_process = process;
}

bool
trace_wants(const char *path)
{
    return trace_path && strcmp(trace_path, path) == 0;
}

/* Takes all entries away, whatever they are. */
static void
trace_forget_all(struct trace *trace, struct pmap *pmap)
{
    pmap_remove(pmap, page_of(0), page_of(user_top()));
    trace->count = 0;
}

struct trace *
trace_start(struct pmap *pmap, u32 process, const char *path)
{
    struct trace *trace = kmem_allocate_zeroed(sizeof(*trace));
    u32 *pages_of = kmem_allocate_zeroed(frame_limit * sizeof(*pages_of));

    if (!trace || !pages_of) {
        log_warn("trace: no memory to trace process %u", process);
        kmem_free(trace);
        kmem_free(pages_of);
        return NULL;
    }
    trace->pages_of = pages_of;
    trace_any = true;
    /* The processor's accessed bits would tell of each reference a second time. */
    pmap_harvest_mask &= ~ENTRY_ACCESSED;
    trace->process = process;
    if (!first_process)
        output_header(process, path);
    trace_forget_all(trace, pmap);
    return trace;
}

void
trace_end(struct trace *trace, u32 faults)
{
    log_info("trace: process %u made %llu references in %llu steps, at the price of %u faults", trace->process,
             trace->references, trace->steps, faults);
    output_flush();
    kmem_free(trace->pages_of);
    kmem_free(trace);
}

/* One line about a page: what, page, and the process unless it is the first. */
static void
output_page(const struct trace *trace, const char *what, u32 page)
{
    char line[LINE_BYTES];
    u32 bytes;

    if (trace->process == first_process)
        bytes = (u32)format(line, sizeof(line), "%s %x\n", what, page);
    else
        bytes = (u32)format(line, sizeof(line), "%s %x %u\n", what, page, trace->process);
    output_line(line, bytes);
}

void
trace_reference(struct trace *trace, page_t page, const struct frame *frame, char access, bool loaded, bool locked)
{
    const char what[] = {'#', access, '\0'};

    if (trace->count < TRACE_PAGES)
        trace->pages[trace->count] = page;
    if (trace->count <= TRACE_PAGES)
        trace->count++;
    trace->references++;
    trace->pages_of[frame_number(frame).number] = page.number;
    if (loaded && !locked)
        output_page(trace, "f", page.number);
    output_page(trace, locked ? what : what + 1, page.number);
}

void
trace_victim(struct trace *trace, const struct frame *frame)
{
    output_page(trace, "-", trace->pages_of[frame_number(frame).number]);
}

void
trace_limit(struct trace *trace, u32 frames, const char *policy)
{
    char line[LINE_BYTES];

    (void)trace;
    output_line(line, (u32)format(line, sizeof(line), "# frames=%u policy=%s\n", frames, policy));
}

void
trace_step(struct trace *trace, struct pmap *pmap, struct trap_frame *frame)
{
    if (trace->count > TRACE_PAGES)
        trace_forget_all(trace, pmap);
    for (u32 i = 0; i < trace->count; i++) {
        if (pmap->working_set)
            working_set_note(pmap->working_set, trace->pages[i]);
        pmap_remove(pmap, trace->pages[i], page_add(trace->pages[i], 1));
    }
    trace->count = 0;
    trace->steps++;
    frame->eflags |= EFLAGS_TRAP;
}
