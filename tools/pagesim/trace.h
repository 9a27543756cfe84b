/*
 * Traces: what a program did to its pages, read in one pass and constant memory (but for the names of pages).
 * The formats are described in FORMAT.md.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "mm/trace_form.h"
#include "tools/pagesim/pages.h"

enum trace_format { TRACE_PLAIN, TRACE_LACKEY, TRACE_TEXT, TRACE_BINARY };

struct trace_record {
    uint32_t page;              /* dense; of the kinds that have none, the process or what else stands there */
    uint8_t event;
    bool continues;             /* of the same instruction as the reference before, or the second record of an event */
    bool implied;               /* TRACE_UNMAP by an exec or exit */
};

/* What the first line of a kernel's trace says; 0 or "" where it says nothing. */
struct trace_header {
    char policy[32];
    uint32_t frames, seed, window, page_size;
    uint32_t process;           /* of lines that name none */
    char *text;                 /* all fields, as they stand there */
};

/* Bytes that a page has in traces of addresses, if nothing else is said. */
#define DEFAULT_PAGE_SIZE 4096u

/* No process of a 32-bit kernel has more frames. */
#define TRACE_FRAMES_MOST (1u << 20)

/* No instruction touches more pages. */
#define TRACE_INSTRUCTION_PAGES 256u

struct trace {
    const char *name;           /* of the file, for messages */
    FILE *file;
    enum trace_format format;
    struct trace_header header;
    struct pages pages;
    uint64_t page_size;         /* of addresses in lackey's output */
    uint64_t line;              /* being read, from 1; in a binary trace the record */
    /* The reader's own (reader.h). */
    unsigned char *buffer;
    const unsigned char *at, *end;      /* what is read next; behind what is in the buffer, where a zero byte stands */
    uint32_t process;
    uint64_t last_number;
    uint32_t leaving;           /* process whose pages are being unmapped */
    size_t leaving_page;        /* the next one to look at; SIZE_MAX: none is leaving */
    bool has_records;           /* a line or record was read that is more than a comment */
};

/* Opens a trace and reads its header; "-" is the standard input. Ends the program with a reason if it cannot. */
void trace_open(struct trace *trace, const char *name, uint64_t page_size);

/* Reads records until there are at least `wanted` of them, or the trace ends; never parts those of one instruction, so there
 * may be up to TRACE_INSTRUCTION_PAGES more. Returns how many; 0 at the end. Ends the program with file, line and reason
 * where the trace is malformed. */
size_t trace_read(struct trace *trace, struct trace_record *records, size_t wanted);

void trace_close(struct trace *trace);

static inline bool
trace_is_reference(const struct trace_record *record)
{
    return record->event <= TRACE_EXECUTE;
}

/* The longest name of a page, as text, with its end. */
#define TRACE_NAME_BYTES 40u

/* Writes a page's name as the trace's format has it, behind its process if that is not the header's. */
void trace_name_text(const struct trace *trace, const struct page_name *name, char *text, size_t bytes);
void trace_page_text(const struct trace *trace, uint32_t page, char *text, size_t bytes);
