/*
 * The boot command line. The text is kept twice: once as it was, and once cut into words by zeroes, into which the
 * values of text switches point.
 */
#include "kernel/command_line.h"

#include <asm/errno.h>

#include "kernel/assert.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/log.h"

/* Longest command line. The loader's copy cannot be kept: it lies in memory that is not ours to hold on to. */
#define TEXT_BYTES 4096

/* Longest list of values or switches in a complaint. */
#define LIST_BYTES 1024

#define INIT_SEPARATOR " --"
#define INIT_SEPARATOR_BYTES (sizeof(INIT_SEPARATOR) - 1)

/* Given by linker.ld. */
extern const struct boot_switch boot_switches_start[], boot_switches_end[];

u32 command_line_seed = 1;
BOOT_NUMBER(seed, command_line_seed, 0, UINT32_MAX, "where the kernel's random sequences start");

static char text[TEXT_BYTES];
static char words[TEXT_BYTES];
static const char *init_arguments = "";

static bool
is_blank(char character)
{
    return character == ' ' || character == '\t' || character == '\n' || character == '\r';
}

char *
command_line_word(char **cursor)
{
    char *from = *cursor;
    char *to, *word;
    char quote = '\0';

    while (is_blank(*from))
        from++;
    if (!*from)
        return NULL;
    for (word = to = from; *from && (quote || !is_blank(*from)); from++) {
        if (*from == quote)
            quote = '\0';
        else if (!quote && (*from == '"' || *from == '\''))
            quote = *from;
        else
            *to++ = *from;
    }
    *cursor = *from ? from + 1 : from;
    *to = '\0';
    if (quote)
        log_warn("command line: the quotation mark %c in %s is not closed", quote, word);
    return word;
}

static const struct boot_switch *
find_switch(const char *name)
{
    for (const struct boot_switch *boot_switch = boot_switches_start; boot_switch < boot_switches_end; boot_switch++) {
        if (strcmp(boot_switch->name, name) == 0)
            return boot_switch;
    }
    return NULL;
}

/* Adds " word" to a list, as far as it fits. */
static void
list_add(char *list, const char *word)
{
    usize length = strlen(list);

    format(list + length, LIST_BYTES - length, " %s", word);
}

static void
complain_of_name(const char *name)
{
    char list[LIST_BYTES] = "";

    for (const struct boot_switch *boot_switch = boot_switches_start; boot_switch < boot_switches_end; boot_switch++)
        list_add(list, boot_switch->name);
    log_warn("command line: there is no switch %s; there are:%s", name, list);
}

/* The values that a switch takes, as text. */
static void
list_values(const struct boot_switch *boot_switch, char *list)
{
    list[0] = '\0';
    switch (boot_switch->kind) {
    case BOOT_SWITCH_CHOICE:
        for (u32 i = 0; i < boot_switch->choice_count; i++)
            list_add(list, boot_switch->choices[i]);
        break;
    case BOOT_SWITCH_NUMBER: format(list, LIST_BYTES, " %u to %u", boot_switch->minimum, boot_switch->maximum); break;
    case BOOT_SWITCH_SIZE: format(list, LIST_BYTES, " a number of bytes, K, M or G"); break;
    case BOOT_SWITCH_TEXT: format(list, LIST_BYTES, " a text"); break;
    }
}

static bool
set_choice(const struct boot_switch *boot_switch, const char *value)
{
    for (u32 i = 0; i < boot_switch->choice_count; i++) {
        if (strcmp(boot_switch->choices[i], value) == 0) {
            *(unsigned *)boot_switch->variable = i;
            return true;
        }
    }
    return false;
}

static bool
set_number(const struct boot_switch *boot_switch, const char *value)
{
    u64 number;

    if (!string_read_number(&value, &number) || *value != '\0')
        return false;
    if (number < boot_switch->minimum || number > boot_switch->maximum)
        return false;
    *(u32 *)boot_switch->variable = (u32)number;
    return true;
}

static bool
set_size(const struct boot_switch *boot_switch, const char *value)
{
    static const char suffixes[] = "KMG";
    const char *suffix;
    u64 number;
    u32 shift = 0;

    if (!string_read_number(&value, &number))
        return false;
    if (*value && (suffix = strchr(suffixes, *value & ~('a' - 'A'))) != NULL) {
        shift = 10 * (u32)(suffix - suffixes + 1);
        value++;
    }
    if (*value || number << shift >> shift != number)
        return false;
    *(u64 *)boot_switch->variable = number << shift;
    return true;
}

