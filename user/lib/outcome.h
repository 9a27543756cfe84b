/*
 * What came of a call, in words that are the same on every kernel: programs in
 * tests/linux/ print it, and what Linux printed is compared with what Belady prints.
 *
 *     outcome(open("/nowhere", O_RDONLY), "open a file that is not there");
 *
 *         open a file that is not there: ENOENT
 *
 * Each line leaves the buffer at once, so that parents and children may print in turns.
 */
#pragma once

#include <stdint.h>

/* Prints `what`, formatted as by printf, with the result of a system call: its value, or the name of errno if it is -1.
 * Returns the result. */
__attribute__((format(printf, 2, 3))) long outcome(long result, const char *what, ...);

/* The same for a pointer, of which only is told whether it is one: "done", or the name of errno for MAP_FAILED. Returns
 * the pointer. */
__attribute__((format(printf, 2, 3))) void *outcome_pointer(void *result, const char *what, ...);

/* Four words in memory, for calls that want a structure of such; they may be overwritten by the next call. */
void *four_words(uint32_t first, uint32_t second, uint32_t third, uint32_t fourth);

/* Prints a line, formatted as by printf. */
__attribute__((format(printf, 1, 2))) void tell(const char *line, ...);

/* A number's name: "ENOENT", "SIGHUP", or the number itself. The text may be overwritten by the next call. */
const char *error_name(int error);
const char *signal_name(int signal);

/* A status of wait's in words: "exited 3", "killed by SIGKILL", "stopped by SIGTSTP", "continued". It may be overwritten
 * by the next call. */
const char *status_text(int status);

/* Runs `body` in a child, and prints how the child ended; a body that returns exits with status 0. */
__attribute__((format(printf, 2, 3))) void outcome_of_child(void (*body)(void), const char *what, ...);
