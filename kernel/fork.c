/*
 * fork, vfork and clone: one route for the three, told apart by Linux's clone flags. A thread (CLONE_THREAD) is the
 * shorter part of it: number, structure and registers; all else it finds in its process.
 *
 *     check -> structures -> signals, files -> address space -> registers -> commit: into the tree and the run queue
 *
 * Everything that can fail comes before the commit, and a failure gives back all that was taken. The address
 * space comes last of these, since taking write access away from the parent's tables costs the parent soft
 * faults even if nothing comes of it.
 */
#include "kernel/file.h"
#include "kernel/inode.h"
#include "kernel/lib/string.h"
#include "kernel/pid.h"
#include "kernel/process.h"
#include "kernel/resource.h"
#include "kernel/scheduler.h"
#include "kernel/suspension.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/x86/tls.h"
#include "kernel/x86/trap.h"
#include "mm/aspace.h"
#include "mm/counters.h"
#include "mm/fork.h"
#include "mm/frame.h"
#include "mm/reclaim.h"
#include "mm/trace_output.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <linux/sched.h>

struct fork_request {
    u32 flags;              /* CLONE_*, and the signal at exit in the low byte */
    u32 stack;              /* the child's user stack pointer; 0: as the parent's */
    u32 parent_tid;         /* user addresses, used as the flags say */
    u32 child_tid;
    u32 tls;
};

/*
 * These change nothing here: nobody traces, and requests to disks are nobody's own. CLONE_DETACHED does nothing on
 * Linux either.
 */
#define IDLE_FLAGS (CLONE_DETACHED | CLONE_SYSVSEM | CLONE_PTRACE | CLONE_UNTRACED | CLONE_IO)

/* A thread shares all of these with the others of its process, and may ask for those. */
#define THREAD_FLAGS_SHARED (CLONE_THREAD | CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND)
#define THREAD_FLAGS_KNOWN                                                                                           \
    (CSIGNAL | THREAD_FLAGS_SHARED | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID  \
     | IDLE_FLAGS)

/* Flags that a process (rather than a thread) can have. */
#define FORK_FLAGS_KNOWN                                                                                             \
    (CSIGNAL | CLONE_VM | CLONE_VFORK | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_SETTLS | CLONE_PARENT_SETTID  \
     | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | CLONE_PARENT | IDLE_FLAGS)

static int
fork_check(const struct fork_request *request)
{
    bool is_thread = (request->flags & CLONE_THREAD) != 0;
    u32 known = is_thread ? THREAD_FLAGS_KNOWN : FORK_FLAGS_KNOWN;
    u32 needed = is_thread ? THREAD_FLAGS_SHARED : (request->flags & CLONE_SIGHAND) != 0 ? CLONE_VM : 0;

    if ((request->flags & ~known) != 0 || (request->flags & needed) != needed)
        return -EINVAL;
    /* Who waits for init's siblings? */
    if ((request->flags & CLONE_PARENT) != 0 && current_process()->id == PID_INIT)
        return -EINVAL;
    if (!resource_allows_process(current_process()))
        return -EAGAIN;

    /* What runs already needs the last frames itself. */
    return reclaim_try(RECLAIM_LOW);
}

static int
fork_files(struct process *child, struct process *parent, u32 flags)
{
    child->files = (flags & CLONE_FILES) != 0 ? file_table_hold(parent->files) : file_table_fork(parent->files);
    if (child->files == NULL)
        return -ENOMEM;
    child->directory = inode_hold(parent->directory);
    if (parent->executable != NULL) {
        child->executable = inode_hold(parent->executable);
        inode_add_program(child->executable);       /* which is running already */
    }
    child->file_mode_mask = parent->file_mode_mask;
    if ((flags & CLONE_FS) != 0)
        process_share_place(child, parent);
    return 0;
}

