/*
 * A trace as a whole, for those that need the future.
 */
#include <stdlib.h>

#include "tools/pagesim/common.h"
#include "tools/pagesim/tasks.h"

struct trace_record *
chunk_allocate(void)
{
    return allocate(CHUNK_RECORDS + TRACE_INSTRUCTION_PAGES, sizeof(struct trace_record));
}

/* Whether a record takes a place in the future: a page is referenced, or comes back into the policy's sight. */
static bool
has_future(const struct trace_record *record)
{
    return trace_is_reference(record) || record->event == TRACE_RETURN;
}

/* From the end backwards, with the last known use of each page in hand. */
static void
future_find(struct recording *recording, const struct trace *trace, uint32_t length)
{
    uint32_t *next = allocate(trace->pages.count, sizeof(*next)), time = length;

    recording->future = allocate(length, sizeof(*recording->future));
    for (size_t page = 0; page < trace->pages.count; page++)
        next[page] = POLICY_NEVER;
    for (size_t i = recording->count; i-- > 0; ) {
        const struct trace_record *record = &recording->records[i];

        if (has_future(record))
            recording->future[--time] = next[record->page];
        if (trace_is_reference(record))
            next[record->page] = time;
        else if (record->event == TRACE_UNMAP)
            next[record->page] = POLICY_NEVER;
    }
    free(next);
}

void
recording_read(struct recording *recording, struct trace *trace)
{
    uint64_t length = 0;
    size_t count;

    *recording = (struct recording){.plain = true};
    do {
        recording->records = grow(recording->records, &recording->capacity,
                                  recording->count + CHUNK_RECORDS + TRACE_INSTRUCTION_PAGES, sizeof(*recording->records));
        count = trace_read(trace, recording->records + recording->count, CHUNK_RECORDS);
        for (size_t i = recording->count; i < recording->count + count; i++) {
            length += has_future(&recording->records[i]);
            if (recording->records[i].event == TRACE_UNMAP || recording->records[i].event == TRACE_RETURN || recording->records[i].continues)
                recording->plain = false;
        }
        recording->count += count;
    } while (count > 0);
    if (length >= POLICY_NEVER)
        die("%s: too long for opt, which must know all of it", trace->name);
    future_find(recording, trace, (uint32_t)length);
}

void
recording_free(struct recording *recording)
{
    free(recording->records);
    free(recording->future);
}
