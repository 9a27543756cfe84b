/*
 * How the programs in user/ tell what they see: a few sentences, the counters
 * before and after, and after each step what theory says of it. A program ends
 * with story_end(), whose value is its exit status: 0 only if everything was as
 * theory says.
 *
 *     story_begin("cow", "Copy on write: ...");
 *     story_tell("The parent writes %d pages, and forks.", pages);
 *     story_count();
 *     ... what is to be seen ...
 *     story_counted();
 *     expect_counter("fault_cow_copy", pages, pages, "each written page is copied");
 *     return story_end();
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define NO_LIMIT (1LL << 62)

/* Starts a story: prints its title and one paragraph saying what will be seen. */
void story_begin(const char *name, const char *summary);

/* Prints a paragraph, formatted as by printf and filled to the width of the screen. */
__attribute__((format(printf, 1, 2))) void story_tell(const char *format, ...);

/* For a program that is called with no arguments, or with `allowed` alone if that is not NULL. Any other is named,
 * together with what is allowed, and ends the program with status 2. Returns whether the allowed one was given. */
bool story_argument(int count, char **arguments, const char *allowed);

/* Whether this process may have so many frames. If not, that is noted as what keeps the rest from being seen. */
bool story_may_have(long frames);

/* Takes the counters of this process and of the system: what follows is counted. */
void story_count(void);

/* Takes them again and prints what changed: the faults of this process, and what the system did meanwhile. */
void story_counted(void);

/* The same without printing. */
void story_counted_silently(void);

/*
 * How far a counter went between the last story_count and story_counted: a fault counter that of this
 * process, any other that of the system. COUNTER_MISSING (counters.h) where the kernel does not count it.
 */
long long story_counter(const char *name);

/* Notes whether `condition` held, and prints the theory, formatted as by printf. Returns the condition. */
__attribute__((format(printf, 2, 3))) bool expect(bool condition, const char *theory, ...);

/*
 * Expects that a counter went up by at least `least` and at most `most`. Where the
 * kernel does not count such things (Linux), the expectation is skipped.
 */
void expect_counter(const char *name, long long least, long long most, const char *theory);

/* Notes that something cannot be seen here, and why. That is no failure. */
__attribute__((format(printf, 1, 2))) void story_skip(const char *why, ...);

/*
 * Whether page-table entries vanish by themselves (chaos=, accessed=software), so that counts of pages
 * that are mapped again have no upper bound.
 */
bool story_entries_vanish(void);

/* fork(2) with nothing left in the output buffer. What the child expects counts as if the parent had. */
pid_t story_fork(void);

/* Ends a child of story_fork. */
_Noreturn void story_leave(void);

/* Waits for such a child. That it was killed, or failed, is against the theory; `who` says which one it was. */
void story_await(pid_t child, const char *who);

/* Prints the summary; the value is the program's exit status. */
int story_end(void);

/* `pages` fresh pages of private anonymous memory that touch nothing around them; ends the program where there is no
 * room. */
char *pages_map(size_t pages);

/* Writes, or reads, one byte in each of `pages` pages. */
void pages_write(char *base, size_t pages, char value);
void pages_read(const char *base, size_t pages);

/* Whether the first byte of each page is `value`. */
bool pages_hold(const char *base, size_t pages, char value);
