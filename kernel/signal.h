/*
 * Signals: who may be told what, and what happens then. Sending marks a signal pending, on a process or on one
 * thread, and wakes the receiver if it sleeps interruptibly; acting on it happens only on the receiver's way
 * back to user mode (process_return_to_user).
 *
 *     signal.c            pending sets: send, ignore, wake, take the next one
 *     signal_actions.c    what a process does on each signal; fork, exec and exit
 *     signal_deliver.c    on the way to user mode: default actions, handlers, stopping, restarting system calls
 *     signal_calls.c      the system calls
 *     x86/signal_frame.c  Linux's frames on the user stack, and the way back from them
 *
 * A standard signal (1 to 31) is pending at most once, with the information of the first sender, so sending one
 * needs no memory and is possible from interrupt handlers; real-time signals queue up. Pending sets are changed
 * with interrupts disabled.
 */
#pragma once

#include <bsd/sys/queue.h>

#include "kernel/types.h"
#include "kernel/wait.h"

#include <asm/siginfo.h>
#include <asm/signal.h>
#include <linux/signal.h>

struct process;
struct thread;
struct trap_frame;

#define SIGNAL_COUNT 64                        /* signals 1 to 64 */
#define SIGNAL_STANDARD_COUNT 31               /* of which those that do not queue */

/*
 * Results of an interrupted system call that user mode never sees: signal_deliver.c turns each into -EINTR or
 * runs the call again.
 */
#define ERESTARTSYS 512                        /* again, if no handler runs or it has SA_RESTART */
#define ERESTARTNOINTR 513                     /* again, in any case */
#define ERESTARTNOHAND 514                     /* again, only if no handler runs */
#define ERESTART_RESTARTBLOCK 516              /* as restart_syscall with thread->restart, only if no handler runs */

/* A set of signals; bit n - 1 stands for signal n, as in Linux's 64-bit sigset. */
typedef u64 signal_set;

static inline signal_set
signal_bit(int signal)
{
    return 1ull << (signal - 1);
}

/* Those that no program can block, ignore or handle; and those whose default action is to stop the process. */
#define SIGNALS_ABSOLUTE (signal_bit(SIGKILL) | signal_bit(SIGSTOP))
#define SIGNALS_STOP (signal_bit(SIGSTOP) | signal_bit(SIGTSTP) | signal_bit(SIGTTIN) | signal_bit(SIGTTOU))

/* What the receiver is told beyond the number: siginfo_t without its number, errno and padding. */
struct signal_info {
    s32 code;                                  /* SI_USER, SEGV_MAPERR ... */
    union __sifields fields;
};

/* A real-time signal in the queue; or any signal whose memory the sender keeps, a timer. */
struct signal_queued {
    int signal;
    struct signal_info info;
    bool is_kept;                              /* not to be freed when it is taken */
    struct signal_pending *pending;            /* where it is queued; NULL: nowhere */
    TAILQ_ENTRY(signal_queued) link;
};

struct signal_pending {
    signal_set set;
    struct signal_info standard[SIGNAL_STANDARD_COUNT + 1];    /* by number; meaningful only where the bit is set */
    TAILQ_HEAD(, signal_queued) realtime;                      /* oldest first */
};

/* What to do on a signal: the layout of rt_sigaction's structure. */
struct signal_action {
    u32 handler;                               /* user address, or SIG_DFL, SIG_IGN */
    u32 flags;                                 /* SA_* */
    u32 restorer;                              /* user address of the code that calls sigreturn */
    signal_set mask;                           /* blocked too while the handler runs */
};

/* The actions of a process; shared after fork until one side changes its own. */
struct signal_actions {
    u32 references;                            /* processes */
    bool shared;                               /* by CLONE_SIGHAND: a change is for all; else each has its own */
    bool survives_exec;                        /* no action was ever more than to ignore or not: all that exec leaves */
    struct signal_action action[SIGNAL_COUNT + 1];             /* by number; entry 0 unused */
};

