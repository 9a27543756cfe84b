/*
 * Running test cases, each in a process of its own; and what mm calls of the rest of the kernel.
 */
#include "tests/host/host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "boot/info.h"
#include "drivers/timer.h"
#include "kernel/assert.h"
#include "kernel/command_line.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/scheduler.h"
#include "kernel/wait.h"

#define STATUS_FAILED 1
#define STATUS_ASSERTED 77

/* Longest message of a panic that is shown. */
#define PANIC_BYTES 200

struct random host_random;
u32 command_line_seed;
u64 scheduler_switches;
void (*host_on_sleep)(void);
static const char *expected_panic;      /* of the case that runs; NULL: none */
u32 host_wakes;

/* The linker's bounds of the section that kernel/command_line.h (the stub) fills. */
extern const struct host_switch __start_host_switch_table[], __stop_host_switch_table[];

/* ---- Cases ------------------------------------------------------------- */

int
host_start(void **state)
{
    const char *seed = getenv("SEED");

    (void)state;
    command_line_seed = seed ? (u32)strtoul(seed, NULL, 0) : (u32)time(NULL) ^ (u32)getpid();
    printf("# SEED=%u\n", command_line_seed);
    return 0;
}

void
host_run_case(void **state)
{
    const struct host_case *test = *state;
    int status, expected = test->asserts || test->panics ? STATUS_ASSERTED : 0;
    pid_t child;

    fflush(NULL);
    child = fork();
    if (child == 0) {
        random_seed(&host_random, command_line_seed);
        host_switches(test->switches);
        expected_panic = test->panics;
        test->run();
        fflush(NULL);
        exit(0);
    }
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != expected)
        printf("# reproduce with SEED=%u\n", command_line_seed);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), expected);
}

void
host_failed(const char *expression, const char *file, int line)
{
    printf("# %s:%d: %s does not hold\n", file, line, expression);
    fflush(NULL);
    _exit(STATUS_FAILED);
}

void
host_check_equal(long long left, long long right, const char *expression, const char *file, int line)
{
    if (left == right)
        return;
    printf("# %lld and %lld\n", left, right);
    host_failed(expression, file, line);
}

void
host_check_sound(const char *complaint, const char *expression, const char *file, int line)
{
    if (!complaint)
        return;
    printf("# %s\n", complaint);
    host_failed(expression, file, line);
}

/* ---- Switches ---------------------------------------------------------- */

static void
switch_set(const struct host_switch *which, const char *value)
{
    u64 number = strtoull(value, NULL, 0);

    for (u32 i = 0; i < which->choice_count; i++)
        if (strcmp(which->choices[i], value) == 0)
            number = i;
    memcpy(which->variable, &number, which->bytes);
}

void
host_switches(const char *text)
{
    char *copy = strdup(text), *place = copy, *word;

    while ((word = strsep(&place, " "))) {
        char *value = strchr(word, '=');
        bool known = !value;

        if (value)
            *value++ = '\0';
        for (const struct host_switch *which = __start_host_switch_table; value && which < __stop_host_switch_table; which++)
            if (strcmp(which->name, word) == 0) {
                switch_set(which, value);
                known = true;
            }
        if (!known)
            host_failed(word, "no such switch", 0);
    }
    free(copy);
}

/* A switch of the harness itself, so that the section is never empty. */
static unsigned host_verbose;
BOOT_NUMBER(verbose, host_verbose, 0, 1, "mm's log on standard output");

/* ---- The kernel around mm ---------------------------------------------- */

void
host_assertion_failed(const char *expression, const char *file, int line)
{
    printf("# %s:%d: assertion failed: %s\n", file, line, expression);
    fflush(NULL);
    _exit(STATUS_ASSERTED);
}

void
panic(const char *fmt, ...)
{
    char text[PANIC_BYTES];
    va_list arguments;

    va_start(arguments, fmt);
    vsnprintf(text, sizeof(text), fmt, arguments);
    printf("# panic: %s\n", text);
    fflush(NULL);
    _exit(expected_panic && strstr(text, expected_panic) ? STATUS_ASSERTED : STATUS_FAILED);
}

void
boot_refuse(const char *fmt, ...)
{
    panic("boot refused: %s", fmt);
}

void
log_line(enum log_level level, const char *fmt, ...)
{
    (void)level;
    (void)fmt;
}

static void
sleep_once(void)
{
    if (!host_on_sleep)
        host_failed("nobody sleeps here", "wait", 0);
    scheduler_switches++;
    host_on_sleep();
}

void
wait_sleep(struct wait_queue *queue)
{
    (void)queue;
    sleep_once();
}

void
wait_wake_all(struct wait_queue *queue)
{
    (void)queue;
    host_wakes++;
}

int
wait_uninterruptible_timeout(struct wait_queue *queue, u64 deadline)
{
    (void)queue;
    (void)deadline;
    sleep_once();
    return -ETIMEDOUT;
}

/* Time stands still here; tests of policies have a clock of their own. */
u64
timer_ticks(void)
{
    return 0;
}

u64
timer_nanoseconds(void)
{
    return 0;
}

u64
timer_tick_nanoseconds(void)
{
    return timer_nanoseconds();
}
