/*
 * The formats of text: page numbers, valgrind's lackey, and the kernel's own.
 */
#include <string.h>

#include "tools/pagesim/reader.h"

#define DECIMAL 10u
#define HEXADECIMAL 16u

/* The longest word of an event. */
#define WORD_BYTES 8u

/* ---- Page numbers: decimal, w behind one that is written; | is a tick, # begins a comment ---- */

static void
plain_page(struct trace *trace, struct trace_output *output)
{
    uint64_t number = reader_number(trace, DECIMAL, UINT64_MAX, "a page number");
    bool written = (reader_peek(trace) | ('w' ^ 'W')) == 'w';
    int next;

    if (written)
        trace->at++;
    next = reader_peek(trace);
    if (!is_blank_or_end(next) && next != ',' && next != '|' && next != '#')
        reader_unexpected(trace, next);
    reader_put(trace, output, number, written ? TRACE_WRITE : TRACE_READ);
}

/* One number is an instruction of its own, so it is "a line". */
bool
reader_plain(struct trace *trace, struct trace_output *output)
{
    for (;;) {
        int next = reader_peek(trace);

        if (next == END_OF_FILE)
            return false;
        if (next >= '0' && next <= '9') {
            plain_page(trace, output);
            return true;
        }
        if (next == '#') {
            reader_skip_line(trace);
            trace->line++;
            continue;
        }
        if (!is_blank_or_end(next) && next != ',' && next != '|')
            reader_unexpected(trace, next);
        trace->at++;
        trace->line += next == '\n';
        if (next == '|') {
            reader_add(trace, output, 0, TRACE_TICK);
            return true;
        }
    }
}

/* ---- valgrind --tool=lackey --trace-mem=yes: "I  address,size", " L ...", " S ...", " M ..." ---- */

/* For the letter of each access one more than its event; 0 for all other characters. */
static const uint8_t accesses[UINT8_MAX + 1] = {
    ['I'] = TRACE_EXECUTE + 1, ['L'] = TRACE_READ + 1, ['S'] = TRACE_WRITE + 1, ['M'] = TRACE_WRITE + 1};

/* The same of a line that begins with these two characters: a fetch stands in the first column, other accesses in the second. */
static unsigned
lackey_event(int first, int second)
{
    if (first == 'I')
        return second == ' ' ? accesses['I'] : 0;
    return first == ' ' && second != 'I' ? accesses[(uint8_t)second] : 0;
}

/* A division takes as long as all the rest of a line. */
static inline uint64_t
page_of(const struct trace *trace, uint64_t address)
{
    return trace->page_size == DEFAULT_PAGE_SIZE ? address / DEFAULT_PAGE_SIZE : address / trace->page_size;
}

/* An access can reach into the next page. */
static void
lackey_access(struct trace *trace, struct trace_output *output, enum trace_event event)
{
    uint64_t address, size;

    reader_skip_blanks(trace);
    address = reader_number(trace, HEXADECIMAL, UINT64_MAX, "an address");
    if (reader_next(trace) != ',')
        reader_fail(trace, "a comma expected behind the address");
    size = reader_number(trace, DECIMAL, UINT32_MAX, "a size");
    if (size == 0 || address + size - 1 < address)
        reader_fail(trace, "no access has this size");
    reader_end_line(trace);
    for (uint64_t page = page_of(trace, address), last = page_of(trace, address + size - 1); page <= last; page++)
        reader_put(trace, output, page, event);
}

/* valgrind's own lines begin with ==, -- or **. */
bool
reader_lackey(struct trace *trace, struct trace_output *output)
{
    int first = reader_next(trace), second;
    unsigned access;

    if (first == END_OF_FILE)
        return false;
    if (first == '\r')
        reader_end_line(trace);
    else if (first != '\n') {
        second = reader_next(trace);
        access = lackey_event(first, second);
        if (access)
            lackey_access(trace, output, (enum trace_event)(access - 1));
        else if (first == second && strchr("=-*", first))
            reader_skip_line(trace);
        else
            reader_fail(trace, "not a line of lackey's (did the program itself write it? use valgrind --log-file)");
    }
    trace->line++;
    return true;
}

/* ---- The kernel's: see FORMAT.md ---- */

/* Behind a page: the process, if it is not that of the header. */
static void
text_process(struct trace *trace)
{
    int next;

    reader_skip_blanks(trace);
    next = reader_peek(trace);
    trace->process = next >= '0' && next <= '9' ? (uint32_t)reader_number(trace, DECIMAL, UINT32_MAX, "a process")
                                                : trace->header.process;
    reader_skip_blanks(trace);
}

