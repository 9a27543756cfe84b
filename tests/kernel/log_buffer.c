/* The end of the log that is kept in memory. */
#include "kernel/log_buffer.h"

#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/selftest.h"

#define LINE_BYTES 32u

/* More lines than there is room for, each of another length than its neighbours. */
#define LINES (LOG_BUFFER_BYTES / 8)

static u32
line_format(char *line, u32 number)
{
    return (u32)format(line, LINE_BYTES, "%u%s", number, number % 2 ? " odd" : "");
}

/* Whether the line at position has this number, and is whole. */
static bool
line_is(u32 position, u32 number)
{
    char wanted[LINE_BYTES], found[LINE_BYTES];
    u32 length = line_format(wanted, number), bytes = log_buffer_next(position) - position;

    if (bytes != length + strlen("<6>\n"))
        return false;
    log_buffer_copy(found, position, bytes);
    return memcmp(found, "<6>", 3) == 0 && memcmp(found + 3, wanted, length) == 0 && found[bytes - 1] == '\n';
}

SELFTEST(log_buffer, old_lines_go_as_wholes, "a line that finds no room takes the place of the oldest ones; all that are kept are whole, and in order")
{
    char line[LINE_BYTES];
    u32 position, number = LINES;

    for (u32 i = 0; i < LINES; i++)
        log_buffer_add(6, line, line_format(line, i));
    check_true(log_buffer_end() - log_buffer_first() <= LOG_BUFFER_BYTES);
    check_true(log_buffer_end() - log_buffer_first() > LOG_BUFFER_BYTES - LINE_BYTES);
    for (position = log_buffer_first(); position != log_buffer_end(); position = log_buffer_next(position))
        number--;
    for (position = log_buffer_first(); position != log_buffer_end(); position = log_buffer_next(position))
        check_true(line_is(position, number++));
    check_equal(number, LINES);
}

SELFTEST(log_buffer, a_line_is_a_line, "the end of a line within a text does not begin another line")
{
    char found[sizeof("<3>one two\n")];
    u32 position = log_buffer_end();

    log_buffer_add(3, "one\ntwo", strlen("one\ntwo"));
    check_equal(log_buffer_end() - position, sizeof(found) - 1);
    log_buffer_copy(found, position, sizeof(found) - 1);
    check_true(memcmp(found, "<3>one two\n", sizeof(found) - 1) == 0);
}
