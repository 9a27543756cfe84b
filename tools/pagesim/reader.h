/*
 * Inside the reader of traces: characters, numbers, and one function for each format.
 */
#pragma once

#include "tools/pagesim/trace.h"

#define END_OF_FILE (-1)
#define NOBODY_LEAVES SIZE_MAX

/* Where the reader puts what it has read. */
struct trace_output {
    struct trace_record *records;
    size_t count;
    size_t line_start;          /* of the records of the line being read, the first */
    bool joins;                 /* the line goes on with the instruction of the references before */
};

/* Ends the program: "FILE:LINE: reason". */
void reader_fail(const struct trace *trace, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));

/* The same, because of a character that does not belong where it stands. */
void reader_unexpected(const struct trace *trace, int character) __attribute__((noreturn));

/* Reads more into the buffer; false at the end of the file. */
bool reader_fill(struct trace *trace);

/* The next character, or END_OF_FILE, without taking it. */
static inline int
reader_peek(struct trace *trace)
{
    return trace->at < trace->end || reader_fill(trace) ? *trace->at : END_OF_FILE;
}

static inline int
reader_next(struct trace *trace)
{
    return trace->at < trace->end || reader_fill(trace) ? *trace->at++ : END_OF_FILE;
}

/* For each character one more than its value as a digit in base 16; 0 if it is none. */
extern const uint8_t digits[UINT8_MAX + 1];

/* The value of a digit in base 16; more than all of them if it is none. */
static inline unsigned
digit_value(int character)
{
    return digits[(uint8_t)character] - 1u;
}

/* Whether a word ends here. */
static inline bool
is_blank_or_end(int character)
{
    return character == ' ' || character == '\n' || character == '\t' || character == '\r' || character == END_OF_FILE;
}

/* A number in base 10 or 16, of which `what` tells what it is; fails if there is none, or it is too large. */
uint64_t reader_any_number(struct trace *trace, unsigned base, uint64_t limit, const char *what);

/* So few digits make no number that is too large for 64 bits. */
#define FEW_DIGITS 15

/* The same, fast where it has few digits and all of them lie in the buffer: nearly always. What ends the buffer is no digit. */
static inline uint64_t
reader_number(struct trace *trace, unsigned base, uint64_t limit, const char *what)
{
    const unsigned char *at = trace->at;
    uint64_t number = 0;

    for (unsigned digit; (digit = digit_value(*at)) < base; at++)
        number = number * base + digit;
    if (at == trace->at || at - trace->at > FEW_DIGITS || at == trace->end || number > limit)
        return reader_any_number(trace, base, limit, what);
    trace->at = at;
    return number;
}

/* Takes spaces and tabs. */
static inline void
reader_skip_blanks(struct trace *trace)
{
    int next;

    while ((next = reader_peek(trace)) == ' ' || next == '\t' || next == '\r')
        trace->at++;
}

/* Takes the rest of the line, if that is empty; fails if it is not. */
static inline void
reader_end_line(struct trace *trace)
{
    int next;

    reader_skip_blanks(trace);
    next = reader_next(trace);
    if (next != '\n' && next != END_OF_FILE)
        reader_unexpected(trace, next);
}

void reader_skip_line(struct trace *trace);

/* Adds a record. */
static inline void
reader_add(struct trace *trace, struct trace_output *output, uint32_t page, enum trace_event event)
{
    if (output->count - output->line_start >= TRACE_INSTRUCTION_PAGES)
        reader_fail(trace, "more than %u pages for one instruction", TRACE_INSTRUCTION_PAGES);
    output->records[output->count] = (struct trace_record){
        .page = page, .event = (uint8_t)event, .continues = output->joins || output->count > output->line_start};
    output->count++;
}

/* The same, of a page of the process in question. */
static inline void
reader_put(struct trace *trace, struct trace_output *output, uint64_t number, enum trace_event event)
{
    reader_add(trace, output, pages_number(&trace->pages, (struct page_name){number, trace->process}), event);
}

/* The number of a policy, by its name. */
uint32_t reader_policy(const struct trace *trace, const char *name);

/* Whose pages will be unmapped next. */
void reader_leave(struct trace *trace, uint32_t process);

/* Reads one line, or what is one in the format: any number of records. False at the end of the file. */
bool reader_plain(struct trace *trace, struct trace_output *output);
bool reader_lackey(struct trace *trace, struct trace_output *output);
bool reader_text(struct trace *trace, struct trace_output *output);
bool reader_binary(struct trace *trace, struct trace_output *output);
