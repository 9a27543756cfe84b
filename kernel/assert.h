/*
 * assert(expression): an invariant of the kernel. Always on; a false one is a panic that names the expression, the file
 * and the line. On a host (unit tests) it is the C library's.
 */
#pragma once

#if __STDC_HOSTED__

#include <assert.h>

#else

#define assert(expression) \
    ((expression) ? (void)0 : assertion_failed(#expression, __FILE__, __LINE__))

#define static_assert _Static_assert

/* Panics. Only for assert(). */
void assertion_failed(const char *expression, const char *file, int line) __attribute__((noreturn, cold));

#endif
