/*
 * The end of a process. It gives back everything but what its parent may ask for, becomes a zombie, and tells
 * the parent; or is buried at once where the parent does not want to know. The thread itself is freed by the
 * one that runs next.
 */
#include "kernel/alarm.h"
#include "kernel/file.h"
#include "kernel/inode.h"
#include "kernel/power.h"
#include "kernel/printk.h"
#include "kernel/process.h"
#include "kernel/shared_memory.h"
#include "kernel/syscall.h"
#include "kernel/terminal.h"
#include "mm/aspace.h"
#include "mm/user.h"

#include <asm/signal.h>

#define INIT_NUMBER 1u

/* When init ends, so does the machine. */
static void __attribute__((noreturn))
exit_machine(u32 wait_status)
{
    int signal = (int)(wait_status & 0x7f);

    if (signal != 0)
        log_error("init was killed by signal %d", signal);
    aspace_end_traces();
    power_off(signal != 0 ? 128 + signal : (int)(wait_status >> 8));
}

static void
exit_release_files(struct process *process)
{
    struct file_table *files = process->files;

    process->files = NULL;
    file_table_release(files);
    inode_release(process->directory);
    process->directory = NULL;
    inode_release(process->executable);
    process->executable = NULL;
}

static void
exit_release_memory(struct process *process)
{
    struct aspace *aspace = process->aspace;
    struct thread *thread = current_thread();

    if (thread->clear_child_tid != 0 && aspace->references > 1)
        user_write_word(thread->clear_child_tid, 0);
    process_usage_retire_aspace(process);
    process->aspace = NULL;
    aspace_activate(NULL);
    aspace_release(aspace);
    shared_memory_reap();
    process_vfork_release(process);
}

static void
exit_reparent_children(struct process *process)
{
    struct process *init = process_find(INIT_NUMBER);
    struct process *child;

    while ((child = LIST_FIRST(&process->children)) != NULL) {
        LIST_REMOVE(child, sibling_link);
        child->parent = init;
        child->exit_signal = SIGCHLD;
        LIST_INSERT_HEAD(&init->children, child, sibling_link);
        if (child->zombie)
            process_notify_parent(child);
    }
}

/* True if the parent has said that it will not wait: by ignoring SIGCHLD, or SA_NOCLDWAIT. */
static bool
exit_is_unwanted(const struct process *process)
{
    const struct signal_action *action = &process->parent->signals.actions->action[SIGCHLD];

    return process->exit_signal == SIGCHLD
        && (action->handler == (u32)SIG_IGN || (action->flags & SA_NOCLDWAIT) != 0);
}

void
process_exit(u32 wait_status)
{
    struct process *process = current_process();

    process->exiting = true;
    if (process->id == INIT_NUMBER)
        exit_machine(wait_status);
    alarm_cancel(&process->real_alarm);
    exit_release_files(process);
    if (process->session == process->pid)
        terminal_release_session((s32)process->id);
    exit_release_memory(process);
    exit_reparent_children(process);
    process->exit_status = wait_status;

    /* From here on nothing sleeps, so that nobody sees a process without a thread that is no zombie. */
    interrupts_disable();
    thread_leave_process(current_thread());
    signal_release(process);
    process->zombie = true;
    process_notify_parent(process);
    if (exit_is_unwanted(process)) {
        process_unlink(process);
        process_free(process);
    }
    thread_exit();
}

/* The code and status that siginfo has for a wait status. */
static s32
exit_status_code(u32 wait_status, int *status)
{
    int signal = (int)(wait_status & 0x7f);

    *status = signal != 0 ? signal : (int)(wait_status >> 8);
    return signal != 0 ? CLD_KILLED : CLD_EXITED;
}

void
process_child_info(const struct process *process, s32 code, int status, struct signal_info *info)
{
    info->code = code;
    info->fields._sigchld._pid = (s32)process->id;
    info->fields._sigchld._uid = process->identity.user;
    info->fields._sigchld._status = status;
    info->fields._sigchld._utime = (s32)process->usage.user_ticks;
    info->fields._sigchld._stime = (s32)process->usage.system_ticks;
}

void
process_notify_parent(struct process *process)
{
    struct process *parent = process->parent;
    struct signal_info info;
    int status;
    s32 code = exit_status_code(process->exit_status, &status);

    if (process->exit_signal != 0) {
        process_child_info(process, code, status, &info);
        signal_send(parent, process->exit_signal, &info);
    }
    wait_wake_all(&parent->child_wait);
}

s32
sys_exit(u32 code)
{
    process_exit(process_status_exited(code));
}

s32
sys_exit_group(u32 code)
{
    process_exit(process_status_exited(code));
}
