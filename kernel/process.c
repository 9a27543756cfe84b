/*
 * The table of processes, their tree and groups, what they have used, and the work that waits on the way back to user
 * mode. How they come, go and change their program is in fork.c, exit.c and exec.c.
 */
#include "kernel/process.h"

#include "kernel/assert.h"
#include "kernel/inode.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/oom.h"
#include "kernel/panic.h"
#include "kernel/resource.h"
#include "kernel/scheduler.h"
#include "kernel/suspension.h"
#include "kernel/time.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/signal_fpu.h"
#include "kernel/x86/trap.h"
#include "mm/aspace.h"
#include "mm/kmem.h"
#include "mm/reclaim.h"

#include <linux/personality.h>

static struct kmem_cache process_cache = KMEM_CACHE("process", sizeof(struct process), _Alignof(struct process));

struct process_list process_list = TAILQ_HEAD_INITIALIZER(process_list);
u32 process_count;
struct process process_kernel = {
    .name = "kernel",
    .signals.unkillable = true,
    .threads = TAILQ_HEAD_INITIALIZER(process_kernel.threads),
};

static void
process_describe_current(char *text, usize size)
{
    const struct thread *thread = current_thread();

    if (thread == NULL)
        format(text, size, "none yet");
    else
        format(text, size, "%s (%u)", thread->process->name, thread->process->id);
}

void
process_start(void)
{
    panic_set_process_hook(process_describe_current);
    reclaim_set_killer(oom_kill_largest);
    resource_initialize_limits(&process_kernel);
    signal_fpu_start();
    time_start();
}

struct process *
process_find(u32 id)
{
    struct pid *pid = pid_find(id);

    return pid != NULL ? pid->process : NULL;
}

struct process *
process_find_by_thread(u32 id)
{
    struct pid *pid = pid_find(id);

    if (pid == NULL)
        return NULL;
    return pid->thread != NULL ? pid->thread->process : pid->process;
}

/* Fields are set one by one, since most of the structure (pending signals) needs no initial value. */
static void
process_initialize(struct process *process)
{
    process->parent = NULL;
    LIST_INIT(&process->children);
    TAILQ_INIT(&process->threads);
    process->thread_count = 0;
    process->exec_thread = NULL;
    process->thread_wait = (struct wait_queue){0};
    process->oom_adjustment = process->oom_adjustment_least = 0;
    process->aspace = NULL;
    process->files = NULL;
    process->directory = NULL;
    process->place_next = process;
    process->executable = NULL;
    process->group = NULL;
    process->session = NULL;
    process->identity.groups = NULL;
    process->real_alarm.armed = false;
    process->real_interval = 0;
    process->virtual_timer = (struct process_timer){0};
    process->profile_timer = (struct process_timer){0};
    process->limited_ticks = 0;
    LIST_INIT(&process->timers);
    process->next_timer = 0;
    process->personality = PER_LINUX;
    memset(&process->usage, 0, sizeof(process->usage));
    memset(&process->children_usage, 0, sizeof(process->children_usage));
    process->exiting = false;
    process->zombie = false;
    process->claimed = false;
    process->has_executed = false;
    process->is_reaper = false;
    process->parent_end_signal = 0;
    process->exit_status = 0;
    process->exit_signal = 0;
    process->child_wait = (struct wait_queue){0};
    process->vfork = NULL;
}

struct process *
process_allocate(void)
{
    struct process *process = kmem_cache_allocate(&process_cache);

    if (process == NULL)
        return NULL;
    process->pid = pid_allocate();
    if (process->pid == NULL) {
        kmem_cache_free(&process_cache, process);
        return NULL;
    }
    process->id = process->pid->number;
    process_initialize(process);
    return process;
}

void
process_free(struct process *process)
{
    assert(TAILQ_EMPTY(&process->threads) && LIST_EMPTY(&process->children));
    identity_release(&process->identity);
    pid_release(process->pid);
    kmem_cache_free(&process_cache, process);
}

void
process_link(struct process *process, struct process *parent, struct pid *group, struct pid *session)
{
    u32 interrupts = interrupts_save();

    process->pid->process = process;
    process->parent = parent;
    process->group = pid_hold(group);
    process->session = pid_hold(session);
    LIST_INSERT_HEAD(&parent->children, process, sibling_link);
    LIST_INSERT_HEAD(&group->group, process, group_link);
    TAILQ_INSERT_TAIL(&process_list, process, all_link);
    process_count++;
    interrupts_restore(interrupts);
}

void
process_unlink(struct process *process)
{
    u32 interrupts = interrupts_save();

    process->pid->process = NULL;
    LIST_REMOVE(process, sibling_link);
    LIST_REMOVE(process, group_link);
    TAILQ_REMOVE(&process_list, process, all_link);
    process_count--;
    interrupts_restore(interrupts);
    pid_release(process->group);
    pid_release(process->session);
}

void
process_change_group(struct process *process, struct pid *group)
{
    struct pid *left = process->group;
    u32 interrupts = interrupts_save();

    LIST_REMOVE(process, group_link);
    process->group = pid_hold(group);
    LIST_INSERT_HEAD(&group->group, process, group_link);
    interrupts_restore(interrupts);
    pid_release(left);
}

