/*
 * Ends and memory.
 */
#include "tools/pagesim/common.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALLEST_ARRAY 256u

void
die(const char *format, ...)
{
    va_list arguments;

    fflush(stdout);
    fputs("pagesim: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(EXIT_ERROR);
}

void *
allocate(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);

    if (!memory)
        die("no memory for %zu times %zu bytes", count, size);
    return memory;
}

void *
grow(void *array, size_t *capacity, size_t wanted, size_t size)
{
    size_t new = *capacity * 2;

    if (wanted <= *capacity)
        return array;
    if (new < wanted)
        new = wanted;
    if (new < SMALLEST_ARRAY)
        new = SMALLEST_ARRAY;
    array = realloc(array, new * size);
    if (!array)
        die("no memory for %zu times %zu bytes", new, size);
    memset((char *)array + *capacity * size, 0, (new - *capacity) * size);
    *capacity = new;
    return array;
}