/* The alternate stack of sigaltstack: the fields of stack_t. */
struct signal_stack {
    u32 address;
    u32 flags;                                 /* SS_DISABLE, SS_AUTODISARM */
    u32 size;                                  /* bytes */
};

/* Whether that stack pointer is one of the stack: from the end, where nothing has been pushed yet, to the last word. */
static inline bool
signal_stack_holds(const struct signal_stack *stack, u32 pointer)
{
    return pointer - 1 - stack->address < stack->size;
}

/* A thread's part. */
struct signal_thread {
    struct signal_pending pending;             /* sent to this thread: tkill, faults */
    signal_set blocked;
    signal_set saved_blocked;                  /* to be restored after rt_sigsuspend and the like */
    bool restore_blocked;                      /* saved_blocked is meaningful */
    signal_set awaited;                        /* rt_sigtimedwait takes these itself, blocked or not */
    struct signal_stack stack;
};

/* A process's part. */
struct signal_process {
    struct signal_pending pending;             /* sent to the process: any thread may take it */
    struct signal_actions *actions;            /* never NULL for user processes */
    int stop_signal;                           /* all threads are to stop, by this signal; 0: they are not */
    bool stopping;                             /* not all have, and the parent has not been told */
    bool stop_unreported;                      /* the parent has not yet waited for the stop */
    bool continue_unreported;                  /* nor for the continuation */
    bool unkillable;                           /* init: signals that would kill it by default are ignored */
    u32 places_kept;                           /* of RLIMIT_SIGPENDING, by timers: pending or not */
};

/*
 * Send a signal (1 to 64) to a process, or to one thread. info NULL: from the kernel (SI_KERNEL). An ignored one is
 * dropped. 0, or -EAGAIN if a real-time signal finds no memory, or RLIMIT_SIGPENDING no place. Never sleeps; standard signals from anywhere.
 */
int signal_send(struct process *process, int signal, const struct signal_info *info);
int signal_send_thread(struct thread *thread, int signal, const struct signal_info *info);

/* How many queued signals wait for the processes of a user, and places that its timers keep. */
u32 signal_count_of_user(u32 user);

/*
 * A place among the queued signals of the process's user for one that the caller keeps: false if RLIMIT_SIGPENDING
 * has none left. And to give it back.
 */
bool signal_place_keep(struct process *process);
void signal_place_give_back(struct process *process);

/*
 * Send a signal that the caller keeps, to the process, or to `thread` unless that is NULL. It needs no memory: from
 * anywhere. It must not be pending.
 */
void signal_send_kept(struct process *process, struct thread *thread, struct signal_queued *kept);

/*
 * What the receiver of a kept signal will be told, as long as it is pending; else NULL. And to take it back, before
 * its memory goes. With interrupts disabled.
 */
struct signal_info *signal_kept_info(struct process *process, struct thread *thread, struct signal_queued *kept);
void signal_take_kept_back(struct signal_queued *kept);

/* To all members of a process group (terminal, kill(-group)). -ESRCH if it has none. As signal_send. */
int signal_send_group(u32 group, int signal, const struct signal_info *info);

/* SIGKILL that even init obeys. The process must have a thread. */
void signal_force_kill(struct process *process);

/* Whether a signal waits that is not blocked, and so interrupts sleeps; the same for SIGKILL alone. */
bool signal_pending(const struct thread *thread);
bool signal_kill_pending(const struct thread *thread);

/*
 * A trap from user mode was the thread's own doing: mark the signal pending on the current thread so that it
 * cannot be ignored or put off: blocked or ignored, it kills. code is SEGV_MAPERR and so on, address goes to
 * si_addr.
 */
void signal_fault(int signal, int code, u32 address);

/*
 * Whether the current process ignores or the current thread blocks the signal: the terminal asks for SIGTTIN
 * and SIGTTOU.
 */
bool signal_is_ignored_or_blocked(int signal);

/* What is pending for the process and blocked by the current thread, since its blocked set grew, may be another's. */
void signal_leave_blocked(void);

