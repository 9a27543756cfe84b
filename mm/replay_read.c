/*
 * Reading a trace in the kernel.
 */
#include "mm/replay_read.h"

#include "kernel/lib/string.h"

/* How the first line goes on behind the magic word. */
#define TEXT_BEGINNING   TRACE_TEXT_MAGIC " "
#define BINARY_BEGINNING TRACE_BINARY_MAGIC " "

#define NUMBER_LONGEST 32u      /* bits */

static bool
begins_with(const char *at, const char *end, const char *words)
{
    usize length = strlen(words);

    return (usize)(end - at) >= length && memcmp(at, words, length) == 0;
}

bool
replay_begins(const char *bytes, u32 count)
{
    return begins_with(bytes, bytes + count, TEXT_BEGINNING) || begins_with(bytes, bytes + count, BINARY_BEGINNING);
}

static bool
fail(struct replay_reader *reader, const char *reason)
{
    reader->wrong = reason;
    return false;
}

/* ---- Words ------------------------------------------------------------- */

/* The next character, or a line's end where the trace ends. */
static char
peek(const struct replay_reader *reader)
{
    return reader->at < reader->end ? *reader->at : '\n';
}

static void
skip_blanks(struct replay_reader *reader)
{
    while (peek(reader) == ' ')
        reader->at++;
}

static void
skip_line(struct replay_reader *reader)
{
    while (peek(reader) != '\n')
        reader->at++;
    if (reader->at < reader->end)
        reader->at++;
    reader->line++;
}

static u32
digit_of(char character)
{
    u32 decimal = (u32)character - '0', letter = (u32)character - 'a';

    return decimal < 10 ? decimal : letter < 6 ? letter + 10 : 16;
}

static bool
read_number(struct replay_reader *reader, u32 base, u32 *number)
{
    u64 value = 0;

    skip_blanks(reader);
    if (digit_of(peek(reader)) >= base)
        return fail(reader, "a number is missing");
    for (; digit_of(peek(reader)) < base; reader->at++) {
        value = value * base + digit_of(peek(reader));
        if (value > UINT32_MAX)
            return fail(reader, "a number is too large");
    }
    *number = (u32)value;
    return true;
}

/* ---- The first line ---------------------------------------------------- */

static bool
read_field(struct replay_reader *reader, const char **program, u32 *program_bytes)
{
    bool is_program = begins_with(reader->at, reader->end, "program=");

    if (begins_with(reader->at, reader->end, "pid=")) {
        reader->at += sizeof("pid=") - 1;
        return read_number(reader, 10, &reader->header_process);
    }
    if (is_program)
        *program = reader->at + sizeof("program=") - 1;
    while (peek(reader) != ' ' && peek(reader) != '\n')
        reader->at++;
    if (is_program)
        *program_bytes = (u32)(reader->at - *program);
    return true;
}

bool
replay_open(struct replay_reader *reader, const char *bytes, u32 count, const char **program, u32 *program_bytes)
{
    *reader = (struct replay_reader){.at = bytes, .end = bytes + count, .line = 1};
    *program_bytes = 0;
    reader->binary = begins_with(bytes, reader->end, BINARY_BEGINNING);
    reader->at += reader->binary ? sizeof(BINARY_BEGINNING) - 1 : sizeof(TEXT_BEGINNING) - 1;
    for (; peek(reader) != '\n'; skip_blanks(reader))
        if (!read_field(reader, program, program_bytes))
            return false;
    if (*program_bytes == 0)
        return fail(reader, "the first line names no program");
    skip_line(reader);
    reader->process = reader->header_process;
    return true;
}

/* ---- Text -------------------------------------------------------------- */

static bool
read_word(struct replay_reader *reader, enum trace_event *event)
{
    const char *start = reader->at;
    usize length;

    while (peek(reader) != ' ' && peek(reader) != '\n')
        reader->at++;
    length = (usize)(reader->at - start);
    for (*event = 0; *event < TRACE_EVENTS; (*event)++) {
        const char *word = trace_event_word(*event);

        if (strlen(word) == length && memcmp(word, start, length) == 0)
            return true;
    }
    return fail(reader, "no such reference or event");
}

/* Behind the word: PAGE [PID]. Of the other events only exec's process matters. */
static bool
read_text_rest(struct replay_reader *reader, struct replay_record *record)
{
    record->process = reader->header_process;
    if (trace_event_has_page(record->event)) {
        if (!read_number(reader, 16, &record->page))
            return false;
        skip_blanks(reader);
        return digit_of(peek(reader)) >= 10 || read_number(reader, 10, &record->process);
    }
    if (record->event == TRACE_EXEC && !read_number(reader, 10, &record->process))
        return false;
    while (peek(reader) != '\n')
        reader->at++;
    return true;
}

static bool
read_text(struct replay_reader *reader, struct replay_record *record)
{
    while (reader->at < reader->end) {
        skip_blanks(reader);
        if (peek(reader) == '+')
            reader->at++;
        else if (peek(reader) == '#' || peek(reader) == '\n')
            skip_line(reader);
        else
            return read_word(reader, &record->event) && read_text_rest(reader, record);
    }
    return false;
}

/* ---- Binary ------------------------------------------------------------ */

static bool
read_coded(struct replay_reader *reader, u32 *number)
{
    *number = 0;
    for (u32 shift = 0; shift < NUMBER_LONGEST; shift += TRACE_NUMBER_BITS) {
        u8 byte;

        if (reader->at == reader->end)
            return fail(reader, "the trace ends inside a record");
        byte = (u8)*reader->at++;
        *number |= (u32)(byte & (TRACE_NUMBER_MORE - 1)) << shift;
        if (!(byte & TRACE_NUMBER_MORE))
            return true;
    }
    return fail(reader, "a number is too long");
}

static bool
skip_name(struct replay_reader *reader)
{
    while (reader->at < reader->end && *reader->at)
        reader->at++;
    return reader->at++ < reader->end || fail(reader, "the trace ends inside a record");
}

/* What follows the first byte of an event that is of no page. */
static bool
read_binary_rest(struct replay_reader *reader, struct replay_record *record, u32 first)
{
    if (record->event == TRACE_TICK)
        return true;
    if (record->event == TRACE_POLICY && !(first & TRACE_CONTINUES))
        return skip_name(reader);
    return read_coded(reader, &record->process);
}

static bool
read_binary(struct replay_reader *reader, struct replay_record *record)
{
    u32 first, coded;

    if (reader->at == reader->end)
        return false;
    first = (u8)*reader->at++;
    record->event = (enum trace_event)(first & TRACE_EVENT_MASK);
    reader->line++;
    if (!trace_event_has_page(record->event))
        return read_binary_rest(reader, record, first);
    if ((first & TRACE_NAMES_PROCESS && !read_coded(reader, &reader->process)) || !read_coded(reader, &coded))
        return false;
    reader->page += coded >> 1 ^ -(coded & 1);
    record->process = reader->process;
    record->page = reader->page;
    return true;
}

bool
replay_read(struct replay_reader *reader, struct replay_record *record)
{
    return (reader->binary ? read_binary : read_text)(reader, record);
}
