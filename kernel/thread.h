/*
 * A thread: what the processor runs. It has a number, a kernel stack, saved registers and its own set of pending
 * and blocked signals; all else it shares with the other threads of its process, the page table first of all.
 * Kernel threads belong to process 0, and so does a thread that has ended, until it is freed.
 *
 *     kernel stack, 8 KiB, guard page below
 *     +------------------------------+ highest address = what the TSS holds while it runs
 *     | struct trap_frame            | <- thread->frame: the user registers, pushed at every entry from user mode
 *     +------------------------------+
 *     | kernel frames                |
 *     | registers of context_switch  | <- thread->context, while it does not run
 */
#pragma once

#include <bsd/sys/queue.h>

#include "kernel/alarm.h"
#include "kernel/signal.h"
#include "kernel/types.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/fpu.h"
#include "kernel/x86/selectors.h"
#include "kernel/x86/switch.h"

struct pid;
struct process;
struct trap_frame;

/* By so many nanoseconds sleeps may be late, unless prctl says otherwise; they never are on purpose. */
#define THREAD_TIMER_SLACK 50000u

#define THREAD_NAME_BYTES 16u                  /* as Linux's comm, with the terminating zero */

enum thread_state {
    THREAD_RUNNABLE,                           /* running, or in the run queue */
    THREAD_SLEEPING,                           /* until wait.c makes it runnable */
    THREAD_STOPPED,                            /* by a stop signal, until SIGCONT or SIGKILL */
    THREAD_DEAD,                               /* never runs again; freed by the thread that is switched to */
};

/*
 * Where a system call that a signal without handler interrupted goes on (restart_syscall): sleeps need it, and waits
 * for a futex whose timeout was relative.
 */
struct thread_restart {
    s32 (*resume)(const struct thread_restart *restart);
    u64 deadline;                              /* timer_nanoseconds() */
    u32 remaining_address;                     /* user's timespec for what is left, or 0 */
    bool wide;                                 /* that timespec has 64-bit seconds */
    u32 futex_address, futex_operation, futex_value;
    u32 poll_address, poll_count;              /* its entries */
};

struct thread {
    struct fpu_state fpu;                      /* first, for its alignment; valid while the thread does not run */
    struct context context;                    /* valid while the thread does not run */
    struct process *process;
    struct pid *pid;                           /* its number; the first thread's is that of its process */
    u32 id;                                    /* pid->number, at hand; 0: a kernel thread's */
    char name[THREAD_NAME_BYTES];              /* for thread_name: not that of the process's first */
    enum thread_state state;
    bool has_user_state;                       /* false for kernel threads: no FPU, TLS or selectors to switch */
    u8 *kernel_stack;                          /* lowest address; NULL for the boot stack */
    void (*body)(void);                        /* of a kernel thread */
    struct trap_frame *frame;                  /* user registers, at the top of the kernel stack */
    u64 tls[SEGMENT_TLS_COUNT];                /* descriptors for GDT entries 6 to 8 */
    u16 fs, gs;                                /* user selectors, valid while the thread does not run */
    u32 slice;                                 /* ticks left of its slice */
    u32 policy;                                /* SCHED_NORMAL, BATCH or IDLE, and perhaps SCHED_RESET_ON_FORK */
    u32 timer_slack, timer_slack_default;      /* nanoseconds: what prctl was told last; what it goes back to */
    bool exiting;                              /* has nothing left to do in user mode */
    bool woken;                                /* by wait.c, since the last wait_enlist */
    enum wait_mode wait_mode;                  /* what may end its sleep; valid while sleeping */
    u32 work;                                  /* its part of cpu()->pending_work, kept while it does not run */
    struct signal_thread signals;
    struct thread_restart restart;
    u32 set_child_tid;                         /* user address where it first writes its number (clone), or 0 */
    u32 clear_child_tid;                       /* user address to clear and wake at exit (set_tid_address), or 0 */
    u32 robust_list;                           /* user address given to set_robust_list, or 0 */
    const struct identity *acts_as;            /* whose permissions it has while access asks; NULL: its process's */
    u64 user_ticks, system_ticks;              /* clock ticks charged to it */
    u64 switches_voluntary, switches_involuntary;
    TAILQ_ENTRY(thread) run_link;              /* in the run queue */
    TAILQ_ENTRY(thread) process_link;          /* in its process's list; changed with interrupts disabled */
};

/* The thread that runs; NULL only before scheduler_start. */
static inline struct thread *
current_thread(void)
{
    return cpu()->thread;
}

/*
 * The process of the thread that runs: for kernel threads the one with number 0, which has neither aspace nor
 * files.
 */
static inline struct process *
current_process(void)
{
    return cpu()->thread->process;
}

/* What a thread is called, THREAD_NAME_BYTES: the thread with the process's number has the process's name. */
char *thread_name(struct thread *thread);

/* The thread of a number, or NULL. */
struct thread *thread_find(u32 id);

/*
 * A thread of `process` with this number, which it takes over unless it is the process's own. It begins by going to
 * user mode with the registers in thread->frame, which the caller fills in along with fpu, tls, fs, gs and signals.
 * In no queue yet. NULL without memory.
 */
struct thread *thread_create_user(struct process *process, struct pid *pid);

/* A thread that runs `body` in the kernel, runnable at once; when body returns it ends. NULL without memory. */
struct thread *thread_spawn_kernel(struct process *process, void (*body)(void));

/* Move a thread from its process, which then can be freed, to process 0. It gives up its number. */
void thread_leave_process(struct thread *thread);

/* Give a thread the number of its process, whose first thread has ended (exec). */
void thread_become_first(struct thread *thread);

/* Free a thread that never ran, or has ended and does not run. */
void thread_free(struct thread *thread);

/* End the current thread: it leaves its process and is freed by the thread that runs next. */
void thread_exit(void) __attribute__((noreturn));

/*
 * Save into `thread` what the current thread has in registers that the kernel does not use (FPU, fs, gs); load
 * it from there.
 */
void thread_save_user_state(struct thread *thread);
void thread_load_user_state(struct thread *thread);
