/*
 * Unit tests on the host. Each case runs in a process of its own, so that mm's static state begins anew, with the switches that it
 * names; cmocka counts and reports them.
 *
 *     static void
 *     grows_downwards(void)
 *     {
 *         check(region_grow(...));
 *     }
 *
 *     int main(void) { const struct CMUnitTest tests[] = {HOST_CASE(grows_downwards, "paging=pae")}; return host_run(tests); }
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kernel/lib/random.h"
#include "kernel/types.h"

struct host_case {
    void (*run)(void);
    const char *switches;
    bool asserts;           /* must end in a false assertion */
    const char *panics;     /* must end in a panic that says this; NULL: in none */
};

#define HOST_CASE(function, switch_text)                                       \
    {#function " [" switch_text "]", host_run_case, NULL, NULL, &(struct host_case){function, switch_text, false, NULL}}

/* A case that breaks a contract: an assertion must say so. */
#define HOST_ASSERTS(function)                                                 \
    {#function " [asserts]", host_run_case, NULL, NULL, &(struct host_case){function, "", true, NULL}}

/* A case that ends in a panic whose message contains the text. */
#define HOST_PANICS(function, text)                                            \
    {#function " [panics]", host_run_case, NULL, NULL, &(struct host_case){function, "", false, text}}

#define HOST_BOTH(function) HOST_CASE(function, "paging=2level"), HOST_CASE(function, "paging=pae")

#define host_run(tests) cmocka_run_group_tests(tests, host_start, NULL)

void host_run_case(void **state);
int host_start(void **state);

/* Ends the case as failed if the expression is false. */
#define check(expression) ((expression) ? (void)0 : host_failed(#expression, __FILE__, __LINE__))
#define check_equal(left, right) \
    host_check_equal((long long)(left), (long long)(right), #left " == " #right, __FILE__, __LINE__)

/* NULL is right; any text is a complaint. */
#define check_sound(complaint) host_check_sound((complaint), #complaint, __FILE__, __LINE__)

void host_failed(const char *expression, const char *file, int line) __attribute__((noreturn));
void host_check_equal(long long left, long long right, const char *expression, const char *file, int line);
void host_check_sound(const char *complaint, const char *expression, const char *file, int line);

/* Sets mm's switches from "name=value name=value". */
void host_switches(const char *text);

/* Random numbers that SEED= (printed) repeats. */
extern struct random host_random;

static inline u32
host_below(u32 limit)
{
    return random_below(&host_random, limit);
}

/* Kernel memory: this many more allocations succeed, then all fail. Frames are not counted. */
#define HOST_UNLIMITED UINT32_MAX
extern u32 host_allocations_left;
bool host_may_allocate(void);

/* Objects and memory given out and not given back. */
extern u32 host_objects;

/* Called whenever mm sleeps; without one, sleeping fails the case. */
extern void (*host_on_sleep)(void);

/* How often mm has woken who waits. */
extern u32 host_wakes;

/* A device of so many bytes in memory. Each transfer calls before_transfer, if there is one: then it sleeps. */
struct host_device;
struct block_device *host_device_create(u64 bytes);
extern void (*host_before_transfer)(void);
extern bool host_device_fails;
