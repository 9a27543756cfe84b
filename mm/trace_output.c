/*
 * Writing traces, in text and in binary.
 *
 * Text keeps the line of references open until something else is written: whoever goes
 * on with the same instruction continues it, or begins a new one with a plus sign.
 */
#include "mm/trace_output.h"

#include "drivers/serial.h"
#include "kernel/command_line.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "mm/units.h"

#define LINE_BYTES 160u

enum { FORM_TEXT, FORM_BINARY };
static unsigned form = FORM_TEXT;
BOOT_CHOICE(trace.format, form, "the form in which traces leave on COM2", "text", "binary");

static struct {
    char bytes[PAGE_SIZE];
    u32 used;
    bool started;
    bool line_open;             /* text: a line of references that can go on */
    u32 line_process;           /* whose they are */
    u32 first_process;          /* the header's: text names only others */
    u32 process, page;          /* binary: of the last record that has them */
} output;

void
trace_flush(void)
{
    if (output.line_open)
        output.bytes[output.used++] = '\n';
    output.line_open = false;
    serial_write(SERIAL_COM2, output.bytes, output.used);
    output.used = 0;
}

/* There is always room for one byte more: the end of the line. */
static void
output_bytes(const char *bytes, u32 count)
{
    if (output.used + count >= sizeof(output.bytes)) {
        serial_write(SERIAL_COM2, output.bytes, output.used);
        output.used = 0;
    }
    memcpy(output.bytes + output.used, bytes, count);
    output.used += count;
}

static void
output_byte(u32 byte)
{
    char character = (char)byte;

    output_bytes(&character, 1);
}

static void
output_word(const char *word)
{
    output_bytes(word, (u32)strlen(word));
}

/* Most of a text is references, hence numbers of pages: without a format they take a tenth of the instructions. */
static void
output_page(u32 page)
{
    char digits[2 * sizeof(page)];
    u32 first = sizeof(digits);

    do
        digits[--first] = "0123456789abcdef"[page % 16];
    while ((page /= 16) != 0);
    output_bytes(digits + first, sizeof(digits) - first);
}

static void __attribute__((format(printf, 1, 2)))
output_text(const char *text, ...)
{
    char line[LINE_BYTES];
    va_list arguments;

    va_start(arguments, text);
    output_bytes(line, (u32)vformat(line, sizeof(line), text, arguments));
    va_end(arguments);
}

static void
output_number(u32 number)
{
    for (; number >= TRACE_NUMBER_MORE; number >>= TRACE_NUMBER_BITS)
        output_byte((number & (TRACE_NUMBER_MORE - 1)) | TRACE_NUMBER_MORE);
    output_byte(number);
}

/* ---- Text -------------------------------------------------------------- */

static void
text_end_line(void)
{
    if (output.line_open)
        output_word("\n");
    output.line_open = false;
}

/* The event and its page, and the process unless it is the first. */
static void
text_event(u32 process, enum trace_event event, u32 page)
{
    output_word(trace_event_word(event));
    output_word(" ");
    output_page(page);
    if (process != output.first_process)
        output_text(" %u", process);
}

static void
text_page(u32 process, enum trace_event event, u32 page, bool continues)
{
    if (!continues || output.line_process != process)
        text_end_line();
    if (continues)
        output_word(output.line_open ? " " : "+ ");
    text_event(process, event, page);
    output.line_open = true;
    output.line_process = process;
    if (event > TRACE_EXECUTE)
        text_end_line();
}

/* ---- Binary ------------------------------------------------------------ */

static void
binary_first(u32 process, enum trace_event event, bool continues)
{
    bool names = process != output.process;

    output_byte(event | (continues ? TRACE_CONTINUES : 0) | (names ? TRACE_NAMES_PROCESS : 0));
    if (names)
        output_number(output.process = process);
}

static void
binary_page(u32 process, enum trace_event event, u32 page, bool continues)
{
    u32 difference = page - output.page;

    binary_first(process, event, continues);
    output_number(difference << 1 ^ -(difference >> 31));
    output.page = page;
}

/* ---- Both -------------------------------------------------------------- */

void
trace_write_header(u32 process, const char *path, u32 frames, const char *policy, u32 window)
{
    if (output.started)
        return;
    output.started = true;
    output.first_process = output.process = process;
    serial_start(SERIAL_COM2);
    output_text("%s page=%u program=", form == FORM_TEXT ? TRACE_TEXT_MAGIC : TRACE_BINARY_MAGIC, PAGE_SIZE);
    output_word(path);
    output_text(" pid=%u policy=%s seed=%u window=%u", process, policy, command_line_seed, window);
    if (frames)
        output_text(" frames=%u", frames);
    output_word("\n");
}

void
trace_write_page(u32 process, enum trace_event event, u32 page, bool continues)
{
    (form == FORM_TEXT ? text_page : binary_page)(process, event, page, continues);
}

void
trace_write_remark(u32 process, enum trace_event access, u32 page)
{
    if (form != FORM_TEXT)
        return;
    text_end_line();
    output_word("# ");
    text_event(process, access, page);
    output_word("\n");
}

/* An event of one or two numbers, which in binary are a record each. */
static void
write_numbers(enum trace_event event, const u32 *numbers, u32 count)
{
    if (form == FORM_BINARY) {
        for (u32 i = 0; i < count; i++) {
            output_byte(i == 0 ? event : event | TRACE_CONTINUES);
            output_number(numbers[i]);
        }
        return;
    }
    text_end_line();
    output_word(trace_event_word(event));
    for (u32 i = 0; i < count; i++)
        output_text(" %u", numbers[i]);
    output_word("\n");
}

void
trace_write_tick(void)
{
    if (form == FORM_BINARY)
        output_byte(TRACE_TICK);
    else
        write_numbers(TRACE_TICK, NULL, 0);
}

void
trace_write_process(enum trace_event event, u32 process)
{
    write_numbers(event, &process, 1);
}

void
trace_write_fork(u32 parent, u32 child)
{
    write_numbers(TRACE_FORK, (const u32[]){parent, child}, 2);
}

void
trace_write_frames(u32 process, u32 frames)
{
    write_numbers(TRACE_FRAMES, (const u32[]){frames, process}, 2);
}

void
trace_write_policy(u32 process, const char *name)
{
    if (form == FORM_BINARY) {
        output_byte(TRACE_POLICY);
        output_bytes(name, (u32)strlen(name) + 1);
        output_byte(TRACE_POLICY | TRACE_CONTINUES);
        output_number(process);
        return;
    }
    text_end_line();
    output_text("policy %s %u\n", name, process);
}
