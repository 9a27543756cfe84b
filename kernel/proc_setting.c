/*
 * Settings of /proc/sys/vm: switches of the command line that can be changed while the system runs.
 *
 *     echo 8 >/proc/sys/vm/prefetch
 *
 * What a setting may be is said where its switch is declared (BOOT_NUMBER and so on): a bad value is refused, with a
 * line in the log that names the good ones, and changes nothing.
 */
#include "kernel/proc_setting.h"

#include "kernel/command_line.h"
#include "kernel/lib/string.h"

#include <asm/errno.h>

#define SETTING_BYTES 64u       /* of a value, with its NUL */

void
proc_setting_print(const struct proc_setting *setting, struct text_buffer *text)
{
    char value[COMMAND_LINE_VALUE_BYTES];

    command_line_get(setting->name, value);
    text_print(text, "%s\n", value);
}

static int
proc_setting_change(const struct proc_setting *setting, const char *value)
{
    char before[COMMAND_LINE_VALUE_BYTES];
    int error;

    command_line_get(setting->name, before);
    error = command_line_set(setting->name, value);
    if (error == 0 && setting->apply != NULL && (error = setting->apply()) < 0)
        command_line_set(setting->name, before);
    return error;
}

s32
proc_setting_write(const struct proc_setting *setting, struct transfer *transfer)
{
    char value[SETTING_BYTES];
    u32 bytes = transfer->remaining;
    int error;

    if (bytes == 0)
        return 0;
    if (bytes >= sizeof(value))
        return -EINVAL;
    if (transfer_in(transfer, value, bytes) < bytes)
        return -EFAULT;
    value[bytes] = '\0';
    if (value[bytes - 1] == '\n')
        value[bytes - 1] = '\0';
    error = proc_setting_change(setting, value);
    return error < 0 ? error : (s32)bytes;
}