/* Sets the variable; false if it cannot have that value. value is NULL if the name stood alone. */
static bool
set_switch(const struct boot_switch *boot_switch, const char *value)
{
    if (value == NULL)
        value = boot_switch->bare;
    if (value == NULL)
        return false;
    switch (boot_switch->kind) {
    case BOOT_SWITCH_CHOICE: return set_choice(boot_switch, value);
    case BOOT_SWITCH_NUMBER: return set_number(boot_switch, value);
    case BOOT_SWITCH_SIZE: return set_size(boot_switch, value);
    case BOOT_SWITCH_TEXT: *(const char **)boot_switch->variable = value; return true;
    }
    return false;
}

/* value is NULL if the name stood alone. `where` says who asked. */
static int
apply_switch(const char *where, const char *name, const char *value)
{
    const struct boot_switch *boot_switch = find_switch(name);
    char list[LIST_BYTES];

    if (boot_switch == NULL) {
        complain_of_name(name);
        return -EINVAL;
    }
    if (set_switch(boot_switch, value))
        return 0;
    list_values(boot_switch, list);
    if (value != NULL && value[0] != '\0')
        log_warn("%s: %s cannot be %s; it can be:%s", where, name, value, list);
    else
        log_warn("%s: %s needs a value:%s", where, name, list);
    return -EINVAL;
}

static void
apply_word(char *word)
{
    char *equals = strchr(word, '=');

    if (equals != NULL)
        *equals = '\0';
    apply_switch("command line", word, equals != NULL ? equals + 1 : NULL);
}

int
command_line_set(const char *name, const char *value)
{
    return apply_switch("setting", name, value);
}

void
command_line_apply(char *line)
{
    char *word;

    while ((word = command_line_word(&line)) != NULL)
        apply_word(word);
}

/* Cuts the line at " -- " and remembers what follows. */
static void
cut_init_arguments(char *line)
{
    char *start = strstr(line, INIT_SEPARATOR);

    while (start != NULL && start[INIT_SEPARATOR_BYTES] != ' ' && start[INIT_SEPARATOR_BYTES] != '\0')
        start = strstr(start + 1, INIT_SEPARATOR);
    if (start == NULL)
        return;
    init_arguments = text + (start - line) + INIT_SEPARATOR_BYTES;
    *start = '\0';
}

/* Whether the line's first word is the kernel's file name, which QEMU puts there and GRUB does not. */
static bool
is_file_name(const char *word)
{
    const char *equals = strchr(word, '=');
    const char *slash = strchr(word, '/');

    if (slash != NULL && (equals == NULL || slash < equals))
        return true;
    return equals == NULL && find_switch(word) == NULL;
}

void
command_line_start(const char *loader_text)
{
    bool complete = string_copy(text, loader_text, sizeof(text));
    char *line = words;
    char *first;

    string_copy(words, loader_text, sizeof(words));
    cut_init_arguments(words);
    first = command_line_word(&line);
    if (first != NULL && !is_file_name(first))
        apply_word(first);
    command_line_apply(line);
    if (!complete)
        log_warn("command line: cut after %u characters", TEXT_BYTES - 1);
}

const char *
command_line_text(void)
{
    return text;
}

const char *
command_line_init_arguments(void)
{
    return init_arguments;
}

/* The current value as text. */
static void
describe_value(const struct boot_switch *boot_switch, char *value)
{
    const char *chosen;

    switch (boot_switch->kind) {
    case BOOT_SWITCH_CHOICE:
        string_copy(value, boot_switch->choices[*(unsigned *)boot_switch->variable], COMMAND_LINE_VALUE_BYTES);
        break;
    case BOOT_SWITCH_NUMBER: format(value, COMMAND_LINE_VALUE_BYTES, "%u", *(u32 *)boot_switch->variable); break;
    case BOOT_SWITCH_SIZE:
        format(value, COMMAND_LINE_VALUE_BYTES, "%llu", (unsigned long long)*(u64 *)boot_switch->variable);
        break;
    case BOOT_SWITCH_TEXT:
        chosen = *(const char **)boot_switch->variable;
        string_copy(value, chosen != NULL ? chosen : "", COMMAND_LINE_VALUE_BYTES);
        break;
    }
}

void
command_line_get(const char *name, char *value)
{
    const struct boot_switch *boot_switch = find_switch(name);

    assert(boot_switch != NULL);
    describe_value(boot_switch, value);
}

void
command_line_for_each(void (*visit)(const struct boot_switch *boot_switch, const char *value))
{
    char value[COMMAND_LINE_VALUE_BYTES];

    for (const struct boot_switch *boot_switch = boot_switches_start; boot_switch < boot_switches_end; boot_switch++) {
        describe_value(boot_switch, value);
        visit(boot_switch, value);
    }
}

static void
show_switch(const struct boot_switch *boot_switch, const char *value)
{
    char list[LIST_BYTES];

    list_values(boot_switch, list);
    log_info("  %s=%s: %s (%s)", boot_switch->name, value, boot_switch->help, list + 1);
}

void
command_line_show_switches(void)
{
    log_info("switches of the command line:");
    command_line_for_each(show_switch);
}
