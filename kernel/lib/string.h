/*
 * Memory and strings: the part of C's <string.h> that the kernel uses, with C's meanings. On a host it is the C
 * library's.
 */
#pragma once

#include "kernel/types.h"

#if __STDC_HOSTED__

#include <string.h>

#else

void *memcpy(void *to, const void *from, usize bytes);
void *memmove(void *to, const void *from, usize bytes);
void *memset(void *to, int byte, usize bytes);
int memcmp(const void *left, const void *right, usize bytes);
void *memchr(const void *memory, int byte, usize bytes);

usize strlen(const char *text);
usize strnlen(const char *text, usize limit);
int strcmp(const char *left, const char *right);
int strncmp(const char *left, const char *right, usize limit);
char *strchr(const char *text, int character);
char *strrchr(const char *text, int character);
char *strstr(const char *text, const char *part);

#endif

/* Copies `from` into to[size] with its final zero, cut where needed; size > 0. Returns false if it was cut. */
bool string_copy(char *to, const char *from, usize size);

/* Whether all of `text` matches `pattern`, in which * stands for any characters and ? for one. */
bool string_matches(const char *text, const char *pattern);

/*
 * Reads an unsigned number, decimal or 0x hexadecimal, from *text and moves *text behind it. False: no digit, or above
 * 2^64 - 1.
 */
bool string_read_number(const char **text, u64 *number);
