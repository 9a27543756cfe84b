/*
 * Runs the tests that the linker gathered, in a random order that the seed fixes, and reports them as KTAP. The order
 * is kept as an array of numbers, since the tests themselves lie in read-only memory.
 */
#include "kernel/selftest.h"

#include "kernel/command_line.h"
#include "kernel/lib/format.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/log.h"
#include "kernel/power.h"
#include "mm/kmem.h"

#define NAME_BYTES 128
#define LINE_BYTES 512

/* Given by linker.ld. */
extern const struct selftest selftests_start[], selftests_end[];

static const char *wanted;
BOOT_FLAG_TEXT(selftest, wanted, "run the tests in the kernel whose suite.name matches, then end", "*");

static const char *(*verify)(void);
static bool failed; /* the running test */

/* One line of the report; always shown, whatever log= says. */
static void __attribute__((format(printf, 1, 2)))
say(const char *fmt, ...)
{
    char line[LINE_BYTES];
    va_list arguments;

    va_start(arguments, fmt);
    vformat(line, sizeof(line), fmt, arguments);
    va_end(arguments);
    console_write(line, strlen(line));
    console_write("\r\n", 2);
}

bool
selftest_expect(bool held, const char *expression, const char *file, int line)
{
    if (!held) {
        say("# %s:%d: %s does not hold", file, line, expression);
        failed = true;
    }
    return held;
}

bool
selftest_expect_equal(s64 left, s64 right, const char *expression, const char *file, int line)
{
    if (left != right) {
        say("# %s:%d: %s does not hold: %lld and %lld", file, line, expression, (long long)left, (long long)right);
        failed = true;
    }
    return left == right;
}

bool
selftest_expect_text(const char *left, const char *right, const char *expression, const char *file, int line)
{
    bool equal = strcmp(left, right) == 0;

    if (!equal) {
        say("# %s:%d: %s does not hold: \"%s\" and \"%s\"", file, line, expression, left, right);
        failed = true;
    }
    return equal;
}

bool
selftest_wanted(void)
{
    return wanted != NULL;
}

void
selftest_after_each(const char *(*new_verify)(void))
{
    verify = new_verify;
}

static void
test_name(const struct selftest *test, char *name)
{
    format(name, NAME_BYTES, "%s.%s", test->suite, test->name);
}

/* Fills order[] with the numbers of the tests wanted, in their random order; returns how many there are. */
static u32
choose_tests(u32 *order)
{
    u32 total = (u32)(selftests_end - selftests_start);
    u32 count = 0;
    struct random random;
    char name[NAME_BYTES];

    for (u32 i = 0; i < total; i++) {
        test_name(&selftests_start[i], name);
        if (string_matches(name, wanted) || string_matches(selftests_start[i].suite, wanted))
            order[count++] = i;
    }
    random_seed(&random, command_line_seed);
    for (u32 i = count; i > 1; i--) {
        u32 other = random_below(&random, i);
        u32 swapped = order[i - 1];

        order[i - 1] = order[other];
        order[other] = swapped;
    }
    return count;
}

/* Runs one test and reports it as number `number`; returns whether it passed. */
static bool
run_test(const struct selftest *test, u32 number)
{
    char name[NAME_BYTES];
    const char *complaint;

    test_name(test, name);
    failed = false;
    test->run();
    complaint = verify != NULL ? verify() : NULL;
    if (complaint != NULL) {
        say("# afterwards: %s", complaint);
        failed = true;
    }
    say("%sok %u %s", failed ? "not " : "", number, name);
    if (failed) {
        say("# it guards: %s", test->rule);
        say("# reproduce: selftest=%s seed=%u; in the same order: selftest=%s seed=%u", name, command_line_seed, wanted,
            command_line_seed);
    }
    return !failed;
}

void
selftest_run(void)
{
    u32 *order = kmem_allocate((usize)(selftests_end - selftests_start) * sizeof(*order));
    u32 count = 0;
    u32 passed = 0;

    log_set_prefix("# ");
    if (order != NULL)
        count = choose_tests(order);
    say("KTAP version 1");
    say("# seed=%u", command_line_seed);
    say("1..%u", count);
    for (u32 i = 0; i < count; i++)
        passed += run_test(&selftests_start[order[i]], i + 1);
    kmem_free(order);
    power_off(count > 0 && passed == count ? 0 : 1);
}
