/* The boot command line. Real switches are set, checked and put back. */
#include "kernel/command_line.h"

#include "kernel/lib/string.h"
#include "kernel/log.h"
#include "kernel/selftest.h"

static const char *wanted_name;
static const struct boot_switch *found;
static char found_value[64];

static void
note_if_wanted(const struct boot_switch *boot_switch, const char *value)
{
    if (strcmp(boot_switch->name, wanted_name) != 0)
        return;
    found = boot_switch;
    string_copy(found_value, value, sizeof(found_value));
}

/* The current value of a switch, as text. */
static const char *
value_of(const char *name)
{
    wanted_name = name;
    command_line_for_each(note_if_wanted);
    return found_value;
}

/* What a switch's variable holds, whatever its kind. */
union variable {
    unsigned choice;
    u32 number;
    u64 size;
    const char *text;
};

static usize
variable_bytes(const struct boot_switch *boot_switch)
{
    return boot_switch->kind == BOOT_SWITCH_SIZE ? sizeof(u64) : sizeof(u32);
}

/* Applies a line without its complaints being shown, and returns the value that the switch has then; it is put back. */
static const char *
apply(const char *name, const char *line)
{
    static char words[256];
    static char result[64];
    unsigned level = log_level;
    union variable before;

    value_of(name);
    memcpy(&before, found->variable, variable_bytes(found));
    string_copy(words, line, sizeof(words));
    log_level = LOG_ERROR;
    command_line_apply(words);
    string_copy(result, value_of(name), sizeof(result));
    log_level = level;
    memcpy(found->variable, &before, variable_bytes(found));
    return result;
}

SELFTEST(command_line, values, "each kind of switch takes its values")
{
    check_text(apply("bug", "bug=stack"), "stack");
    check_text(apply("ramdisk.latency", "ramdisk.latency=15"), "15");
    check_text(apply("mem", "mem=3M"), "3145728");
    check_text(apply("init", "init=/bin/true"), "/bin/true");
    check_text(apply("selftest", "selftest=lib.*"), "lib.*");
}

SELFTEST(command_line, last_wins, "of two values the last one counts")
{
    check_text(apply("bug", "  bug=stack bug=free  "), "free");
}

SELFTEST(command_line, stands_alone, "a switch that may stand alone has its own value then")
{
    check_text(apply("selftest", "selftest"), "*");
}

SELFTEST(command_line, sizes, "sizes know K, M and G in both cases, and hexadecimal")
{
    check_text(apply("mem", "mem=2k"), "2048");
    check_text(apply("mem", "mem=5G"), "5368709120");
    check_text(apply("mem", "mem=0x1000"), "4096");
}

SELFTEST(command_line, bad_values, "an impossible value is ignored")
{
    check_text(apply("bug", "bug=free bug=black bug= bug"), "free");
    check_text(apply("ramdisk.latency", "ramdisk.latency=3 ramdisk.latency=10000001 ramdisk.latency=1x ramdisk.latency=-1"), "3");
    check_text(apply("mem", "mem=7 mem=1T mem=-1 mem=M mem= mem=18446744073709551616 mem=99999999999G no.such.switch=1"), "7");
}

SELFTEST(command_line, quotes, "quotes of either kind keep blanks together, also within a word")
{
    static const char text[] = "  sh -c 'echo \"a  b\"' name=\"x y\"z   ";
    char line[sizeof(text)];
    char *cursor = line;

    memcpy(line, text, sizeof(text));
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
