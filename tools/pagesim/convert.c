/*
 * Writing traces, in text and in binary.
 */
#include "tools/pagesim/convert.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/pagesim/binary.h"
#include "tools/pagesim/common.h"

#define CHUNK_RECORDS 4096u

static const char *const words[] = {"r", "w", "x", "f", "-", "u", "t", "fork", "exec", "exit"};

struct writer {
    const struct trace *trace;
    uint32_t process;           /* of the last page */
    uint64_t number;            /* of the last page */
};

static void
number_write(uint64_t number)
{
    for (; number >= NUMBER_MORE; number >>= NUMBER_BITS)
        putchar((int)(number & (NUMBER_MORE - 1)) | (int)NUMBER_MORE);
    putchar((int)number);
}

static void
binary_write(struct writer *writer, const struct trace_record *record)
{
    unsigned first = record->kind | (record->continues ? CONTINUES : 0);
    const struct page_name *name = &writer->trace->pages.names[record->page];
    uint64_t difference;

    if (record->kind >= TRACE_TICK) {
        putchar((int)first);
        if (record->kind > TRACE_TICK)
            number_write(record->page);
        return;
    }
    putchar((int)(name->process == writer->process ? first : first | NAMES_PROCESS));
    if (name->process != writer->process)
        number_write(writer->process = name->process);
    difference = name->number - writer->number;
    number_write(difference << 1 ^ -(difference >> 63));
    writer->number = name->number;
}

static void
text_write(struct writer *writer, const struct trace_record *record, bool last)
{
    const struct page_name *name = &writer->trace->pages.names[record->page];

    if (!record->continues)
        fputs(words[record->kind], stdout);
    else if (record->kind != TRACE_FORK)
        printf(" %s", words[record->kind]);
    if (record->kind > TRACE_TICK)
        printf(" %" PRIu32, record->page);
    else if (record->kind != TRACE_TICK) {
        printf(" %" PRIx64, name->number);
        if (name->process != writer->process)
            printf(" %" PRIu32, name->process);
    }
    if (last)
        putchar('\n');
}

void
convert(struct trace *trace, bool binary)
{
    struct trace_record *records = allocate(CHUNK_RECORDS + TRACE_INSTRUCTION_PAGES, sizeof(*records));
    struct writer writer = {.trace = trace, .process = trace->header.process};
    size_t count;

    printf("%s%s\n", binary ? "belady-trace-binary 1" : "belady-trace 1", trace->header.text ? trace->header.text : "");
    while ((count = trace_read(trace, records, CHUNK_RECORDS)) > 0)
        for (size_t i = 0; i < count; i++) {
            if (records[i].implied)
                continue;
            if (binary)
                binary_write(&writer, &records[i]);
            else
                text_write(&writer, &records[i], i + 1 == count || !records[i + 1].continues);
        }
    if (fflush(stdout) || ferror(stdout))
        die("standard output: %s", strerror(errno));
    free(records);
}
