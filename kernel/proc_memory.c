/*
 * /proc/PID: the texts about a process's memory. A zombie has none: they are empty or 0.
 */
#include "kernel/lib/string.h"
#include "kernel/oom.h"
#include "kernel/permission.h"
#include "kernel/process.h"
#include "kernel/processor_time.h"
#include "kernel/proc_print.h"
#include "kernel/proc_setting.h"
#include "mm/aspace.h"
#include "mm/report.h"
#include "mm/transfer.h"

#include <asm/errno.h>
#include <linux/oom.h>

#define PROC_COPY_BYTES 256u         /* of a process's memory, copied at a time */

void
proc_print_maps(struct process *process, struct text_buffer *text)
{
    if (process->aspace != NULL)
        report_maps(process->aspace, text);
}

void
proc_print_smaps(struct process *process, struct text_buffer *text)
{
    if (process->aspace != NULL)
        report_smaps(process->aspace, text);
}

void
proc_print_smaps_rollup(struct process *process, struct text_buffer *text)
{
    if (process->aspace != NULL)
        report_smaps_rollup(process->aspace, text);
}

void
proc_print_vmstat(struct process *process, struct text_buffer *text)
{
    if (process == NULL)
        report_vmstat(NULL, text);
    else if (process->aspace != NULL)
        report_vmstat(process->aspace, text);
}

void
proc_print_working_set(struct process *process, struct text_buffer *text)
{
    if (process->aspace == NULL)
        return;
    processor_time_measure();
    if (!aspace_measure(process->aspace)) {
        text->failed = true;
        return;
    }
    text_print(text, "Window:\t%u\nPages:\t%u\nResident:\t%u\n", working_set_window,
               aspace_working_set(process->aspace), aspace_resident_pages(process->aspace));
}

void
proc_print_policy(struct process *process, struct text_buffer *text)
{
    if (process->aspace != NULL)
        text_print(text, "%s\n", aspace_policy(process->aspace));
}

struct report_size
proc_size_of(const struct process *process)
{
    struct report_size size = {0};

    if (process->aspace != NULL)
        report_size(process->aspace, &size);
    return size;
}

void
proc_print_statm(struct process *process, struct text_buffer *text)
{
    struct report_size size = proc_size_of(process);

    text_print(text, "%u %u %u %u 0 %u 0\n", size.total, size.resident, size.resident - size.anonymous, size.code,
               size.data + size.stack);
}

/* ---- What exec left on the stack ---- */

/*
 * Copies [start, end) of a process's memory; of a string no more than its first NUL. Reading may sleep, and the process
 * may end meanwhile.
 */
static void
proc_copy(struct aspace *aspace, u32 start, u32 end, bool is_string, struct text_buffer *text)
{
    u8 bytes[PROC_COPY_BYTES];
    const u8 *nul = NULL;

    aspace_hold(aspace);
    for (u32 at = start; at < end && nul == NULL;) {
        u32 rest = end - at;
        u32 count = rest < sizeof(bytes) ? rest : sizeof(bytes);

        if (aspace_read(aspace, at, bytes, count) < 0)
            break;
        if (is_string)
            nul = memchr(bytes, '\0', count);
        text_append(text, bytes, nul == NULL ? count : (u32)(nul - bytes) + 1);
        at += count;
    }
    aspace_release(aspace);
}

/* Whether the program has written over the end of its last argument, to give itself a title (setproctitle). */
static bool
proc_has_title(struct aspace *aspace)
{
    u8 last = '\0';

    aspace_hold(aspace);
    if (aspace->arguments_start < aspace->arguments_end)
        (void)aspace_read(aspace, aspace->arguments_end - 1, &last, sizeof(last));
    aspace_release(aspace);
    return last != '\0';
}

/* A title is one string, which may go on where the environment was. */
void
proc_print_arguments(struct process *process, struct text_buffer *text)
{
    struct aspace *aspace = process->aspace;

    if (aspace == NULL)
        return;
    if (proc_has_title(aspace))
        proc_copy(aspace, aspace->arguments_start, aspace->environment_end, true, text);
    else
        proc_copy(aspace, aspace->arguments_start, aspace->arguments_end, false, text);
}

void
proc_print_environment(struct process *process, struct text_buffer *text)
{
    if (process->aspace != NULL)
        proc_copy(process->aspace, process->aspace->arguments_end, process->aspace->environment_end, false, text);
}

void
proc_print_auxiliary(struct process *process, struct text_buffer *text)
{
    if (process->aspace != NULL)
        proc_copy(process->aspace, process->aspace->auxiliary_start, process->aspace->auxiliary_end, false, text);
}

/* ---- Who is killed when memory is out ---- */

void
proc_print_oom_score(struct process *process, struct text_buffer *text)
{
    text_print(text, "%u\n", oom_score(process));
}

void
proc_print_oom_adjustment(struct process *process, struct text_buffer *text)
{
    text_print(text, "%d\n", process->oom_adjustment);
}

/* A number with a sign or without, and nothing else: 0, -EINVAL for any other text, -ERANGE for a greater one. */
static int
proc_parse_signed(const char *text, int *number)
{
    bool negative = *text == '-';
    u64 value;

    text += negative || *text == '+';
    if (!string_read_number(&text, &value) || *text != '\0')
        return -EINVAL;
    if (value > INT32_MAX)
        return -ERANGE;
    *number = negative ? -(int)value : (int)value;
    return 0;
}

/* Only root may make a process less likely to be chosen than root has left it. */
int
proc_write_oom_adjustment(struct process *process, u32 thread_number, char *value)
{
    int adjustment, error = proc_parse_signed(proc_value_strip(value), &adjustment);

    (void)thread_number;
    if (error < 0)
        return error;
    if (adjustment < OOM_SCORE_ADJ_MIN || adjustment > OOM_SCORE_ADJ_MAX)
        return -EINVAL;
    if (permission_is_root())
        process->oom_adjustment_least = (s16)adjustment;
    else if (adjustment < process->oom_adjustment_least)
        return -EACCES;
    process->oom_adjustment = (s16)adjustment;
    return 0;
}