static int
fork_give_aspace(struct process *child, struct process *parent, u32 flags)
{
    if ((flags & CLONE_VM) != 0) {
        aspace_hold(parent->aspace);
        child->aspace = parent->aspace;
        counters.vfork++;
        parent->aspace->counters.vfork++;
        return 0;
    }
    child->aspace = fork_aspace(parent->aspace);
    if (child->aspace == NULL)
        return -ENOMEM;
    resource_apply_limits(child, child->aspace);
    if (parent->aspace->trace != NULL) {
        trace_write_fork(parent->id, child->id);
        aspace_trace(child->aspace, child->id, parent->name);
    }
    return 0;
}

/* The child's registers: the parent's, but for the result and what clone asks for. */
static int
fork_registers(struct thread *child, struct thread *parent, const struct fork_request *request)
{
    memcpy(child->tls, parent->tls, sizeof(child->tls));
    if ((request->flags & CLONE_SETTLS) != 0) {
        int result = tls_set(child, request->tls, false);

        if (result < 0)
            return result;
    }
    *child->frame = *parent->frame;
    child->frame->eax = 0;
    if (request->stack != 0)
        child->frame->esp = request->stack;
    suspension_inherit(child, parent);
    thread_save_user_state(child);
    fpu_restore(&child->fpu);
    child->policy = parent->policy & ~(u32)SCHED_RESET_ON_FORK;
    child->timer_slack = child->timer_slack_default = parent->timer_slack;
    child->set_child_tid = (request->flags & CLONE_CHILD_SETTID) != 0 ? request->child_tid : 0;
    child->clear_child_tid = (request->flags & CLONE_CHILD_CLEARTID) != 0 ? request->child_tid : 0;
    return 0;
}

static void
fork_inherit(struct process *child, const struct process *parent)
{
    child->identity = identity_copy(&parent->identity);
    memcpy(child->name, thread_name(current_thread()), sizeof(child->name));
    memcpy(child->limits, parent->limits, sizeof(child->limits));
    resource_limit_time(child);
    child->nice = parent->nice < 0 && (current_thread()->policy & SCHED_RESET_ON_FORK) != 0 ? 0 : parent->nice;
    child->left_terminal = parent->left_terminal;
    child->dumpable = parent->dumpable;
    child->personality = parent->personality;
    child->no_new_privileges = parent->no_new_privileges;
    child->oom_adjustment = parent->oom_adjustment;
    child->oom_adjustment_least = parent->oom_adjustment_least;
    child->start_time = time_from_ticks(timer_ticks());
}

/* The number of what comes to be, where the caller wants it; that it cannot be written there stops nobody. */
static void
fork_tell_number(const struct fork_request *request, u32 number)
{
    if ((request->flags & CLONE_PARENT_SETTID) != 0)
        (void)user_write_word(request->parent_tid, number);
}

/* Gives back a child that never ran. */
static void
fork_abandon(struct process *child)
{
    struct thread *thread = process_first_thread(child);

    if (child->aspace != NULL)
        aspace_release(child->aspace);
    if (child->files != NULL)
        file_table_release(child->files);
    process_leave_place(child);
    inode_release(child->directory);
    inode_release_program(child->executable);
    if (thread != NULL) {
        signal_release(child);
        thread_free(thread);
    }
    process_free(child);
}

/* Fills in everything of the child: 0, or the caller abandons it. */
static int
fork_fill(struct process *child, const struct fork_request *request)
{
    struct thread *parent_thread = current_thread();
    struct process *parent = parent_thread->process;
    struct thread *thread = thread_create_user(child, child->pid);
    int result;

    if (thread == NULL)
        return -ENOMEM;
    fork_inherit(child, parent);
    result = signal_fork(child, thread, parent_thread, (request->flags & CLONE_SIGHAND) != 0);
    if (result == 0)
        result = fork_files(child, parent, request->flags);
    if (result == 0)
        result = fork_registers(thread, parent_thread, request);
    if (result == 0)
        result = fork_give_aspace(child, parent, request->flags);
    return result;
}

/*
 * Sleeps until the child in vfork has let go of the address space. A SIGKILL ends that: the aspace is counted,
 * so the child keeps it, but it must not find our stack any more.
 */
