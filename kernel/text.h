/*
 * Text that grows: what /proc writes its contents into, and what paths are put together in.
 *
 * A buffer whose memory ran out remembers that in `failed` and ignores what is printed afterwards, so that a
 * writer prints all it has and the one who reads the buffer asks once.
 */
#pragma once

#include "kernel/types.h"

struct text_buffer {
    char *data;     /* kmem_allocate'd, ended by a NUL that length does not count; NULL while empty */
    usize length;   /* bytes of text */
    usize capacity; /* bytes allocated */
    bool failed;    /* memory ran out: what stands here is not the whole text */
};

/* Appends formatted text (kernel/lib/format.h has the conversions). Never sleeps. */
void text_print(struct text_buffer *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends bytes as they are, which may be NULs. Never sleeps. */
void text_append(struct text_buffer *text, const void *data, usize length);

/* Puts bytes before everything that is there: paths are found from their end. Never sleeps. */
void text_prepend(struct text_buffer *text, const char *data, usize length);

/* Frees the memory; the buffer is empty again and may be used again. */
void text_free(struct text_buffer *text);
