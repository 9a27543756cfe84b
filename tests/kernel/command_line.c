/* The boot command line, on switches of its own. */
#include "kernel/command_line.h"

#include "kernel/lib/string.h"
#include "kernel/printk.h"
#include "kernel/selftest.h"

static unsigned choice;
static u32 number;
static u64 size;
static const char *text;
static const char *flag;

BOOT_CHOICE(test.choice, choice, "for the tests of the command line", "red", "green", "blue");
BOOT_NUMBER(test.number, number, 10, 20, "for the tests of the command line");
BOOT_SIZE(test.size, size, "for the tests of the command line");
BOOT_TEXT(test.text, text, "for the tests of the command line");
BOOT_FLAG_TEXT(test.flag, flag, "for the tests of the command line", "alone");

/* Applies a line without the complaints being shown. The line must stay: texts point into it. */
static void
apply(char *line)
{
    unsigned level = log_level;

    log_level = LOG_ERROR;
    command_line_apply(line);
    log_level = level;
}

SELFTEST(command_line, values, "each kind of switch takes its values")
{
    static char line[] = "test.choice=blue test.number=15 test.size=3M  test.text=hello test.flag=given";

    apply(line);
    check_equal(choice, 2);
    check_equal(number, 15);
    check_equal(size, 3 << 20);
    check_text(text, "hello");
    check_text(flag, "given");
}

SELFTEST(command_line, flag_alone, "a switch that may stand alone has its own value then")
{
    static char line[] = "test.flag";

    apply(line);
    check_text(flag, "alone");
}

SELFTEST(command_line, sizes, "sizes know K, M and G in both cases, and hexadecimal")
{
    static char kilo[] = "test.size=2k", giga[] = "test.size=5G", plain[] = "test.size=0x1000";

    apply(kilo);
    check_equal(size, 2048);
    apply(giga);
    check_equal(size, 5ll << 30);
    apply(plain);
    check_equal(size, 4096);
}

SELFTEST(command_line, bad_values, "an impossible value is ignored")
{
    static char line[] = "test.choice=black test.number=9 test.number=21 test.number=1x test.size=1T test.size=-1 test.size=99999999999G "
                         "test.size= test.choice test.choice= no.such.switch=1";

    choice = 1;
    number = 12;
    size = 77;
    apply(line);
    check_equal(choice, 1);
    check_equal(number, 12);
    check_equal(size, 77);
}

SELFTEST(command_line, quotes, "quotes keep blanks together, of either kind, also within a word")
{
    static char line[] = "  sh -c 'echo \"a  b\"' name=\"x y\"z   ";
    char *cursor = line;

    check_text(command_line_word(&cursor), "sh");
    check_text(command_line_word(&cursor), "-c");
    check_text(command_line_word(&cursor), "echo \"a  b\"");
    check_text(command_line_word(&cursor), "name=x yz");
    check_true(command_line_word(&cursor) == NULL);
    check_true(command_line_word(&cursor) == NULL);
}

SELFTEST(command_line, whole_text, "the line is kept as it was given")
{
    check_true(strstr(command_line_text(), "selftest") != NULL);
}