static void
fork_wait_for_vfork(struct process *child, struct process_vfork *vfork)
{
    while (!vfork->done) {
        if (wait_killable(&vfork->queue) != 0) {
            if (!vfork->done)
                child->vfork = NULL;
            return;
        }
    }
}

/* What the parent is sent at the child's end; a number that is no signal asks for none, as on Linux. */
static int
fork_exit_signal(u32 flags)
{
    return (flags & CSIGNAL) <= SIGNAL_COUNT ? (int)(flags & CSIGNAL) : 0;
}

/* With CLONE_PARENT the child is the caller's sibling, and ends like it. */
static void
fork_link(struct process *child, struct process *caller, u32 flags)
{
    bool is_sibling = (flags & CLONE_PARENT) != 0;

    child->exit_signal = is_sibling ? caller->exit_signal : fork_exit_signal(flags);
    process_link(child, is_sibling ? caller->parent : caller, caller->group, caller->session);
}

static s32
fork_process(const struct fork_request *request)
{
    struct process *parent = current_process();
    struct process_vfork vfork = {0};
    struct process *child;
    int result = fork_check(request);
    u32 id;

    if (result < 0)
        return result;
    child = process_allocate();
    if (child == NULL)
        return -EAGAIN;
    result = fork_fill(child, request);
    if (result < 0) {
        fork_abandon(child);
        return result;
    }
    id = child->id;
    fork_tell_number(request, id);
    fork_link(child, parent, request->flags);
    if ((request->flags & CLONE_VFORK) != 0)
        child->vfork = &vfork;
    scheduler_add_first(process_first_thread(child));
    if ((request->flags & CLONE_VFORK) != 0)
        fork_wait_for_vfork(child, &vfork);
    return (s32)id;
}

/* ---- Threads ---- */

/* Gives back a thread that never ran. */
static void
fork_abandon_thread(struct thread *thread)
{
    struct process *process = thread->process;

    thread_free(thread);
    process_thread_left(process);
}

/* Its registers, and its number to whom it concerns: 0, or the caller abandons it. */
static int
fork_fill_thread(struct thread *thread, const struct fork_request *request)
{
    struct process *process = thread->process;
    int result;

    memcpy(thread->name, thread_name(current_thread()), sizeof(thread->name));
    signal_clone(thread, current_thread());
    result = fork_registers(thread, current_thread(), request);
    fork_tell_number(request, thread->id);
    /* Whoever began to end the process or its other threads meanwhile may have missed this one. */
    if (result == 0 && (process->exiting || process->exec_thread != NULL))
        result = -EINTR;
    return result;
}

static s32
fork_thread(const struct fork_request *request)
{
    int result = fork_check(request);
    struct thread *thread;
    struct pid *pid;
    u32 id;

    if (result < 0)
        return result;
    pid = pid_allocate();
    if (pid == NULL)
        return -EAGAIN;
    thread = thread_create_user(current_process(), pid);
    if (thread == NULL) {
        pid_release(pid);
        return -ENOMEM;
    }
    result = fork_fill_thread(thread, request);
    if (result < 0) {
        fork_abandon_thread(thread);
        return result;
    }
    id = thread->id;
    signal_update_work(thread);
    scheduler_add(thread);
    return (s32)id;
}

/* ---- The system calls ---- */

s32
sys_fork(void)
{
    return fork_process(&(struct fork_request){.flags = SIGCHLD});
}

s32
sys_vfork(void)
{
    return fork_process(&(struct fork_request){.flags = CLONE_VM | CLONE_VFORK | SIGCHLD});
}

s32
sys_clone(u32 flags, u32 stack, u32 parent_tid, u32 tls, u32 child_tid)
{
    const struct fork_request request = {
        .flags = flags, .stack = stack, .parent_tid = parent_tid, .tls = tls, .child_tid = child_tid};

    return (flags & CLONE_THREAD) != 0 ? fork_thread(&request) : fork_process(&request);
}
