/*
 * On the host: a false assertion ends the process of the test case with its own status, so that a test can ask for it.
 */
#pragma once

#define assert(expression) ((expression) ? (void)0 : host_assertion_failed(#expression, __FILE__, __LINE__))

#ifndef static_assert
#define static_assert _Static_assert
#endif

void host_assertion_failed(const char *expression, const char *file, int line) __attribute__((noreturn));
