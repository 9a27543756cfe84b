/*
 * /proc/PID: the texts about one process. A zombie has no memory, files or threads any more: what is about these is
 * empty or 0.
 */
#include "kernel/proc_print.h"

#include "drivers/timer.h"
#include "kernel/file.h"
#include "kernel/process.h"
#include "kernel/processor_time.h"
#include "kernel/lib/divide.h"
#include "kernel/terminal.h"
#include "mm/aspace.h"
#include "mm/report.h"
#include "mm/transfer.h"
#include "mm/units.h"

#include <linux/kdev_t.h>
#include <linux/major.h>

#define PROC_COPY_BYTES 256u         /* of arguments, copied at a time */
#define PROC_PRIORITY 20             /* what Linux shows for nice 0 */
#define PAGE_KILOBYTES (PAGE_SIZE / 1024)

/* ---- memory ---- */

void
proc_print_maps(struct process *process, struct text_buffer *text)
{
    if (process->aspace != NULL)
        report_maps(process->aspace, text);
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

static struct report_size
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

    text_print(text, "%u %u %u %u 0 %u 0\n", size.total, size.resident, size.shared, size.text,
               size.data + size.stack);
}

void
proc_print_arguments(struct process *process, struct text_buffer *text)
{
    struct aspace *aspace = process->aspace;
    u8 bytes[PROC_COPY_BYTES];

    if (aspace == NULL)
        return;
    /* Reading may sleep, and the process may end meanwhile. */
    aspace_hold(aspace);
    for (u32 at = aspace->arguments_start; at < aspace->arguments_end;) {
        u32 rest = aspace->arguments_end - at;
        u32 count = rest < sizeof(bytes) ? rest : sizeof(bytes);

        if (aspace_read(aspace, at, bytes, count) < 0)
            break;
        text_append(text, bytes, count);
        at += count;
    }
    aspace_release(aspace);
}

/* ---- signals ---- */

struct proc_signals {
    u64 pending, shared_pending, blocked, ignored, caught;
};

static struct proc_signals
proc_signals_of(const struct process *process)
{
    const struct thread *thread = process_first_thread(process);
    const struct signal_actions *actions = process->signals.actions;
    struct proc_signals signals = {.shared_pending = process->signals.pending.set};

    if (thread != NULL) {
        signals.pending = thread->signals.pending.set;
        signals.blocked = thread->signals.blocked;
    }
    for (int signal = 1; actions != NULL && signal <= SIGNAL_COUNT; signal++) {
        if (actions->action[signal].handler == (u32)SIG_IGN)
            signals.ignored |= signal_bit(signal);
        else if (actions->action[signal].handler != (u32)SIG_DFL)
            signals.caught |= signal_bit(signal);
    }
    return signals;
}

/* ---- the process itself ---- */

void
proc_print_name(struct process *process, struct text_buffer *text)
{
    text_print(text, "%s\n", process->name);
}

static u32
proc_parent_id(const struct process *process)
{
    return process->parent == NULL ? 0 : process->parent->id;
}

/* The device number of its controlling terminal, 0 if it has none. */
static u32
proc_terminal_device(const struct process *process)
{
    bool has_terminal = terminal_session() != 0 && process->session->number == terminal_session();

    return has_terminal ? TTY_MAJOR << 8 | 64 : 0;
}

/* Fields 3 to 19: state, family, terminal, faults, times in ticks, priority. */
static void
proc_print_stat_life(const struct process *process, struct text_buffer *text)
{
    u32 device = proc_terminal_device(process);
    const struct process_usage *children = &process->children_usage;
    struct process_usage usage;

    process_usage_so_far(process, &usage);
    text_print(text, "%c %u %u %u %u %d 0", process_state_letter(process), proc_parent_id(process),
               process->group->number, process->session->number, device, device == 0 ? -1 : (int)terminal_foreground());
    text_print(text, " %llu %llu %llu %llu", usage.minor_faults, children->minor_faults, usage.major_faults,
               children->major_faults);
    text_print(text, " %llu %llu %llu %llu", usage.user_ticks, usage.system_ticks, children->user_ticks,
               children->system_ticks);
    text_print(text, " %d %d", PROC_PRIORITY + process->nice, process->nice);
}

