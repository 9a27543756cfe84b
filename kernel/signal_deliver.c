/*
 * Acting on signals, on the way back to user mode. The registers of the program are in the frame; a system call
 * that was interrupted has left a request to restart (-ERESTART...) as its result there, and how that ends
 * depends on what the signal does:
 *
 *                          handler runs                         no handler runs
 *     ERESTARTSYS          again with SA_RESTART, else EINTR    again
 *     ERESTARTNOINTR       again                                again
 *     ERESTARTNOHAND       EINTR                                again
 *     ERESTART_RESTARTBLOCK  EINTR                              again, as restart_syscall
 */
#include "kernel/log.h"
#include "kernel/process.h"
#include "kernel/scheduler.h"
#include "kernel/session.h"
#include "kernel/signal.h"
#include "kernel/thread.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/trap.h"

#include <asm/errno.h>
#include <asm/unistd_32.h>

/* int 0x80 */
#define SYSTEM_CALL_INSTRUCTION_BYTES 2

/* ---- Restarting system calls ---- */

/* frame->error holds the call's number on entry; signal return sets it to -1, since then eax is the program's. */
static bool
restart_is_wanted(const struct trap_frame *frame)
{
    s32 result = (s32)frame->eax;

    return frame->vector == VECTOR_SYSTEM_CALL && (s32)frame->error >= 0
        && (result == -ERESTARTSYS || result == -ERESTARTNOINTR || result == -ERESTARTNOHAND
            || result == -ERESTART_RESTARTBLOCK);
}

static void
restart_with(struct trap_frame *frame, u32 number)
{
    frame->eax = number;
    frame->eip -= SYSTEM_CALL_INSTRUCTION_BYTES;
}

static void
restart_before_handler(struct trap_frame *frame, const struct signal_action *action)
{
    s32 result = (s32)frame->eax;

    if (result == -ERESTARTNOINTR || (result == -ERESTARTSYS && (action->flags & SA_RESTART) != 0))
        restart_with(frame, frame->error);
    else
        frame->eax = (u32)-EINTR;
}

static void
restart_without_handler(struct trap_frame *frame)
{
    if ((s32)frame->eax == -ERESTART_RESTARTBLOCK)
        restart_with(frame, __NR_restart_syscall);
    else
        restart_with(frame, frame->error);
}

/* ---- Stopping ---- */

/* The parent hears of stopping and going on, unless it has said that it does not want to. */
static void
stop_notify_parent(struct process *process, s32 code, int status)
{
    struct process *parent = process->parent;
    struct signal_info info;

    if (parent->signals.actions == NULL)
        return;
    if ((parent->signals.actions->action[SIGCHLD].flags & SA_NOCLDSTOP) == 0) {
        process_child_info(process, code, status, &info);
        signal_send(parent, SIGCHLD, &info);
    }
    wait_wake_all(&parent->child_wait);
}

void
signal_stop_complete(struct process *process)
{
    struct signal_process *signals = &process->signals;
    struct thread *thread;

    if (!signals->stopping)
        return;
    TAILQ_FOREACH(thread, &process->threads, process_link) {
        if (thread->state != THREAD_STOPPED && !thread->exiting)
            return;
    }
    signals->stopping = false;
    signals->stop_unreported = true;
    signals->continue_unreported = false;
    stop_notify_parent(process, CLD_STOPPED, signals->stop_signal);
}

/* The current thread does its part; the last one to stop tells the parent. */
static void
stop_take_part(void)
{
    struct thread *thread = current_thread();
    struct signal_process *signals = &thread->process->signals;
    u32 interrupts = interrupts_save();

    while (signals->stop_signal != 0) {
        thread->state = THREAD_STOPPED;
        signal_stop_complete(thread->process);
        schedule();
    }
    interrupts_restore(interrupts);
}

/* A thread has acted on a stop signal: every thread of the process stops as soon as it looks. */
static void
stop_process(struct process *process, int signal)
{
    u32 interrupts = interrupts_save();

    process->signals.stop_signal = signal;
    process->signals.stopping = true;
    signal_wake_all(process);
    interrupts_restore(interrupts);
}

