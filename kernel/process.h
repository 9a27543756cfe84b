/*
 * A process: an address space, open files and the rest of what its threads share, in a tree of parents and
 * children. It is created by fork (fork.c) or, the first one, by process_spawn_init; changes its program by
 * exec (exec.c); and ends by process_exit (exit.c) as a zombie that holds nothing but its status until its
 * parent has waited for it (wait_child.c).
 *
 * All of it is changed only by threads, never by interrupt handlers, except what signal.h says and group_link.
 */
#pragma once

#include <bsd/sys/queue.h>

#include "kernel/alarm.h"
#include "kernel/identity.h"
#include "kernel/pid.h"
#include "kernel/signal.h"
#include "kernel/thread.h"
#include "kernel/types.h"
#include "kernel/wait.h"

#include <linux/resource.h>

struct aspace;
struct file_table;
struct inode;
struct trap_frame;

/* What has been used up, for getrusage, times and wait4. */
struct process_usage {
    u64 user_ticks, system_ticks;
    u64 minor_faults, major_faults;
    u64 switches_voluntary, switches_involuntary;
    u32 resident_maximum;                      /* pages; of children: the largest */
};

/* An interval timer of setitimer other than ITIMER_REAL, which counts ticks of processor time. */
struct process_timer {
    u32 left;                                  /* ticks until it goes off; 0: not armed */
    u32 interval;                              /* ticks to start again with, or 0 */
};

/* On the stack of a parent in vfork: the child wakes it at exec or exit. */
struct process_vfork {
    bool done;
    struct wait_queue queue;
};

struct process {
    /* Identity and family. */
    struct pid *pid;
    u32 id;                                    /* pid->number, at hand; 0: the kernel's */
    struct pid *group, *session;
    bool left_terminal;                        /* gave its session's terminal up (TIOCNOTTY); children inherit it */
    LIST_ENTRY(process) group_link;            /* in group->group */
    TAILQ_ENTRY(process) all_link;             /* in the list of all, oldest first */
    struct process *parent;                    /* an orphan's is the nearest reaper or init, init's is process 0 */
    LIST_HEAD(, process) children;             /* zombies included; youngest first */
    LIST_ENTRY(process) sibling_link;
    struct identity identity;
    char name[THREAD_NAME_BYTES];              /* last part of the program's path, or what prctl said */

    /* What its threads share. */
    TAILQ_HEAD(, thread) threads;              /* oldest first; changed with interrupts disabled */
    u32 thread_count;
    struct thread *exec_thread;                /* in exec, until all others have ended; else NULL */
    struct wait_queue thread_wait;             /* it sleeps here */
    struct aspace *aspace;                     /* NULL: kernel threads and zombies */
    struct file_table *files;                  /* NULL: kernel threads and zombies */
    struct inode *directory;                   /* current one, held; NULL for zombies */
    struct inode *executable;                  /* the program's file, held as such; NULL before exec and for zombies */
    u32 file_mode_mask;                        /* umask */
    struct process *place_next;                /* ring of those who share both (CLONE_FS); alone: itself */
    struct signal_process signals;
    struct rlimit limits[RLIM_NLIMITS];
    s16 oom_adjustment;                        /* thousandths of memory and swap area, for oom.c: -1000 to 1000 */
    s16 oom_adjustment_least;                  /* what root set last: nobody else may go below */
    int nice;                                  /* -20 to 19; its part of memory with alloc=priority, no more */

    /* Time. */
    struct alarm real_alarm;                   /* ITIMER_REAL */
    u64 real_interval;                         /* nanoseconds, or 0 */
    struct process_timer virtual_timer, profile_timer;
    u32 limited_ticks;                         /* of processor time until RLIMIT_CPU has something to say; 0: never */
    LIST_HEAD(, posix_timer) timers;           /* youngest first; only posix_timer.c looks inside */
    u32 next_timer;                            /* number of the next */
    u64 start_time;                            /* nanoseconds from boot to fork, by the tick */
    struct process_usage usage;                /* of past threads and programs; the rest is in threads and aspace */
    struct process_usage children_usage;       /* of children waited for */

    /* The end. */
    bool exiting;                              /* process_exit has begun: every thread ends */
    bool zombie;                               /* has ended, not yet waited for */
    bool claimed;                              /* a zombie whose status a thread of the parent is being told */
    bool is_reaper;                            /* prctl: adopts the orphans among its descendants, as init does */
    int parent_end_signal;                     /* prctl: what it is sent when its parent ends; 0: nothing */
    bool dumpable;                             /* prctl: kept, not acted upon: there are no core files */
    u32 personality;                           /* what sys_personality was told last */
    bool no_new_privileges;                    /* prctl: set-user-id and set-group-id mean nothing to it, for ever */
    bool has_executed;                         /* has called exec since fork (setpgid) */
    u32 exit_status;                           /* as wait4 reports it; until then what the first thread ended with */
    int exit_signal;                           /* what the parent is sent: SIGCHLD after fork; 0: nothing */
    struct wait_queue child_wait;              /* the parent sleeps here for news of its children */
    struct process_vfork *vfork;               /* the parent sleeps until we exec or exit, or NULL */
};

