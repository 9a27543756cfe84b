/* The kernel's log. A line is put together on the stack and written at once, so that two of them never mix. */
#include "kernel/log.h"

#include "kernel/command_line.h"
#include "kernel/log_buffer.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"

/* Longest line, prefix and end included. */
#define LINE_BYTES 512

unsigned log_level = LOG_INFO;
BOOT_CHOICE(log, log_level, "how much the kernel says", "error", "warn", "info", "debug");

static const char *prefix = "";

void
log_set_prefix(const char *new_prefix)
{
    prefix = new_prefix;
}

static bool
log_is_shown(enum log_level level)
{
    return level <= log_level || level == LOG_REPORT;
}

/* Debugging lines are many: they are kept only while they are shown. */
static bool
log_is_kept(enum log_level level)
{
    return level != LOG_DEBUG || log_is_shown(level);
}

void
log_line(enum log_level level, const char *fmt, ...)
{
    static const char *const names[] = {"error: ", "warning: ", "", "", ""};
    static const u8 priorities[] = {3, 4, 6, 7, 5};     /* Linux's */
    static const char line_end[] = "\r\n";
    char line[LINE_BYTES];
    const usize room = sizeof(line) - sizeof(line_end) + 1;
    va_list arguments;
    usize length;

    if (!log_is_kept(level))
        return;
    length = (usize)format(line, room, "%s%s", prefix, names[level]);
    va_start(arguments, fmt);
    length += (usize)vformat(line + length, room - length, fmt, arguments);
    va_end(arguments);
    if (length > room - 1)
        length = room - 1;
    log_buffer_add(priorities[level], line, length);
    memcpy(line + length, line_end, sizeof(line_end) - 1);
    if (log_is_shown(level))
        console_write(line, length + sizeof(line_end) - 1);
}
