/*
 * Writing traces, in text and in binary.
 */
#include "tools/pagesim/convert.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mm/policy.h"
#include "tools/pagesim/common.h"

#define CHUNK_RECORDS 4096u

struct writer {
    const struct trace *trace;
    uint32_t process;           /* of the last page */
    uint64_t number;            /* of the last page */
    bool line_open, line_of_references;     /* text: the line being written */
};

static void
number_write(uint64_t number)
{
    for (; number >= TRACE_NUMBER_MORE; number >>= TRACE_NUMBER_BITS)
        putchar((int)(number & (TRACE_NUMBER_MORE - 1)) | (int)TRACE_NUMBER_MORE);
    putchar((int)number);
}

/* An event that is of no page: the first byte, and a number or a name. */
static void
binary_write_event(const struct trace_record *record, unsigned first)
{
    putchar((int)first);
    if (record->event == TRACE_POLICY && !record->continues) {
        fputs(policy_list[record->page]->name, stdout);
        putchar('\0');
    } else if (record->event != TRACE_TICK) {
        number_write(record->page);
    }
}

static void
binary_write(struct writer *writer, const struct trace_record *record)
{
    unsigned first = record->event | (record->continues ? TRACE_CONTINUES : 0);
    const struct page_name *name = &writer->trace->pages.names[record->page];
    uint64_t difference;

    if (!trace_event_has_page(record->event)) {
        binary_write_event(record, first);
        return;
    }
    putchar((int)(name->process == writer->process ? first : first | TRACE_NAMES_PROCESS));
    if (name->process != writer->process)
        number_write(writer->process = name->process);
    difference = name->number - writer->number;
    number_write(difference << 1 ^ -(difference >> 63));
    writer->number = name->number;
}

/* What stands before the number: a new line, unless the record belongs to the one being written; and the word. */
static void
text_write_word(struct writer *writer, const struct trace_record *record)
{
    bool reference = trace_is_reference(record);
    bool same_line = writer->line_open && record->continues && reference == writer->line_of_references;

    if (same_line && reference)
        putchar(' ');
    if (!same_line && writer->line_open)
        putchar('\n');
    if (!same_line && record->continues)
        fputs("+ ", stdout);
    if (reference || !record->continues)
        fputs(trace_event_word(record->event), stdout);
    writer->line_open = true;
    writer->line_of_references = reference;
}

static void
text_write(struct writer *writer, const struct trace_record *record)
{
    const struct page_name *name = &writer->trace->pages.names[record->page];

    text_write_word(writer, record);
    if (record->event == TRACE_POLICY && !record->continues)
        printf(" %s", policy_list[record->page]->name);
    else if (!trace_event_has_page(record->event) && record->event != TRACE_TICK)
        printf(" %" PRIu32, record->page);
    if (!trace_event_has_page(record->event))
        return;
    printf(" %" PRIx64, name->number);
    if (name->process != writer->process)
        printf(" %" PRIu32, name->process);
}

void
convert(struct trace *trace, bool binary)
{
    struct trace_record *records = allocate(CHUNK_RECORDS + TRACE_INSTRUCTION_PAGES, sizeof(*records));
    struct writer writer = {.trace = trace, .process = trace->header.process};
    size_t count;

    printf("%s%s\n", binary ? TRACE_BINARY_MAGIC : TRACE_TEXT_MAGIC, trace->header.text ? trace->header.text : "");
    while ((count = trace_read(trace, records, CHUNK_RECORDS)) > 0)
        for (size_t i = 0; i < count; i++) {
            if (records[i].implied)
                continue;
            if (binary)
                binary_write(&writer, &records[i]);
            else
                text_write(&writer, &records[i]);
        }
    if (writer.line_open)
        putchar('\n');
    if (fflush(stdout) || ferror(stdout))
        die("standard output: %s", strerror(errno));
    free(records);
}
