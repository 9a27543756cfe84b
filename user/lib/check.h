/*
 * Checks of the programs in tests/user/, reported as TAP:
 *
 *     check_that(result == 0, "%s succeeds", name);
 *     return check_end();
 *
 * A forked child's checks are numbered along with its parent's.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* Notes and prints whether `condition` holds; `what`, formatted as by printf, says what was checked. Returns the
 * condition. */
__attribute__((format(printf, 2, 3))) bool check_that(bool condition, const char *what, ...);

/* Whether a call, whose value this is, failed with just this error: check_that(refused(close(-1), EBADF), "..."). */
bool refused(long result, int error);

/* Notes that something cannot be checked here. */
__attribute__((format(printf, 1, 2))) void check_skip(const char *what, ...);

/* Prints a line that explains a result, and is no result itself. */
__attribute__((format(printf, 1, 2))) void check_note(const char *what, ...);

/* Prints the plan; the value is the program's exit status, 0 if all held. */
int check_end(void);

/* fork(2), with nothing left in the output buffer; ends the program where it fails. */
pid_t check_fork(void);

/*
 * The same, but that the parent goes on only when the child has come to check_stand_by, or has ended; and the child's
 * part: lets the parent go on, and waits to be killed.
 */
pid_t check_fork_standing_by(void);
__attribute__((noreturn)) void check_stand_by(void);

/* Waits for `child`: its status as from waitpid, or -1. */
int check_wait(pid_t child);

/* Runs `body` in a child, and returns the child's status; a body that returns exits with status 0. */
int check_child(void (*body)(void));

/* `length` zeroed bytes that forked children share; ends the program where there is no memory. */
void *check_shared(size_t length);
