/* The strings of exec, on their way from one address space to the next. */
#include "kernel/exec_strings.h"
#include "kernel/lib/string.h"
#include "kernel/selftest.h"

#include <asm/errno.h>

SELFTEST(exec, strings_lie_side_by_side, "arguments and environment are counted, and each keeps its terminator")
{
    static const char *const arguments[] = {"program", "-x", NULL};
    static const char *const environment[] = {"A=1", NULL};
    static const char expected[] = "program\0-x\0A=1";
    struct exec_strings strings;

    check_equal(exec_strings_copy(&strings, arguments, environment), 0);
    check_equal(strings.argument_count, 2);
    check_equal(strings.environment_count, 1);
    check_equal(strings.length, sizeof(expected));
    check_equal(strings.argument_bytes, sizeof("program\0-x"));
    check_equal(memcmp(strings.data, expected, sizeof(expected)), 0);
    exec_strings_release(&strings);
}

SELFTEST(exec, no_arguments_become_an_empty_one, "a program always has an argument 0")
{
    static const char *const none[] = {NULL};
    struct exec_strings strings;

    check_equal(exec_strings_copy(&strings, none, none), 0);
    check_equal(strings.argument_count, 1);
    check_text(strings.data, "");
    exec_strings_release(&strings);
}

SELFTEST(exec, script_arguments, "for a script, interpreter, option and path take the place of argument 0")
{
    static const char *const arguments[] = {"old", "one", NULL};
    static const char *const environment[] = {"A=1", NULL};
    static const char expected[] = "/bin/sh\0-e\0/tmp/script\0one\0A=1";
    struct exec_strings strings;

    check_equal(exec_strings_copy(&strings, arguments, environment), 0);
    check_equal(exec_strings_interpret(&strings, "/bin/sh", "-e", "/tmp/script"), 0);
    check_equal(strings.argument_count, 4);
    check_equal(strings.length, sizeof(expected));
    check_equal(strings.argument_bytes, sizeof("/bin/sh\0-e\0/tmp/script\0one"));
    check_equal(memcmp(strings.data, expected, sizeof(expected)), 0);
    exec_strings_release(&strings);
}

SELFTEST(exec, too_many_strings, "strings beyond the limit are refused")
{
    static const char *const environment[] = {NULL};
    static char text[64 << 10];
    static const char *const arguments[] = {text, text, text, NULL};
    struct exec_strings strings;

    memset(text, 'x', sizeof(text) - 1);
    check_equal(exec_strings_copy(&strings, arguments, environment), 0);
    strings.limit = 2 * sizeof(text);
    check_equal(exec_strings_interpret(&strings, text, NULL, text), -E2BIG);
    exec_strings_release(&strings);
}
