/*
 * Calls for which the kernel has no memory. Each row's call is made with the 1st, 2nd, 3rd ... allocation failing
 * (failslab=), until it comes through without one that fails. What fails must say so with the right error, and have
 * changed nothing and kept nothing; what succeeds all the same must have done what it does otherwise.
 *
 *     static const struct failing rows[] = {
 *         { .what = "pipe", .call = call_pipe, .clean = close_pipe },
 *     };
 *     failing_check(rows, sizeof rows / sizeof *rows);
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct failing {
    const char *what;
    void (*prepare)(void);  /* what the call needs; or NULL */
    long (*call)(void);     /* -1 with errno, or a success */
    void (*clean)(void);    /* undoes what prepare did, and the call if it did anything; or NULL */
    int error;              /* that it may fail with besides ENOMEM; or 0 */
    bool in_child;          /* the call is made in a child, which may be killed instead ... */
    unsigned comes_through; /* ... but not if only every so manieth allocation fails, or fewer; 0: always */
    bool partial;           /* a success may be one in part */
};

/* The directory for files of the rows; empty before and after each. */
#define FAILING_DIRECTORY "/tmp/failing"

/* Makes a file of zeroes of up to FAILING_FILE_MAXIMUM bytes there, and opens it. */
#define FAILING_FILE_MAXIMUM 8192u
int failing_make_file(const char *path, size_t bytes);

/* Closes those of two descriptors that are open, and forgets them: -1. */
void failing_close(int *pair);

/* Runs all rows: a check for each. */
void failing_check(const struct failing *rows, size_t count);

/* Allocations fail again from now on as they did when the call began, or not at all: for a call that needs a moment
 * before it begins in earnest. In a program that a row has executed, the second only. */
void failing_begin(void);
void failing_end(void);
