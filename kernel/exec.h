/*
 * exec: give the current process a new program. The new address space is built completely before anything of the old is touched, so
 * every failure leaves the caller as it was. No page of the program is read but its header: text and data are regions on the
 * file's object, and running faults them in.
 */
#pragma once

#include "kernel/types.h"

struct exec_strings;

/*
 * Run the program (or #! script) at `path`, relative to the current directory, with these strings. On success the
 * current thread's trap frame holds the new program's start; 0 or a negative errno. Sleeps.
 */
int exec_run(const char *path, struct exec_strings *strings);

/* The same for the first program, whose strings are the kernel's: NULL-terminated arrays. */
int exec_run_kernel(const char *path, const char *const *arguments, const char *const *environment);