void
process_set_name(struct process *process, const char *path)
{
    const char *slash = strrchr(path, '/');

    string_copy(process->name, slash != NULL ? slash + 1 : path, sizeof(process->name));
}

char
process_state_letter(const struct process *process)
{
    const struct thread *thread = process_first_thread(process);

    return process->zombie || thread == NULL ? 'Z' : thread_state_letter(thread);
}

char
thread_state_letter(const struct thread *thread)
{
    const struct aspace *aspace = thread->process->aspace;

    if (thread->state == THREAD_STOPPED)
        return 'T';
    if (thread->state == THREAD_SLEEPING && aspace != NULL && suspension_is_on(aspace))
        return 'W';
    if (thread->state == THREAD_SLEEPING)
        return thread->wait_mode == WAIT_INTERRUPTIBLE ? 'S' : 'D';
    return 'R';
}

/* What the aspace counted belongs to the process alone unless it borrows its parent's in vfork. */
static void
process_usage_add_aspace(struct process_usage *usage, const struct process *process)
{
    struct aspace *aspace = process->aspace;

    if (aspace == NULL || process->vfork != NULL)
        return;
    aspace_note_peak(aspace);
    usage->minor_faults += aspace->counters.pgfault - aspace->counters.pgmajfault;
    usage->major_faults += aspace->counters.pgmajfault;
    if (aspace->peak_resident > usage->resident_maximum)
        usage->resident_maximum = aspace->peak_resident;
}

static void
process_usage_add_thread(struct process_usage *usage, const struct thread *thread)
{
    usage->user_ticks += thread->user_ticks;
    usage->system_ticks += thread->system_ticks;
    usage->switches_voluntary += thread->switches_voluntary;
    usage->switches_involuntary += thread->switches_involuntary;
}

void
process_usage_of_thread(const struct thread *thread, struct process_usage *usage)
{
    process_usage_so_far(thread->process, usage);
    usage->user_ticks = usage->system_ticks = 0;
    usage->switches_voluntary = usage->switches_involuntary = 0;
    process_usage_add_thread(usage, thread);
}

void
process_usage_so_far(const struct process *process, struct process_usage *usage)
{
    const struct thread *thread;

    *usage = process->usage;
    TAILQ_FOREACH(thread, &process->threads, process_link)
        process_usage_add_thread(usage, thread);
    process_usage_add_aspace(usage, process);
}

void
process_usage_retire_thread(struct process *process, const struct thread *thread)
{
    process_usage_add_thread(&process->usage, thread);
}

void
process_usage_retire_aspace(struct process *process)
{
    process_usage_add_aspace(&process->usage, process);
}

void
process_usage_add(struct process_usage *to, const struct process_usage *from)
{
    to->user_ticks += from->user_ticks;
    to->system_ticks += from->system_ticks;
    to->minor_faults += from->minor_faults;
    to->major_faults += from->major_faults;
    to->switches_voluntary += from->switches_voluntary;
    to->switches_involuntary += from->switches_involuntary;
    if (from->resident_maximum > to->resident_maximum)
        to->resident_maximum = from->resident_maximum;
}

/* ---- Current directory and umask ---- */

void
process_share_place(struct process *child, struct process *parent)
{
    child->place_next = parent->place_next;
    parent->place_next = child;
}

void
process_leave_place(struct process *process)
{
    struct process *before = process;

    while (before->place_next != process)
        before = before->place_next;
    before->place_next = process->place_next;
    process->place_next = process;
}

void
process_set_directory(struct process *process, struct inode *directory)
{
    struct process *sharer = process;

    do {
        inode_release(sharer->directory);
        sharer->directory = inode_hold(directory);
        sharer = sharer->place_next;
    } while (sharer != process);
}

void
process_set_file_mode_mask(struct process *process, u32 mask)
{
    struct process *sharer = process;

    do {
        sharer->file_mode_mask = mask;
        sharer = sharer->place_next;
    } while (sharer != process);
}

void
process_vfork_release(struct process *process)
{
    struct process_vfork *vfork = process->vfork;

    if (vfork == NULL)
        return;
    process->vfork = NULL;
    vfork->done = true;
    wait_wake_all(&vfork->queue);
}

/* ---- The way back to user mode ---- */

void
process_return_to_user(struct trap_frame *frame)
{
    u32 work = cpu()->pending_work;

    interrupts_enable();
    if ((work & WORK_SAMPLE) != 0) {
        cpu()->pending_work &= ~WORK_SAMPLE;
        aspace_clock_tick(current_process()->aspace);
    }
    if ((work & WORK_SIGNAL) != 0) {
        signal_deliver(frame);
        aspace_step(cpu()->aspace, frame);
    }
    if ((work & WORK_SUSPENSION) != 0)
        suspension_wait();
    if ((work & WORK_RESCHEDULE) != 0) {
        current_thread()->switches_involuntary++;
        schedule();
    }
    interrupts_disable();
}
