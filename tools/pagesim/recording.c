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

/* From the end backwards, with the last known use of each page in hand. */
static void
future_find(struct recording *recording, const struct trace *trace, uint32_t references)
{
    uint32_t *next = allocate(trace->pages.count, sizeof(*next)), time = references;

    recording->future = allocate(references, sizeof(*recording->future));
    for (size_t page = 0; page < trace->pages.count; page++)
        next[page] = POLICY_NEVER;
    for (size_t i = recording->count; i-- > 0; ) {
        if (trace_is_reference(&recording->records[i])) {
            recording->future[--time] = next[recording->records[i].page];
            next[recording->records[i].page] = time;
        } else if (recording->records[i].kind == TRACE_UNMAP) {
            next[recording->records[i].page] = POLICY_NEVER;
        }
    }
    free(next);
}

void
recording_read(struct recording *recording, struct trace *trace)
{
    uint64_t references = 0;
    size_t count;

    *recording = (struct recording){.plain = true};
    do {
        recording->records = grow(recording->records, &recording->capacity,
                                  recording->count + CHUNK_RECORDS + TRACE_INSTRUCTION_PAGES, sizeof(*recording->records));
        count = trace_read(trace, recording->records + recording->count, CHUNK_RECORDS);
        for (size_t i = recording->count; i < recording->count + count; i++) {
            references += trace_is_reference(&recording->records[i]);
            if (recording->records[i].kind == TRACE_UNMAP || recording->records[i].continues)
                recording->plain = false;
        }
        recording->count += count;
    } while (count > 0);
    if (references >= POLICY_NEVER)
        die("%s: too long for opt, which must know all of it", trace->name);
    future_find(recording, trace, (uint32_t)references);
}

void
recording_free(struct recording *recording)
{
    free(recording->records);
    free(recording->future);
}
