/* Settings of /proc/sys/vm: a good value takes effect, any other is refused and changes nothing. */
#include "kernel/proc_setting.h"

#include <asm/errno.h>

#include "kernel/command_line.h"
#include "kernel/lib/string.h"
#include "kernel/log.h"
#include "kernel/selftest.h"
#include "mm/pool.h"
#include "mm/prefetch.h"
#include "mm/reclaim.h"

static u32 applied;
static int apply_result;

static int
apply(void)
{
    applied++;
    return apply_result;
}

static const struct proc_setting setting = {"prefetch", apply, false};
static const struct proc_setting toggle = {"explain", NULL, true};
static const struct proc_setting policy = {"policy", reclaim_switch_policy, false};

/* Writes a text to a setting, without a complaint being shown. */
static s32
write_to(const struct proc_setting *target, const char *text)
{
    struct transfer transfer = transfer_kernel((void *)text, strlen(text));
    unsigned level = log_level;
    s32 result;

    log_level = LOG_ERROR;
    result = proc_setting_write(target, &transfer);
    log_level = level;
    return result;
}

static s32
write(const char *text)
{
    return write_to(&setting, text);
}

/* Whether reading a setting shows this. */
static bool
shows(const struct proc_setting *target, const char *wanted)
{
    struct text_buffer text = {0};
    bool same;

    proc_setting_print(target, &text);
    same = text.data && strcmp(text.data, wanted) == 0;
    text_free(&text);
    return same;
}

SELFTEST(setting, values_are_taken_or_refused, "a number within the limits is set, the first word of what is written; anything else is -EINVAL and sets nothing")
{
    static const char *const bad[] = {"", "\n", "-1", "65", "4294967297", "many", "3x",
                                      "0000000000000000000000000000000000000000000000000000000000000000000000000000001"};
    u32 before = prefetch_pages;

    check_equal(write("7\n"), 2);
    check_equal(prefetch_pages, 7);
    check_equal(write("64"), 2);
    check_equal(prefetch_pages, 64);
    check_equal(write(" 5 6\n"), 3);
    check_equal(prefetch_pages, 5);
    check_equal(write("64\n\n"), 4);
    check_equal(prefetch_pages, 64);
    check_equal(write(""), 0);
    for (u32 i = 1; i < ARRAY_SIZE(bad); i++) {
        check_equal(write(bad[i]), -EINVAL);
        check_equal(prefetch_pages, 64);
    }
    prefetch_pages = before;
}

SELFTEST(setting, what_cannot_be_applied_is_undone, "a value that apply refuses is put back, and its error is the write's")
{
    u32 before = prefetch_pages;

    applied = 0;
    check_equal(write("3"), 1);
    check_equal(applied, 1);
    apply_result = -ENOMEM;
    check_equal(write("5"), -ENOMEM);
    apply_result = 0;
    check_equal(applied, 2);
    check_equal(prefetch_pages, 3);
    check_equal(write("x"), -EINVAL);
    check_equal(applied, 2);
    prefetch_pages = before;
}

SELFTEST(setting, is_printed_as_it_is, "reading shows the value in force and a newline")
{
    u32 before = prefetch_pages;

    prefetch_pages = 11;
    check_true(shows(&setting, "11\n"));
    prefetch_pages = before;
}

SELFTEST(setting, toggle_is_a_number, "what is off or on is 0 or 1 in /proc, and nothing else")
{
    unsigned before = reclaim_explain;

    check_equal(write_to(&toggle, "1\n"), 2);
    check_equal(reclaim_explain, 1);
    check_true(shows(&toggle, "1\n"));
    check_equal(write_to(&toggle, "2"), -EINVAL);
    check_equal(write_to(&toggle, "01"), -EINVAL);
    check_equal(reclaim_explain, 1);
    check_equal(write_to(&toggle, "0"), 1);
    check_equal(reclaim_explain, 0);
    check_true(shows(&toggle, "0\n"));
    reclaim_explain = before;
}

SELFTEST(setting, policy_is_switched, "a name written to policy is the policy in force, and is what reading shows; a wrong one changes nothing")
{
    const char *before = pool_policy->name;

    check_equal(write_to(&policy, "lfu\n"), 4);
    check_true(pool_policy == &policy_lfu);
    check_true(shows(&policy, "lfu\n"));
    check_equal(write_to(&policy, "lifo\n"), -EINVAL);
    check_equal(write_to(&policy, "LFU"), -EINVAL);
    check_equal(write_to(&policy, "fif"), -EINVAL);
    check_true(pool_policy == &policy_lfu);
    check_equal(write_to(&policy, before), strlen(before));
    check_true(pool_policy == policy_find(before));
}
