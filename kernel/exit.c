/*
 * The end of threads and processes.
 *
 *     process_exit   every other thread is sent a SIGKILL of its own, wakes, unwinds and ends as this one does
 *     exit_thread    tells user memory (futex_thread_ends); the last of the process goes on to
 *     exit_process   which gives back everything but what the parent may ask for, becomes a zombie, and tells the
 *                    parent; or is buried at once where the parent does not want to know
 *
 * A thread ends on its own way to user mode only, so whatever it holds in the kernel it has given back. It is freed
 * by the one that runs next.
 */
#include "kernel/alarm.h"
#include "kernel/file.h"
#include "kernel/futex.h"
#include "kernel/inode.h"
#include "kernel/log.h"
#include "kernel/posix_timer.h"
#include "kernel/power.h"
#include "kernel/process.h"
#include "kernel/semaphore.h"
#include "kernel/session.h"
#include "kernel/shared_memory.h"
#include "kernel/syscall.h"
#include "mm/aspace.h"
#include "mm/object.h"

#include <asm/errno.h>
#include <asm/signal.h>

/* When init ends, so does the machine. Files are written back first. */
static void __attribute__((noreturn))
exit_machine(u32 wait_status)
{
    int signal = process_status_signal(wait_status);

    if (signal != 0)
        log_error("init was killed by signal %d", signal);
    object_write_back_all();
    aspace_end_traces();
    power_off((int)wait_status);
}

static void
exit_release_files(struct process *process)
{
    struct file_table *files = process->files;

    process->files = NULL;
    file_table_release(files);
    process_leave_place(process);
    inode_release(process->directory);
    process->directory = NULL;
    inode_release_program(process->executable);
    process->executable = NULL;
}

static void
exit_release_memory(struct process *process)
{
    struct aspace *aspace = process->aspace;

    process_usage_retire_aspace(process);
    process->aspace = NULL;
    aspace_activate(NULL);
    aspace_release(aspace);
    shared_memory_reap();
    process_vfork_release(process);
}

/* Who adopts a process's children: the nearest ancestor that has said so and is not about to end itself, or init. */
static struct process *
exit_find_reaper(const struct process *process)
{
    struct process *ancestor = process->parent;

    while (ancestor->id > PID_INIT && (!ancestor->is_reaper || ancestor->exiting))
        ancestor = ancestor->parent;
    return ancestor->id > PID_INIT ? ancestor : process_find(PID_INIT);
}

/* True if the parent has said that it will not wait: by ignoring SIGCHLD, or SA_NOCLDWAIT. */
static bool
exit_is_unwanted(const struct process *process)
{
    const struct signal_action *action = &process->parent->signals.actions->action[SIGCHLD];

    return process->exit_signal == SIGCHLD
        && (action->handler == (u32)SIG_IGN || (action->flags & SA_NOCLDWAIT) != 0);
}

static void
exit_notify_parent(struct process *process)
{
    struct process *parent = process->parent;
    struct signal_info info;

    if (process->exit_signal != 0) {
        process_end_info(process, &info);
        signal_send(parent, process->exit_signal, &info);
    }
    wait_wake_all(&parent->child_wait);
}

/* The parent is told of the end; if it does not want to wait for it, the zombie goes at once. */
static void
exit_report(struct process *process)
{
    exit_notify_parent(process);
    if (exit_is_unwanted(process)) {
        process_unlink(process);
        process_free(process);
    }
}

/* What becomes of a child that has a new parent: one that has ended is reported to it, another may want to be told. */
static void
exit_tell_child(struct process *child)
{
    struct signal_info info;

    if (child->zombie) {
        exit_report(child);
    } else if (child->parent_end_signal != 0) {
        info = signal_info_from_current(SI_USER);
        signal_send(child, child->parent_end_signal, &info);
    }
}

static void
exit_reparent_children(struct process *process)
{
    struct process *reaper = exit_find_reaper(process);
    struct process *child;

    while ((child = LIST_FIRST(&process->children)) != NULL) {
        LIST_REMOVE(child, sibling_link);
        child->parent = reaper;
        child->exit_signal = SIGCHLD;
        LIST_INSERT_HEAD(&reaper->children, child, sibling_link);
        exit_tell_child(child);
    }
}

/* The current thread is the last one. */
static void __attribute__((noreturn))
exit_process(struct process *process)
{
    process->exiting = true;
    if (process->id == PID_INIT)
        exit_machine(process->exit_status);
    alarm_cancel(&process->real_alarm);
    posix_timers_end(process);
    exit_release_files(process);
    semaphore_process_ends(process);
    session_leave(process);
    exit_release_memory(process);
    exit_reparent_children(process);

    /* From here on nothing sleeps, so that nobody sees a process without a thread that is no zombie. */
    interrupts_disable();
    thread_leave_process(current_thread());
    signal_release(process);
    process->zombie = true;
    exit_report(process);
    thread_exit();
}

static void __attribute__((noreturn))
exit_thread(void)
{
    struct thread *thread = current_thread();
    struct process *process = thread->process;

    thread->exiting = true;
    futex_thread_ends(thread);
    if (process->thread_count == 1)
        exit_process(process);
    interrupts_disable();
    thread_leave_process(thread);
    process_thread_left(process);
    thread_exit();
}

static void
exit_kill_other_threads(struct process *process)
{
    struct thread *thread;
    u32 interrupts = interrupts_save();

    signal_continue(process, SIGKILL);
    TAILQ_FOREACH(thread, &process->threads, process_link) {
        if (thread != current_thread())
            signal_kill_thread(thread);
    }
    interrupts_restore(interrupts);
}

void
process_exit(u32 wait_status)
{
    struct process *process = current_process();
    bool exec_goes_on = process->exec_thread != NULL && process->exec_thread != current_thread();

    if (!process->exiting && !exec_goes_on) {
        process->exit_status = wait_status;
        if (process->id == PID_INIT)
            exit_machine(wait_status);
        process->exiting = true;
        if (process->thread_count > 1)
            exit_kill_other_threads(process);
    }
    exit_thread();
}

int
process_end_other_threads(struct process *process)
{
    int result = 0;

    if (process->exiting || process->exec_thread != NULL)
        return -EINTR;
    if (process->thread_count == 1)
        return 0;
    process->exec_thread = current_thread();
    exit_kill_other_threads(process);
    while (process->thread_count > 1 && result == 0)
        result = wait_killable(&process->thread_wait);
    process->exec_thread = NULL;
    return process->thread_count > 1 ? result : 0;
}

void
process_thread_left(struct process *process)
{
    signal_thread_left(process);
    if (process->thread_count == 1)
        wait_wake_all(&process->thread_wait);
}

void
process_child_info(const struct process *process, s32 code, int status, struct signal_info *info)
{
    info->code = code;
    info->fields._sigchld._pid = (s32)process->id;
    info->fields._sigchld._uid = process->identity.user.real;
    info->fields._sigchld._status = status;
    info->fields._sigchld._utime = (s32)process->usage.user_ticks;
    info->fields._sigchld._stime = (s32)process->usage.system_ticks;
}

void
process_end_info(const struct process *process, struct signal_info *info)
{
    int signal = process_status_signal(process->exit_status);

    if (signal != 0)
        process_child_info(process, CLD_KILLED, signal, info);
    else
        process_child_info(process, CLD_EXITED, process_status_code(process->exit_status), info);
}

s32
sys_exit(u32 code)
{
    struct process *process = current_process();

    if (!process->exiting)
        process->exit_status = process_status_exited(code);
    exit_thread();
}

s32
sys_exit_group(u32 code)
{
    process_exit(process_status_exited(code));
}
