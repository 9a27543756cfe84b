/*
 * Children that share memory, by the system call itself. The C library's clone refuses the flags of threads (musl does
 * since 1.2.5), for it knows nothing of threads that it has not made: these have its creator's errno and all its
 * thread-local storage.
 */
#pragma once

/*
 * A child with these CLONE_* flags and the signal at its end, which runs body(NULL) on the stack that ends at `top`, and
 * then ends with its result. `word` is for CLONE_CHILD_SETTID and CLONE_CHILD_CLEARTID. Its number, or -errno.
 */
int clone_bare(int (*body)(void *), char *top, int flags, volatile int *word);