/* Fields 20 to 52: threads, start, memory, signals, and what Linux shows as 0 to others. */
static void
proc_print_stat_rest(const struct process *process, struct text_buffer *text)
{
    struct report_size size = proc_size_of(process);
    struct proc_signals signals = proc_signals_of(process);
    const struct aspace *aspace = process->aspace;
    u32 start_ticks = (u32)divide_u64(process->start_time, TIMER_TICK_NANOSECONDS, NULL);

    text_print(text, " %u 0 %u %u %u %u", process->thread_count, start_ticks, size.total * PAGE_SIZE, size.resident,
               UINT32_MAX);
    /* Text bounds, stack, esp and eip. */
    text_print(text, " 0 0 %u 0 0", aspace == NULL ? 0 : aspace->stack_top);
    text_print(text, " %u %u %u %u", (u32)signals.pending, (u32)signals.blocked, (u32)signals.ignored,
               (u32)signals.caught);
    /* Wait channel, swapped pages, exit signal, processor, scheduling, waits for devices, guest time. */
    text_print(text, " 0 0 0 %d 0 0 0 0 0 0", process->exit_signal);
    /* Data bounds, heap, arguments, environment, exit status. */
    text_print(text, " 0 0 %u %u %u 0 0 %u\n", aspace == NULL ? 0 : aspace->heap_start,
               aspace == NULL ? 0 : aspace->arguments_start, aspace == NULL ? 0 : aspace->arguments_end,
               process->exit_status);
}

void
proc_print_stat(struct process *process, struct text_buffer *text)
{
    text_print(text, "%u (%s) ", process->id, process->name);
    proc_print_stat_life(process, text);
    proc_print_stat_rest(process, text);
}

/* ---- status ---- */

static const char *
proc_state_word(char letter)
{
    switch (letter) {
    case 'R':
        return "running";
    case 'T':
        return "stopped";
    case 'Z':
        return "zombie";
    default:
        return "sleeping";
    }
}

static void
proc_print_status_identity(const struct process *process, struct text_buffer *text)
{
    const struct identity *identity = &process->identity;
    char letter = process_state_letter(process);

    text_print(text, "Name:\t%s\nUmask:\t%04o\n", process->name, process->file_mode_mask);
    text_print(text, "State:\t%c (%s)\n", letter, proc_state_word(letter));
    text_print(text, "Tgid:\t%u\nNgid:\t0\nPid:\t%u\n", process->id, process->id);
    text_print(text, "PPid:\t%u\nTracerPid:\t0\n", proc_parent_id(process));
    text_print(text, "Uid:\t%u\t%u\t%u\t%u\n", identity->user, identity->effective_user, identity->saved_user,
               identity->effective_user);
    text_print(text, "Gid:\t%u\t%u\t%u\t%u\n", identity->group, identity->effective_group, identity->saved_group,
               identity->effective_group);
    text_print(text, "FDSize:\t%u\nGroups:\t \n", process->files == NULL ? 0 : process->files->capacity);
}

static void
proc_print_kilobytes(struct text_buffer *text, const char *name, u32 pages)
{
    text_print(text, "%s:\t%8u kB\n", name, pages * PAGE_KILOBYTES);
}

static void
proc_print_status_memory(const struct process *process, struct text_buffer *text)
{
    struct report_size size = proc_size_of(process);

    if (process->aspace == NULL)
        return;
    proc_print_kilobytes(text, "VmSize", size.total);
    proc_print_kilobytes(text, "VmLck", size.locked);
    proc_print_kilobytes(text, "VmRSS", size.resident);
    proc_print_kilobytes(text, "RssAnon", size.resident - size.shared);
    proc_print_kilobytes(text, "RssFile", size.shared);
    proc_print_kilobytes(text, "VmData", size.data);
    proc_print_kilobytes(text, "VmStk", size.stack);
    proc_print_kilobytes(text, "VmExe", size.text);
    proc_print_kilobytes(text, "VmPTE", size.tables);
    proc_print_kilobytes(text, "VmSwap", size.swapped);
}

static void
proc_print_status_signals(const struct process *process, struct text_buffer *text)
{
    struct proc_signals signals = proc_signals_of(process);
    struct process_usage usage;

    process_usage_so_far(process, &usage);
    text_print(text, "Threads:\t%u\n", process->thread_count);
    text_print(text, "SigPnd:\t%016llx\nShdPnd:\t%016llx\n", signals.pending, signals.shared_pending);
    text_print(text, "SigBlk:\t%016llx\nSigIgn:\t%016llx\n", signals.blocked, signals.ignored);
    text_print(text, "SigCgt:\t%016llx\n", signals.caught);
    text_print(text, "voluntary_ctxt_switches:\t%llu\nnonvoluntary_ctxt_switches:\t%llu\n", usage.switches_voluntary,
               usage.switches_involuntary);
}

void
proc_print_status(struct process *process, struct text_buffer *text)
{
    proc_print_status_identity(process, text);
    proc_print_status_memory(process, text);
    proc_print_status_signals(process, text);
}
