/*
 * /proc/PID: the texts about one process. A zombie has no memory, files or threads any more: what is about these is
 * empty or 0.
 */
#include "kernel/proc_node.h"
#include "kernel/proc_print.h"

#include "drivers/timer.h"
#include "kernel/file.h"
#include "kernel/process.h"
#include "kernel/lib/divide.h"
#include "kernel/lib/format.h"
#include "kernel/terminal.h"
#include "mm/aspace.h"
#include "mm/report.h"
#include "mm/units.h"

#include <asm/errno.h>
#include <linux/resource.h>

#define PROC_LIMIT_BYTES 21u         /* of a limit in text, with its NUL */
#define PROC_PRIORITY 20             /* what Linux shows for nice 0 */
#define PAGE_KILOBYTES (PAGE_SIZE / 1024)

/* ---- Signals ---- */

struct proc_signals {
    u64 pending, shared_pending, blocked, ignored, caught;
};

static struct proc_signals
proc_signals_of(const struct process *process, const struct thread *thread)
{
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

/* ---- The process itself ---- */

void
proc_print_name(struct process *process, struct text_buffer *text)
{
    text_print(text, "%s\n", process->name);
}

void
proc_print_thread_name(struct thread *thread, struct text_buffer *text)
{
    text_print(text, "%s\n", thread_name(thread));
}

int
proc_write_name(struct process *process, u32 thread_number, char *value)
{
    struct thread *thread = thread_number != 0 ? proc_thread(process->id, thread_number) : NULL;

    if (process != current_process())
        return -EINVAL;
    format(thread == NULL ? process->name : thread_name(thread), THREAD_NAME_BYTES, "%s", value);
    return 0;
}

static u32
proc_parent_id(const struct process *process)
{
    return process->parent == NULL ? 0 : process->parent->id;
}

/* Fields 3 to 19: state, family, terminal, faults, times in ticks, priority. */
static void
proc_print_stat_life(const struct process *process, char state, const struct process_usage *used,
                     struct text_buffer *text)
{
    const struct terminal *terminal = terminal_controlling(process);
    const struct process_usage *children = &process->children_usage;

    text_print(text, "%c %u %u %u %u %d 0", state, proc_parent_id(process),
               process->group->number, process->session->number, terminal == NULL ? 0 : terminal->device,
               terminal == NULL ? -1 : (int)terminal->foreground);
    text_print(text, " %llu %llu %llu %llu", used->minor_faults, children->minor_faults, used->major_faults,
               children->major_faults);
    text_print(text, " %llu %llu %llu %llu", used->user_ticks, used->system_ticks, children->user_ticks,
               children->system_ticks);
    text_print(text, " %d %d", PROC_PRIORITY + process->nice, process->nice);
}

/* Fields 20 to 52: threads, start, memory, signals, and what Linux shows as 0 to others. */
static void
proc_print_stat_rest(const struct process *process, const struct thread *thread, struct text_buffer *text)
{
    static const struct aspace nothing;
    struct report_size size = proc_size_of(process);
    struct proc_signals signals = proc_signals_of(process, thread);
    const struct aspace *aspace = process->aspace != NULL ? process->aspace : &nothing;
    u32 start_ticks = (u32)divide_u64(process->start_time, TIMER_TICK_NANOSECONDS, NULL);

    text_print(text, " %u 0 %u %u %u %u", process->thread_count, start_ticks, size.total * PAGE_SIZE, size.resident,
               UINT32_MAX);
    /* Text bounds, stack, esp and eip. */
    text_print(text, " %u %u %u 0 0", aspace->code_start, aspace->code_end, aspace->stack_top);
    text_print(text, " %u %u %u %u", (u32)signals.pending, (u32)signals.blocked, (u32)signals.ignored,
               (u32)signals.caught);
    /* Wait channel, swapped pages, exit signal, processor, scheduling, waits for devices, guest time. */
    text_print(text, " 0 0 0 %d 0 0 0 0 0 0", process->exit_signal);
    /* Data bounds, heap, arguments, environment, exit status. */
    text_print(text, " 0 0 %u %u %u %u %u %u\n", aspace->heap_start, aspace->arguments_start, aspace->arguments_end,
               aspace->arguments_end, aspace->environment_end, process->exit_status);
}

void
proc_print_stat(struct process *process, struct text_buffer *text)
{
    struct process_usage used;

    process_usage_so_far(process, &used);
    text_print(text, "%u (%s) ", process->id, process->name);
    proc_print_stat_life(process, process_state_letter(process), &used, text);
    proc_print_stat_rest(process, process_first_thread(process), text);
}

void
proc_print_thread_stat(struct thread *thread, struct text_buffer *text)
{
    struct process_usage used;

    process_usage_of_thread(thread, &used);
    text_print(text, "%u (%s) ", thread->id, thread_name(thread));
    proc_print_stat_life(thread->process, thread_state_letter(thread), &used, text);
    proc_print_stat_rest(thread->process, thread, text);
}

/* ---- Status ---- */

static const char *
proc_state_word(char letter)
{
    switch (letter) {
    case 'R':
        return "running";
    case 'D':
        return "disk sleep";
    case 'T':
        return "stopped";
    case 'W':
        return "suspended";
    case 'Z':
        return "zombie";
    default:
        return "sleeping";
    }
}

/* What of a process's text is about one thread of it; about all of them together in /proc/PID itself. */
struct proc_subject {
    const struct process *process;
    struct thread *thread;              /* NULL for a zombie */
    u32 id;
    char state;
    struct process_usage used;
};

static void
proc_print_groups(const struct identity *identity, struct text_buffer *text)
{
    text_print(text, "Groups:\t");
    for (u32 i = 0; identity->groups != NULL && i < identity->groups->count; i++)
        text_print(text, "%u ", identity->groups->numbers[i]);
    text_print(text, "%s\n", identity->groups == NULL || identity->groups->count == 0 ? " " : "");
}

static void
proc_print_status_identity(const struct proc_subject *subject, struct text_buffer *text)
{
    const struct process *process = subject->process;
    const struct identity *identity = &process->identity;

    text_print(text, "Name:\t%s\n", subject->thread == NULL ? process->name : thread_name(subject->thread));
    if (!process->zombie)
        text_print(text, "Umask:\t%04o\n", process->file_mode_mask);
    text_print(text, "State:\t%c (%s)\n", subject->state, proc_state_word(subject->state));
    text_print(text, "Tgid:\t%u\nNgid:\t0\nPid:\t%u\n", process->id, subject->id);
    text_print(text, "PPid:\t%u\nTracerPid:\t0\n", proc_parent_id(process));
    text_print(text, "Uid:\t%u\t%u\t%u\t%u\n", identity->user.real, identity->user.effective, identity->user.saved,
               identity->user.file);
    text_print(text, "Gid:\t%u\t%u\t%u\t%u\n", identity->group.real, identity->group.effective, identity->group.saved,
               identity->group.file);
    text_print(text, "FDSize:\t%u\n", process->files == NULL ? 0 : process->files->capacity);
    proc_print_groups(identity, text);
    text_print(text, "NStgid:\t%u\nNSpid:\t%u\nNSpgid:\t%u\nNSsid:\t%u\n", process->id, subject->id,
               process->group->number, process->session->number);
}

static void
proc_print_kilobytes(struct text_buffer *text, const char *name, u32 pages)
{
    text_print(text, "%s:\t%8u kB\n", name, pages * PAGE_KILOBYTES);
}

static void
proc_print_status_memory(const struct proc_subject *subject, struct text_buffer *text)
{
    struct report_size size = proc_size_of(subject->process);

    if (subject->process->aspace == NULL)
        return;
    proc_print_kilobytes(text, "VmPeak", size.peak_total);
    proc_print_kilobytes(text, "VmSize", size.total);
    proc_print_kilobytes(text, "VmLck", size.locked);
    proc_print_kilobytes(text, "VmPin", 0);
    proc_print_kilobytes(text, "VmHWM", size.peak_resident);
    proc_print_kilobytes(text, "VmRSS", size.resident);
    proc_print_kilobytes(text, "RssAnon", size.anonymous);
    proc_print_kilobytes(text, "RssFile", size.resident - size.anonymous - size.shared_memory);
    proc_print_kilobytes(text, "RssShmem", size.shared_memory);
    proc_print_kilobytes(text, "VmData", size.data);
    proc_print_kilobytes(text, "VmStk", size.stack);
    proc_print_kilobytes(text, "VmExe", size.code);
    proc_print_kilobytes(text, "VmLib", size.libraries);
    proc_print_kilobytes(text, "VmPTE", size.tables);
    proc_print_kilobytes(text, "VmSwap", size.swapped);
}

/* Nobody inherits any from another program, and nobody but root ever has one. */
static void
proc_print_capabilities(const struct identity *identity, struct text_buffer *text)
{
    text_print(text, "CapInh:\t%016llx\nCapPrm:\t%016llx\n", 0ull, identity_permitted_capabilities(identity));
    text_print(text, "CapEff:\t%016llx\nCapBnd:\t%016llx\n", identity_effective_capabilities(identity),
               CAPABILITIES_ALL);
    text_print(text, "CapAmb:\t%016llx\n", 0ull);
}

static void
proc_print_status_signals(const struct proc_subject *subject, struct text_buffer *text)
{
    struct proc_signals signals = proc_signals_of(subject->process, subject->thread);

    text_print(text, "Threads:\t%u\nSigQ:\t%u/%u\n", subject->process->thread_count,
               signal_count_of_user(subject->process->identity.user.real),
               (u32)subject->process->limits[RLIMIT_SIGPENDING].rlim_cur);
    text_print(text, "SigPnd:\t%016llx\nShdPnd:\t%016llx\n", signals.pending, signals.shared_pending);
    text_print(text, "SigBlk:\t%016llx\nSigIgn:\t%016llx\n", signals.blocked, signals.ignored);
    text_print(text, "SigCgt:\t%016llx\n", signals.caught);
    proc_print_capabilities(&subject->process->identity, text);
    text_print(text, "NoNewPrivs:\t%u\n", subject->process->no_new_privileges);
    text_print(text, "Seccomp:\t0\nSeccomp_filters:\t0\nCpus_allowed:\t1\nCpus_allowed_list:\t0\n");
    text_print(text, "voluntary_ctxt_switches:\t%llu\nnonvoluntary_ctxt_switches:\t%llu\n",
               subject->used.switches_voluntary, subject->used.switches_involuntary);
}

static void
proc_print_status_of(const struct proc_subject *subject, struct text_buffer *text)
{
    proc_print_status_identity(subject, text);
    proc_print_status_memory(subject, text);
    proc_print_status_signals(subject, text);
}

void
proc_print_status(struct process *process, struct text_buffer *text)
{
    struct proc_subject subject = {
        .process = process, .thread = process_first_thread(process), .id = process->id,
        .state = process_state_letter(process),
    };

    process_usage_so_far(process, &subject.used);
    proc_print_status_of(&subject, text);
}

void
proc_print_thread_status(struct thread *thread, struct text_buffer *text)
{
    struct proc_subject subject = {
        .process = thread->process, .thread = thread, .id = thread->id, .state = thread_state_letter(thread),
    };

    process_usage_of_thread(thread, &subject.used);
    proc_print_status_of(&subject, text);
}

/* ---- Limits ---- */

static void
proc_print_limit(struct text_buffer *text, u32 limit)
{
    char number[PROC_LIMIT_BYTES] = "unlimited";

    if (limit != (u32)RLIM_INFINITY)
        format(number, sizeof(number), "%u", limit);
    text_print(text, "%-20s ", number);
}

void
proc_print_limits(struct process *process, struct text_buffer *text)
{
    static const struct {
        const char *name, *unit;
    } limits[RLIM_NLIMITS] = {
        [RLIMIT_CPU] = {"Max cpu time", "seconds"},
        [RLIMIT_FSIZE] = {"Max file size", "bytes"},
        [RLIMIT_DATA] = {"Max data size", "bytes"},
        [RLIMIT_STACK] = {"Max stack size", "bytes"},
        [RLIMIT_CORE] = {"Max core file size", "bytes"},
        [RLIMIT_RSS] = {"Max resident set", "bytes"},
        [RLIMIT_NPROC] = {"Max processes", "processes"},
        [RLIMIT_NOFILE] = {"Max open files", "files"},
        [RLIMIT_MEMLOCK] = {"Max locked memory", "bytes"},
        [RLIMIT_AS] = {"Max address space", "bytes"},
        [RLIMIT_LOCKS] = {"Max file locks", "locks"},
        [RLIMIT_SIGPENDING] = {"Max pending signals", "signals"},
        [RLIMIT_MSGQUEUE] = {"Max msgqueue size", "bytes"},
        [RLIMIT_NICE] = {"Max nice priority", ""},
        [RLIMIT_RTPRIO] = {"Max realtime priority", ""},
        [RLIMIT_RTTIME] = {"Max realtime timeout", "us"},
    };

    text_print(text, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (u32 i = 0; i < RLIM_NLIMITS; i++) {
        text_print(text, "%-25s ", limits[i].name);
        proc_print_limit(text, (u32)process->limits[i].rlim_cur);
        proc_print_limit(text, (u32)process->limits[i].rlim_max);
        text_print(text, *limits[i].unit != '\0' ? "%-10s\n" : "%s\n", limits[i].unit);
    }
}
