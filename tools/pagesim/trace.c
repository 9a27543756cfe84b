/*
 * Reading traces: what is the same for all formats.
 */
#include "tools/pagesim/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "mm/policy.h"
#include "tools/pagesim/common.h"
#include "tools/pagesim/reader.h"

#define BUFFER_BYTES (1u << 18)

#define ANY_MAGIC "belady-trace"
#define HEADER_BYTES 4096u

/* How compressed files begin, which are easily mistaken for what is in them. */
static const struct { const char *beginning, *format, *unpack; } compressed[] = {
    {"\x1f\x8b", "gzip", "gzip -dc"}, {"\xfd" "7zXZ", "xz", "xz -dc"}, {"\x28\xb5\x2f\xfd", "zstd", "zstd -dc"}, {"BZh", "bzip2", "bzip2 -dc"}};

static const char *const lackey_beginnings[] = {"==", "I ", " L", " S", " M"};

const uint8_t digits[UINT8_MAX + 1] = {
    ['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8, ['8'] = 9, ['9'] = 10,
    ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16};

void
reader_fail(const struct trace *trace, const char *format, ...)
{
    char reason[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    die("%s:%" PRIu64 ": %s", trace->name, trace->line, reason);
}

void
reader_unexpected(const struct trace *trace, int character)
{
    if (character > ' ' && character <= '~')
        reader_fail(trace, "unexpected '%c'", character);
    reader_fail(trace, "unexpected character 0x%02x", (unsigned)character);
}

bool
reader_fill(struct trace *trace)
{
    size_t bytes = fread(trace->buffer, 1, BUFFER_BYTES, trace->file);

    if (bytes == 0 && ferror(trace->file))
        die("%s: %s", trace->name, strerror(errno));
    trace->at = trace->buffer;
    trace->end = trace->buffer + bytes;
    trace->buffer[bytes] = '\0';
    return bytes > 0;
}

uint64_t
reader_any_number(struct trace *trace, unsigned base, uint64_t limit, const char *what)
{
    unsigned digit = digit_value(reader_peek(trace));
    uint64_t number = 0;
    bool too_large = false;

    if (digit >= base)
        reader_fail(trace, "%s expected", what);
    for (; digit < base; digit = digit_value(reader_peek(trace))) {
        too_large |= __builtin_mul_overflow(number, base, &number) | __builtin_add_overflow(number, digit, &number);
        trace->at++;
    }
    if (too_large || number > limit)
        reader_fail(trace, "%s is too large", what);
    return number;
}

void
reader_skip_line(struct trace *trace)
{
    int next;

    do
        next = reader_next(trace);
    while (next != '\n' && next != END_OF_FILE);
}

uint32_t
reader_policy(const struct trace *trace, const char *name)
{
    for (uint32_t i = 0; i < policy_count; i++)
        if (strcmp(policy_list[i]->name, name) == 0)
            return i;
    reader_fail(trace, "there is no policy '%s'", name);
}

void
reader_leave(struct trace *trace, uint32_t process)
{
    trace->leaving = process;
    trace->leaving_page = 0;
}

/* Unmaps the next page of the process that leaves; false if there is none left. */
static bool
trace_unmap_next(struct trace *trace, struct trace_output *output)
{
    while (trace->leaving_page < trace->pages.count) {
        size_t page = trace->leaving_page++;

        if (trace->pages.names[page].process == trace->leaving) {
            reader_add(trace, output, (uint32_t)page, TRACE_UNMAP);
            output->records[output->count - 1].implied = true;
            return true;
        }
    }
    trace->leaving_page = NOBODY_LEAVES;
    return false;
}

size_t
trace_read(struct trace *trace, struct trace_record *records, size_t wanted)
{
    static bool (*const read_line[])(struct trace *, struct trace_output *) = {
        [TRACE_PLAIN] = reader_plain, [TRACE_LACKEY] = reader_lackey, [TRACE_TEXT] = reader_text, [TRACE_BINARY] = reader_binary};
    struct trace_output output = {.records = records};

    while (output.count < wanted) {
        output.line_start = output.count;
        output.joins = false;
        if (trace->leaving_page != NOBODY_LEAVES && trace_unmap_next(trace, &output))
            continue;
        if (!read_line[trace->format](trace, &output))
            break;
    }
    return output.count;
}

/* A number among the fields of the header. */
static uint32_t
header_number(const struct trace *trace, const char *name, const char *value, uint32_t least, uint32_t most)
{
    char *end;
    unsigned long long number = strtoull(value, &end, 10);

    if (*value < '0' || *value > '9' || (*end && *end != ' ') || number < least || number > most)
        reader_fail(trace, "%s= wants a number from %" PRIu32 " to %" PRIu32, name, least, most);
    return (uint32_t)number;
}

static void
header_field(struct trace *trace, const char *field, size_t length)
{
    struct trace_header *header = &trace->header;
    const struct { const char *name; uint32_t *number, least, most; } numbers[] = {
        {"frames", &header->frames, 0, TRACE_FRAMES_MOST}, {"seed", &header->seed, 0, UINT32_MAX},
        {"window", &header->window, 0, UINT32_MAX}, {"pid", &header->process, 0, UINT32_MAX}, {"page", &header->page_size, 1, UINT32_MAX}};

    if (strncmp(field, "policy=", 7) == 0 && length - 7 < sizeof(header->policy))
        memcpy(header->policy, field + 7, length - 7);
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        size_t name = strlen(numbers[i].name);

        if (strncmp(field, numbers[i].name, name) == 0 && field[name] == '=')
            *numbers[i].number = header_number(trace, numbers[i].name, field + name + 1, numbers[i].least, numbers[i].most);
    }
}

/* The header's fields, which stand in the first line behind the magic word and the version. */
static void
header_read(struct trace *trace)
{
    size_t length = 0, capacity = 0;
    int next;

    while ((next = reader_next(trace)) != '\n') {
        if (next == END_OF_FILE)
            reader_fail(trace, "the header does not end");
        if (length == HEADER_BYTES)
            reader_fail(trace, "the header is longer than %u characters", HEADER_BYTES);
        trace->header.text = grow(trace->header.text, &capacity, length + 2, 1);
        trace->header.text[length++] = (char)next;
    }
    if (length > 0 && trace->header.text[length - 1] == '\r')
        trace->header.text[length - 1] = '\0';
    for (const char *field = trace->header.text; field && *field; field += strcspn(field, " "), field += strspn(field, " "))
        header_field(trace, field, strcspn(field, " "));
    trace->process = trace->header.process;
    trace->line++;
}

static bool
trace_begins(const struct trace *trace, const char *words)
{
    size_t length = strlen(words);

    return (size_t)(trace->end - trace->at) >= length && memcmp(trace->at, words, length) == 0;
}

static bool
magic_take(struct trace *trace, const char *magic)
{
    size_t length = strlen(magic);

    if (!trace_begins(trace, magic) || (size_t)(trace->end - trace->at) == length || !strchr(" \n", trace->at[length]))
        return false;
    trace->at += length;
    return true;
}

static void
trace_refuse_compressed(const struct trace *trace)
{
    for (size_t i = 0; i < ARRAY_SIZE(compressed); i++)
        if (trace_begins(trace, compressed[i].beginning))
            reader_fail(trace, "this is compressed (%s): unpack it first, %s FILE | pagesim ... -", compressed[i].format,
                        compressed[i].unpack);
}

static enum trace_format
trace_recognise(struct trace *trace)
{
    trace_refuse_compressed(trace);
    if (magic_take(trace, TRACE_BINARY_MAGIC) || trace_begins(trace, ANY_MAGIC)) {
        enum trace_format format = trace->at != trace->buffer ? TRACE_BINARY : TRACE_TEXT;

        if (format == TRACE_TEXT && !magic_take(trace, TRACE_TEXT_MAGIC))
            reader_fail(trace, "a trace of another version; this reads \"%s\" and \"%s\"", TRACE_TEXT_MAGIC, TRACE_BINARY_MAGIC);
        header_read(trace);
        return format;
    }
    for (size_t i = 0; i < ARRAY_SIZE(lackey_beginnings); i++)
        if (trace_begins(trace, lackey_beginnings[i]))
            return TRACE_LACKEY;
    return TRACE_PLAIN;
}

void
trace_open(struct trace *trace, const char *name, uint64_t page_size)
{
    *trace = (struct trace){.name = name, .page_size = page_size, .line = 1, .leaving_page = NOBODY_LEAVES};
    trace->file = strcmp(name, "-") == 0 ? stdin : fopen(name, "rb");
    if (!trace->file)
        die("%s: %s", name, strerror(errno));
    trace->buffer = allocate(BUFFER_BYTES + 1, 1);
    if (reader_fill(trace))
        trace->format = trace_recognise(trace);
}

void
trace_close(struct trace *trace)
{
    if (trace->file != stdin)
        fclose(trace->file);
    free(trace->buffer);
    free(trace->header.text);
    free(trace->pages.names);
    free(trace->pages.slots);
}

void
trace_name_text(const struct trace *trace, const struct page_name *name, char *text, size_t bytes)
{
    const char *format = trace->format == TRACE_PLAIN ? "%" PRIu64 : "%" PRIx64;
    int used = name->process != trace->header.process ? snprintf(text, bytes, "%" PRIu32 ":", name->process) : 0;

    snprintf(text + used, bytes - (size_t)used, format, name->number);
}

void
trace_page_text(const struct trace *trace, uint32_t page, char *text, size_t bytes)
{
    trace_name_text(trace, &trace->pages.names[page], text, bytes);
}