/* Replace the current thread's blocked set (SIGKILL and SIGSTOP are left out). */
void signal_set_blocked(signal_set blocked);

/*
 * Block `blocked` for the rest of this system call (ppoll, rt_sigsuspend, pselect): the old set comes back when
 * the call returns, or, if a handler runs because of it, when that handler returns.
 */
void signal_suspend_mask(signal_set blocked);

/*
 * Have the old set come back now: nothing has interrupted the call, so that nothing that the old set blocks may be
 * delivered. Without signal_suspend_mask nothing happens.
 */
void signal_restore_mask(void);

/* A copy of the sender's name for signals that the current process sends: code SI_USER, SI_TKILL ... */
struct signal_info signal_info_from_current(s32 code);

/* siginfo_t as user mode gets it. */
void signal_info_expand(siginfo_t *to, int signal, const struct signal_info *info);

/* ---- Actions: signal_actions.c ---- */

/* Actions that are all default, with one reference; NULL without memory. */
struct signal_actions *signal_actions_create(void);
void signal_actions_release(struct signal_actions *actions);

/* Make the process's actions its own before a change: 0 or -ENOMEM. */
int signal_actions_unshare(struct process *process);

/* Whether the default action is to do nothing. */
bool signal_default_ignores(int signal);

/* A new process, which takes over `actions`; a new thread: nothing pending, nothing blocked. */
void signal_init_process(struct process *process, struct signal_actions *actions);
void signal_init_thread(struct thread *thread);

/*
 * The child of fork: the parent's actions, mask and alternate stack; with `share` the actions stay one for both.
 * 0 or -ENOMEM, which leaves the child without actions.
 */
int signal_fork(struct process *child, struct thread *child_thread, const struct thread *parent_thread, bool share);

/* The actions after exec, where handlers have become default: NULL without memory. Commit replaces them. */
struct signal_actions *signal_exec_prepare(const struct process *process);
void signal_exec_commit(struct process *process, struct signal_actions *actions);

/* A new thread beside its creator: the creator's mask. */
void signal_clone(struct thread *child, const struct thread *creator);

/* Free what is pending for a process, and its actions; and what is pending for a thread. */
void signal_release(struct process *process);
void signal_release_thread(struct thread *thread);

/* ---- Between the parts ---- */

/*
 * Take the next signal of the set out of what is pending for the current thread or its process: its number, or
 * 0. signal_update_work is due.
 */
int signal_take(signal_set wanted, struct signal_info *info);

/* Everything pending for the current thread or its process. */
signal_set signal_pending_set(const struct thread *thread);

/* What the thread must look at has changed: keep cpu()->pending_work and thread->work true. */
void signal_update_work(struct thread *thread);

/*
 * Drop the signals of the set wherever they are pending in the process (they have become ignored, or SIGCONT
 * came).
 */
void signal_discard(struct process *process, signal_set signals);

/* Act on what is pending before user mode goes on with this frame. May not return. */
void signal_deliver(struct trap_frame *frame);

/* Have every thread look at what is pending, also those that sleep interruptibly. With interrupts disabled. */
void signal_wake_all(struct process *process);

/* End one thread: it will find a SIGKILL of its own. From anywhere. */
void signal_kill_thread(struct thread *thread);

/*
 * A thread has left the process, or blocks more signals than before: let the others look at what is pending for the
 * process, and at whether the last one that was to stop has gone.
 */
void signal_thread_left(struct process *process);

/* signal_deliver.c: if every thread has stopped by now, tell the parent. With interrupts disabled. */
void signal_stop_complete(struct process *process);

/* SIGCONT or SIGKILL is being sent: let a stopped process run. From anywhere. */
void signal_continue(struct process *process, int signal);

/*
 * x86/signal_frame.c: put a frame for the handler on the user stack and turn `frame` to it: 0 or -EFAULT
 * (registers unchanged).
 */
int signal_frame_push(struct trap_frame *frame, int signal, const struct signal_info *info,
                      const struct signal_action *action, signal_set blocked_before);
