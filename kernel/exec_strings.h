/*
 * The argument and environment strings of exec, on their way from the old address space (or the kernel) to the
 * new one: one block of bytes, the arguments first, each string with its terminator.
 */
#pragma once

#include "kernel/types.h"

struct exec_strings {
    char *data;                    /* kmem_allocate'd; NULL while empty */
    u32 length, capacity;          /* bytes */
    u32 limit;                     /* bytes that strings and pointers may take together */
    u32 stack;                     /* bytes that the strings may take: RLIMIT_STACK, but always a page */
    u32 argument_count, environment_count;
    u32 argument_bytes;            /* part of length that is arguments */
};

/*
 * Copy two NULL-terminated arrays of strings from user memory (address 0: an empty array). 0, -EFAULT, -ENOMEM,
 * or -E2BIG beyond Linux's limits: 128 KiB for a string, a quarter of RLIMIT_STACK for all, though never less than
 * 128 KiB, and RLIMIT_STACK itself. Release in any case.
 */
int exec_strings_copy_in(struct exec_strings *strings, u32 arguments, u32 environment);

/* The same from kernel memory. */
int exec_strings_copy(struct exec_strings *strings, const char *const *arguments, const char *const *environment);

/*
 * For #! scripts: the first argument is replaced by interpreter, option (NULL: none) and script. 0, -ENOMEM or
 * -E2BIG.
 */
int exec_strings_interpret(struct exec_strings *strings, const char *interpreter, const char *option,
                           const char *script);

/* Frees the memory. Also after an error, and more than once. */
void exec_strings_release(struct exec_strings *strings);
