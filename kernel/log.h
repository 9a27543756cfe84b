/*
 * The kernel's log: one call, one line on the console, if its level is let through by log= (default info), and one in
 * memory (log_buffer.h). The newline is added. From anywhere, also from interrupt handlers; does not sleep. Long lines
 * are cut.
 */
#pragma once

#include "kernel/console.h"
#include "kernel/types.h"

/* The first four as log= names them; a report is always shown. */
enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_REPORT };

/* The most detailed level shown: an enum log_level (log=). */
extern unsigned log_level;

void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Put before every line from now on: "# " keeps the log out of the way of a test report. The string must stay. */
void log_set_prefix(const char *prefix);

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_report(...) log_line(LOG_REPORT, __VA_ARGS__)
