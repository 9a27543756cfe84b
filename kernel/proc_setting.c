/*
 * Settings of /proc/sys: switches of the command line that can be changed while the system runs.
 *
 *     echo 8 >/proc/sys/vm/prefetch
 *
 * They are changed one at a time, since putting one into force may sleep. What a setting may be is said where its
 * switch is declared (BOOT_NUMBER and so on): a bad value is refused, with a line in the log that names the good ones,
 * and changes nothing.
 */
#include "kernel/proc_setting.h"

#include "kernel/command_line.h"
#include "kernel/lib/string.h"
#include "kernel/mutex.h"

#include <asm/errno.h>

/* A toggle's words on the command line, in the order of the numbers that stand for them here. */
static const char *const proc_toggle_words[] = {"off", "on"};
static const char *const proc_toggle_numbers[] = {"0", "1"};

static struct mutex proc_setting_busy;

/* The counterpart in one table of what stands in the other; what stands in neither is left as it is. */
static const char *
proc_toggle_translate(const char *value, const char *const *from, const char *const *to)
{
    for (u32 i = 0; i < ARRAY_SIZE(proc_toggle_words); i++) {
        if (strcmp(value, from[i]) == 0)
            return to[i];
    }
    return value;
}

void
proc_setting_print(const struct proc_setting *setting, struct text_buffer *text)
{
    char value[COMMAND_LINE_VALUE_BYTES];

    command_line_get(setting->name, value);
    text_print(text, "%s\n",
               setting->toggle ? proc_toggle_translate(value, proc_toggle_words, proc_toggle_numbers) : value);
}

static int
proc_setting_change(const struct proc_setting *setting, const char *value)
{
    char before[COMMAND_LINE_VALUE_BYTES];
    int error;

    command_line_get(setting->name, before);
    if (setting->toggle)
        value = proc_toggle_translate(value, proc_toggle_numbers, proc_toggle_words);
    error = command_line_set(setting->name, value);
    if (error == 0 && setting->apply != NULL && (error = setting->apply()) < 0)
        command_line_set(setting->name, before);
    return error;
}

s32
proc_value_take(struct transfer *transfer, char value[PROC_VALUE_BYTES])
{
    u32 bytes = transfer->remaining, taken = bytes < PROC_VALUE_BYTES ? bytes : PROC_VALUE_BYTES - 1;

    if (transfer_in(transfer, value, taken) < taken)
        return -EFAULT;
    value[taken] = '\0';
    return (s32)bytes;
}

static bool
proc_is_blank(char character)
{
    return character == ' ' || (character >= '\t' && character <= '\r');
}

static char *
proc_skip_blanks(char *text)
{
    while (proc_is_blank(*text))
        text++;
    return text;
}

char *
proc_value_strip(char *value)
{
    usize length;

    value = proc_skip_blanks(value);
    for (length = strlen(value); length > 0 && proc_is_blank(value[length - 1]); length--)
        value[length - 1] = '\0';
    return value;
}

/* Cuts the first word of a value off; *rest is what stands behind it and blanks. */
static char *
proc_value_word(char *value, const char **rest)
{
    char *word = proc_skip_blanks(value), *end = word;

    while (*end != '\0' && !proc_is_blank(*end))
        end++;
    *rest = proc_skip_blanks(end);
    *end = '\0';
    return word;
}

s32
proc_setting_write(const struct proc_setting *setting, struct transfer *transfer)
{
    char value[PROC_VALUE_BYTES];
    s32 bytes = proc_value_take(transfer, value);
    const char *word, *rest;
    int error;

    if (bytes <= 0)
        return bytes;
    if (bytes >= (s32)PROC_VALUE_BYTES)
        return -EINVAL;
    word = proc_value_word(value, &rest);
    mutex_lock(&proc_setting_busy);
    error = proc_setting_change(setting, word);
    mutex_unlock(&proc_setting_busy);
    return error < 0 ? error : (s32)(rest - value);
}