/* Set up the process layer: what a panic and reclaim ask it, process 0's limits, the clock. Before scheduler_start. */
void process_start(void);

/*
 * Start the program at `path` as process 1 with these arguments (NULL-terminated, argument 0 included) and the
 * console as files 0, 1 and 2. 0 or a negative errno. Called once, from the boot thread, when the root
 * directory is there.
 */
int process_spawn_init(const char *path, const char *const *arguments);

/* The process of a number, zombies included, or NULL. */
struct process *process_find(u32 id);

/* The same where the number may also be that of any thread. */
struct process *process_find_by_thread(u32 id);

/* Every process, zombies included, oldest first. The body must neither sleep nor end one. */
#define process_for_each(process) TAILQ_FOREACH(process, &process_list, all_link)
TAILQ_HEAD(process_list, process);
extern struct process_list process_list;
extern u32 process_count;                      /* in that list */

/* Process 0, to which kernel threads belong; not in the list. It ignores every signal. */
extern struct process process_kernel;

/* Its oldest thread; NULL for a zombie. */
static inline struct thread *
process_first_thread(const struct process *process)
{
    return TAILQ_FIRST(&process->threads);
}

/* Letter of Linux's /proc/PID/stat: R, S, D, T or Z; or W, as Unix had it, for one that is swapped out as a whole. */
char process_state_letter(const struct process *process);

/* The same for one thread. */
char thread_state_letter(const struct thread *thread);

/* What it has used so far, its threads and present program included. */
void process_usage_so_far(const struct process *process, struct process_usage *usage);

/* What one thread has used; faults are counted for the process alone. */
void process_usage_of_thread(const struct thread *thread, struct process_usage *usage);

/* Add what a thread or the present aspace has used to process->usage, before the process loses it. */
void process_usage_retire_thread(struct process *process, const struct thread *thread);
void process_usage_retire_aspace(struct process *process);

/* Add up; of resident_maximum the larger. */
void process_usage_add(struct process_usage *to, const struct process_usage *from);

/*
 * A process with a number and nothing else: without threads, aspace and files, in no list. NULL without memory
 * or number.
 */
struct process *process_allocate(void);

/* Give back structure and number of a process that has no threads and is in no list. */
void process_free(struct process *process);

/* Put it below its parent, into a group and session, and among all processes; and the reverse. */
void process_link(struct process *process, struct process *parent, struct pid *group, struct pid *session);
void process_unlink(struct process *process);

/* Move it to another group. */
void process_change_group(struct process *process, struct pid *group);

/* The process has let go of its parent's aspace: let a parent that waits in vfork go on. Does nothing without one. */
void process_vfork_release(struct process *process);

/* Let a child share current directory and umask with its parent from now on (CLONE_FS); and no longer with anybody. */
void process_share_place(struct process *child, struct process *parent);
void process_leave_place(struct process *process);

/* Change them, for all who share them. The inode is held anew. */
void process_set_directory(struct process *process, struct inode *directory);
void process_set_file_mode_mask(struct process *process, u32 mask);

/* Name it after the last part of its program's path, cut to fit. */
void process_set_name(struct process *process, const char *path);

/*
 * End the current process, all its threads, with this wait status (process_status_* below); the current thread at
 * once, the others as soon as they look. Ends the machine if it is init.
 */
void process_exit(u32 wait_status) __attribute__((noreturn));

/* For exec: end all threads but the current one, and wait until they have. 0; -EINTR: it is to end itself. Sleeps. */
int process_end_other_threads(struct process *process);

/* A thread has left the process or will not act on signals any more: others may have to do what waited for it. */
void process_thread_left(struct process *process);

/*
 * Status words of wait4: the exit code above the signal that ended the process, of which one is 0; or, of a child that
 * lives, the signal that stopped it above PROCESS_STATUS_STOPPED, or PROCESS_STATUS_CONTINUED.
 */
#define PROCESS_STATUS_SHIFT 8
#define PROCESS_STATUS_SIGNAL 0x7fu
#define PROCESS_STATUS_STOPPED 0x7fu
#define PROCESS_STATUS_CONTINUED 0xffffu

static inline u32
process_status_exited(u32 code)
{
    return (code & 0xff) << PROCESS_STATUS_SHIFT;
}

static inline u32
process_status_signalled(int signal)
{
    return (u32)signal;
}

static inline u32
process_status_stopped(int signal)
{
    return (u32)signal << PROCESS_STATUS_SHIFT | PROCESS_STATUS_STOPPED;
}

/* The reverse, of a process that has ended: the signal that ended it, or 0; and its exit code. */
static inline int
process_status_signal(u32 wait_status)
{
    return (int)(wait_status & PROCESS_STATUS_SIGNAL);
}

static inline int
process_status_code(u32 wait_status)
{
    return (int)(wait_status >> PROCESS_STATUS_SHIFT);
}

/* What SIGCHLD and waitid say of a child: code is CLD_*, status an exit code or a signal; and of one that has ended. */
void process_child_info(const struct process *process, s32 code, int status, struct signal_info *info);
void process_end_info(const struct process *process, struct signal_info *info);
