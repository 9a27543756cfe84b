/*
 * Tests inside the kernel. tests/kernel/NAME.c holds tests of this form:
 *
 *     SELFTEST(anon, split_copies_contents, "a split anon has the same bytes and a reference of its own")
 *     {
 *         check_equal(anon_reference_count(anon), 1);
 *     }
 *
 * selftest[=GLOB] on the command line runs those whose suite.name matches, in an order shuffled by seed=, as KTAP on
 * the console, and ends with exit code 33 if all passed. They run in the boot thread, so they may sleep and allocate.
 */
#pragma once

#include "kernel/types.h"

struct selftest {
    const char *suite;
    const char *name;
    const char *rule;
    void (*run)(void);
};

#define SELFTEST(test_suite, test_name, guarded_rule)                                                       \
    static void test_suite##_##test_name##_test(void);                                                      \
    static const struct selftest test_suite##_##test_name##_entry                                           \
        __attribute__((section(".selftests"), used, aligned(__alignof__(void *)))) = {                      \
            #test_suite, #test_name, guarded_rule, test_suite##_##test_name##_test};                        \
    static void test_suite##_##test_name##_test(void)

/*
 * Ends the test as failed if the expression is false. Only in functions that return nothing; in others use
 * selftest_expect.
 */
#define check_true(expression)                                                    \
    do {                                                                          \
        if (!selftest_expect((expression), #expression, __FILE__, __LINE__))      \
            return;                                                               \
    } while (0)

/* Ends the test as failed, showing both numbers, if they differ. */
#define check_equal(left, right)                                                                                     \
    do {                                                                                                             \
        if (!selftest_expect_equal((s64)(left), (s64)(right), #left " == " #right, __FILE__, __LINE__))              \
            return;                                                                                                  \
    } while (0)

/* Ends the test as failed, showing both texts, if they differ. */
#define check_text(left, right)                                                                          \
    do {                                                                                                 \
        if (!selftest_expect_text((left), (right), #left " == " #right, __FILE__, __LINE__))             \
            return;                                                                                      \
    } while (0)

/* Each returns whether it held; if not, the running test has failed and goes on as its function sees fit. */
bool selftest_expect(bool held, const char *expression, const char *file, int line);
bool selftest_expect_equal(s64 left, s64 right, const char *expression, const char *file, int line);
bool selftest_expect_text(const char *left, const char *right, const char *expression, const char *file, int line);

/* Whether the command line asks for tests. */
bool selftest_wanted(void);

/* Runs the tests asked for and powers off. */
void selftest_run(void) __attribute__((noreturn));

/* `verify` runs after every test and returns NULL or what is wrong, which fails the test (mm's check_run). */
void selftest_after_each(const char *(*verify)(void));
