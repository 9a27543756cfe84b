/* Settings of /proc/sys/vm: a good value takes effect, any other is refused and changes nothing. */
#include "kernel/proc_setting.h"

#include <asm/errno.h>

#include "kernel/command_line.h"
#include "kernel/lib/string.h"
#include "kernel/printk.h"
#include "kernel/selftest.h"
#include "mm/prefetch.h"

static u32 applied;
static int apply_result;

static int
apply(void)
{
    applied++;
    return apply_result;
}

static const struct proc_setting setting = {"prefetch", apply};

/* Writes a text to the setting, without a complaint being shown. */
static s32
write(const char *text)
{
    struct transfer transfer = transfer_kernel((void *)text, strlen(text));
    unsigned level = log_level;
    s32 result;

    log_level = LOG_ERROR;
    result = proc_setting_write(&setting, &transfer);
    log_level = level;
    return result;
}

SELFTEST(setting, values_are_taken_or_refused, "a number within the limits is set, with a newline or not; anything else is -EINVAL and sets nothing")
{
    static const char *const bad[] = {"", "\n", " 3", "3 ", "3\n\n", "-1", "65", "4294967297", "many", "3\n4",
                                      "0000000000000000000000000000000000000000000000000000000000000000000000000000001"};
    u32 before = prefetch_pages;

    check_equal(write("7\n"), 2);
    check_equal(prefetch_pages, 7);
    check_equal(write("64"), 2);
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
    struct text_buffer text = {0};
    u32 before = prefetch_pages;

    prefetch_pages = 11;
    proc_setting_print(&setting, &text);
    prefetch_pages = before;
    check_text(text.data, "11\n");
    text_free(&text);
}