static uint64_t
text_page(struct trace *trace)
{
    uint64_t number;

    if (reader_next(trace) != ' ')
        reader_fail(trace, "a space expected before the page number");
    number = reader_number(trace, HEXADECIMAL, UINT64_MAX, "a page number");
    if (reader_peek(trace) == '\n')
        trace->process = trace->header.process;
    else
        text_process(trace);
    return number;
}

/* Takes what stands before the next blank, or as much of it as a word can have. */
static void
text_take_word(struct trace *trace, char *word)
{
    size_t length = 0;
    int next;

    while (!is_blank_or_end(next = reader_peek(trace)) && length < WORD_BYTES) {
        word[length++] = next > ' ' && next <= '~' ? (char)next : '?';
        trace->at++;
    }
    word[length] = '\0';
}

/* For the letter of each reference one more than its event; 0 for all other characters. */
static const uint8_t references[UINT8_MAX + 1] = {['r'] = TRACE_READ + 1, ['w'] = TRACE_WRITE + 1, ['x'] = TRACE_EXECUTE + 1};

/* r PAGE [PID] w PAGE [PID] ...: all by one instruction. False if there is none. */
static bool
text_references(struct trace *trace, struct trace_output *output)
{
    unsigned reference, count = 0;

    for (; (reference = references[(uint8_t)reader_peek(trace)]) != 0; count++) {
        trace->at++;
        reader_put(trace, output, text_page(trace), (enum trace_event)(reference - 1));
    }
    return count > 0;
}

static void
text_event(struct trace *trace, struct trace_output *output, enum trace_event event)
{
    if (event == TRACE_TICK)
        reader_add(trace, output, 0, event);
    else
        reader_put(trace, output, text_page(trace), event);
}

static uint32_t
text_process_number(struct trace *trace)
{
    reader_skip_blanks(trace);
    return (uint32_t)reader_number(trace, DECIMAL, UINT32_MAX, "a process");
}

/* fork PID PID, exec PID, exit PID, short PID */
static void
text_life(struct trace *trace, struct trace_output *output, enum trace_event event)
{
    uint32_t process = text_process_number(trace);

    reader_add(trace, output, process, event);
    if (event == TRACE_FORK)
        reader_add(trace, output, text_process_number(trace), event);
    else if (event != TRACE_SHORT)
        reader_leave(trace, process);
}

/* frames N PID */
static void
text_frames(struct trace *trace, struct trace_output *output)
{
    reader_skip_blanks(trace);
    reader_add(trace, output, (uint32_t)reader_number(trace, DECIMAL, TRACE_FRAMES_MOST, "the number of frames"), TRACE_FRAMES);
    reader_add(trace, output, text_process_number(trace), TRACE_FRAMES);
}

/* policy NAME PID */
static void
text_policy(struct trace *trace, struct trace_output *output)
{
    char word[WORD_BYTES + 1];

    reader_skip_blanks(trace);
    text_take_word(trace, word);
    reader_add(trace, output, reader_policy(trace, word), TRACE_POLICY);
    reader_add(trace, output, text_process_number(trace), TRACE_POLICY);
}

static void
text_word(struct trace *trace, struct trace_output *output)
{
    char word[WORD_BYTES + 1];

    text_take_word(trace, word);
    for (enum trace_event event = TRACE_FAULT; event < TRACE_EVENTS; event++) {
        if (strcmp(word, trace_event_word(event)) != 0)
            continue;
        if (event == TRACE_FRAMES)
            text_frames(trace, output);
        else if (event == TRACE_POLICY)
            text_policy(trace, output);
        else if (trace_event_has_page(event) || event == TRACE_TICK)
            text_event(trace, output, event);
        else
            text_life(trace, output, event);
        return;
    }
    reader_fail(trace, "'%s' is no reference (r, w, x) and no event (f, -, u, t, i, o, d, fork, exec, exit, frames, policy, short)",
                word);
}

/* + r PAGE ...: goes on with the instruction of the references before. */
static void
text_join(struct trace *trace, struct trace_output *output)
{
    if (!trace->has_records)
        reader_fail(trace, "a plus sign goes on with an instruction, and there is none before");
    trace->at++;
    reader_skip_blanks(trace);
    output->joins = true;
    if (!text_references(trace, output))
        reader_fail(trace, "a reference (r, w, x) expected behind the plus sign");
}

bool
reader_text(struct trace *trace, struct trace_output *output)
{
    int next;

    reader_skip_blanks(trace);
    next = reader_peek(trace);
    if (next == END_OF_FILE)
        return false;
    if (next == '#')
        reader_skip_line(trace);
    else {
        if (next == '+')
            text_join(trace, output);
        else if (!text_references(trace, output) && next != '\n')
            text_word(trace, output);
        trace->has_records |= output->count > output->line_start;
        reader_end_line(trace);
    }
    trace->line++;
    return true;
}