void
signal_continue(struct process *process, int signal)
{
    struct thread *thread;
    u32 interrupts;

    if (process->signals.stop_signal == 0)
        return;
    interrupts = interrupts_save();
    process->signals.stop_signal = 0;
    process->signals.stopping = false;
    process->signals.stop_unreported = false;
    TAILQ_FOREACH(thread, &process->threads, process_link) {
        if (thread->state == THREAD_STOPPED) {
            thread->state = THREAD_RUNNABLE;
            scheduler_add(thread);
        }
    }
    if (signal == SIGCONT) {
        process->signals.continue_unreported = true;
        stop_notify_parent(process, CLD_CONTINUED, SIGCONT);
    }
    interrupts_restore(interrupts);
}

/* ---- Delivery ---- */

static void
deliver_default(int signal)
{
    struct process *process = current_process();

    if (signal_default_ignores(signal))
        return;
    if (process->signals.unkillable && signal != SIGKILL)
        return;
    if ((signal_bit(signal) & SIGNALS_STOP) != 0) {
        if (signal != SIGSTOP && session_group_is_orphaned(process))
            return;
        stop_process(process, signal);
        stop_take_part();
        return;
    }
    log_debug("%s (%u) ends by signal %d", process->name, process->id, signal);
    process_exit(process_status_signalled(signal));
}

/* A frame that the stack has no room for is a fault of the program; of the one for SIGSEGV nobody can tell it. */
static void
deliver_without_frame(int signal)
{
    if (signal == SIGSEGV)
        process_exit(process_status_signalled(SIGSEGV));
    signal_fault(SIGSEGV, SI_KERNEL, 0);
}

/* The handler's frame goes to the user stack: true if the handler has been given control. */
static bool
deliver_to_handler(struct trap_frame *frame, int signal, const struct signal_info *info, struct signal_action *action)
{
    struct signal_thread *signals = &current_thread()->signals;
    signal_set before = signals->restore_blocked ? signals->saved_blocked : signals->blocked;
    signal_set blocked = signals->blocked | action->mask;

    if (restart_is_wanted(frame))
        restart_before_handler(frame, action);
    if (signal_frame_push(frame, signal, info, action, before) < 0) {
        deliver_without_frame(signal);
        return false;
    }
    if ((action->flags & SA_NODEFER) == 0)
        blocked |= signal_bit(signal);
    signals->restore_blocked = false;
    signals->blocked = blocked;
    signal_leave_blocked();
    return true;
}

/*
 * A handler with SA_RESETHAND runs once. Without memory for a table of its own the process keeps it: better
 * than losing the signal.
 */
static void
deliver_reset_handler(struct process *process, int signal)
{
    if (signal_actions_unshare(process) == 0)
        process->signals.actions->action[signal].handler = (u32)SIG_DFL;
}

/* True if a handler has been given control. */
static bool
deliver_one(struct trap_frame *frame, int signal, const struct signal_info *info)
{
    struct process *process = current_process();
    struct signal_action action = process->signals.actions->action[signal];

    if (action.handler == (u32)SIG_IGN)
        return false;
    if (action.handler == (u32)SIG_DFL) {
        deliver_default(signal);
        return false;
    }
    if ((action.flags & SA_RESETHAND) != 0)
        deliver_reset_handler(process, signal);
    return deliver_to_handler(frame, signal, info, &action);
}

/* Takes signals until a handler has been given control: true, or there is none left. */
static bool
deliver_pending(struct trap_frame *frame)
{
    const struct signal_thread *signals = &current_thread()->signals;
    struct signal_info info;
    int signal;

    if (current_process()->signals.stop_signal != 0)
        stop_take_part();
    while ((signal = signal_take(~signals->blocked, &info)) != 0) {
        if (deliver_one(frame, signal, &info))
            return true;
    }
    return false;
}

void
signal_deliver(struct trap_frame *frame)
{
    struct signal_thread *signals = &current_thread()->signals;

    if (!deliver_pending(frame)) {
        if (restart_is_wanted(frame))
            restart_without_handler(frame);
        if (signals->restore_blocked)
            signals->blocked = signals->saved_blocked;
        signals->restore_blocked = false;
    }
    signal_update_work(current_thread());
}
