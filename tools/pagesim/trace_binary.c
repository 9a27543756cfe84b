/*
 * The kernel's format in binary: see FORMAT.md.
 */
#include "tools/pagesim/reader.h"

#define NUMBER_LONGEST 64u  /* bits */
#define NAME_BYTES 16u      /* of a policy; there is none so long */

static uint64_t
binary_number(struct trace *trace)
{
    uint64_t number = 0;

    for (unsigned shift = 0; shift < NUMBER_LONGEST; shift += TRACE_NUMBER_BITS) {
        int byte = reader_next(trace);

        if (byte == END_OF_FILE)
            reader_fail(trace, "the trace ends inside a record");
        number |= (uint64_t)(byte & (int)(TRACE_NUMBER_MORE - 1)) << shift;
        if (!((unsigned)byte & TRACE_NUMBER_MORE))
            return number;
    }
    reader_fail(trace, "a number is too long");
}

/* A number up to the limit, of which `what` tells what it is. */
static uint32_t
binary_bounded(struct trace *trace, uint32_t limit, const char *what)
{
    uint64_t number = binary_number(trace);

    if (number > limit)
        reader_fail(trace, "%s is too large", what);
    return (uint32_t)number;
}

static uint32_t
binary_process(struct trace *trace)
{
    return binary_bounded(trace, UINT32_MAX, "a process");
}

/* The difference from the last page, its sign in the lowest bit. */
static uint64_t
binary_page(struct trace *trace)
{
    uint64_t coded = binary_number(trace);

    trace->last_number += (coded >> 1) ^ -(coded & 1);
    return trace->last_number;
}

/* The name of a policy, with the 0 behind it. */
static uint32_t
binary_policy(struct trace *trace)
{
    char name[NAME_BYTES];
    size_t length = 0;
    int byte;

    while ((byte = reader_next(trace)) != '\0') {
        if (byte == END_OF_FILE)
            reader_fail(trace, "the trace ends inside a record");
        if (length + 1 < sizeof(name))
            name[length++] = byte > ' ' && byte <= '~' ? (char)byte : '?';
    }
    name[length] = '\0';
    return reader_policy(trace, name);
}

/* An event that is of no page. */
static void
binary_event(struct trace *trace, struct trace_output *output, enum trace_event event, bool continues)
{
    uint32_t number = 0;

    if (event == TRACE_POLICY && !continues)
        number = binary_policy(trace);
    else if (event == TRACE_FRAMES && !continues)
        number = binary_bounded(trace, TRACE_FRAMES_MOST, "the number of frames");
    else if (event != TRACE_TICK)
        number = binary_process(trace);
    reader_add(trace, output, number, event);
    if (event == TRACE_EXEC || event == TRACE_EXIT)
        reader_leave(trace, number);
}

static void
binary_record(struct trace *trace, struct trace_output *output, unsigned first)
{
    enum trace_event event = (enum trace_event)(first & TRACE_EVENT_MASK);

    if (first & ~(TRACE_EVENT_MASK | TRACE_CONTINUES | TRACE_NAMES_PROCESS))
        reader_fail(trace, "0x%02x begins no record", first);
    if (!trace_event_has_page(event)) {
        binary_event(trace, output, event, first & TRACE_CONTINUES);
        return;
    }
    if (first & TRACE_NAMES_PROCESS)
        trace->process = binary_process(trace);
    reader_put(trace, output, binary_page(trace), event);
}

static bool
binary_continues(struct trace *trace)
{
    int next = reader_peek(trace);

    return next != END_OF_FILE && (unsigned)next & TRACE_CONTINUES;
}

/* What one instruction does; but if a process leaves meanwhile, its pages are unmapped before the instruction goes on. */
bool
reader_binary(struct trace *trace, struct trace_output *output)
{
    if (reader_peek(trace) == END_OF_FILE)
        return false;
    output->joins = binary_continues(trace);
    if (output->joins && !trace->has_records)
        reader_fail(trace, "the first record cannot continue another");
    trace->has_records = true;
    do {
        binary_record(trace, output, (unsigned)reader_next(trace));
        trace->line++;
    } while (binary_continues(trace) && trace->leaving_page == NOBODY_LEAVES);
    return true;
}
