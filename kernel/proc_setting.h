/*
 * Files of /proc/sys that can be written: each stands for the command line's switch of the same name. A line in
 * proc_entries makes one of any switch:
 *
 *     PROC_SETTING(PROC_SYS_VM, "prefetch", NULL)
 *
 * A switch that is off or on is 0 or 1 here, as Linux has it: PROC_TOGGLE.
 */
#pragma once

#include "kernel/text.h"
#include "kernel/transfer.h"

struct proc_setting {
    const char *name;       /* the switch's */
    int (*apply)(void);     /* called when the variable has changed; an error restores it. NULL: nobody needs to know */
    bool toggle;            /* off and on are written 0 and 1 */
};

#define PROC_VALUE_BYTES 64u    /* of a value that is written, with its NUL */

/* What is written to a file of /proc at once: its bytes, of which the value has the first; or -EFAULT. */
s32 proc_value_take(struct transfer *transfer, char value[PROC_VALUE_BYTES]);

/* A value without the blanks around it. */
char *proc_value_strip(char *value);

/* Prints the current value and a newline. */
void proc_setting_print(const struct proc_setting *setting, struct text_buffer *text);

/*
 * Takes one value: the first word of what is written. Bytes taken, with the blanks behind it; -EINVAL for a value that the switch does not take
 * (the log says what it takes), -EFAULT, or what apply returns.
 */
s32 proc_setting_write(const struct proc_setting *setting, struct transfer *transfer);
