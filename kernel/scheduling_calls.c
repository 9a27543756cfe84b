/*
 * The system calls about who runs when, and on which processor. There is one processor, number 0, and one way to
 * share it, in turns: SCHED_OTHER. BATCH and IDLE promise less, and are remembered. The real-time policies answer as
 * for one who may not have them.
 */
#include "kernel/process.h"
#include "kernel/resource.h"
#include "kernel/scheduler.h"
#include "kernel/syscall.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <linux/sched.h>

#define PROCESSORS 1u               /* as a mask: processor 0 */

#define POLICY_KEPT (-1)            /* the one that there is */
#define FLAGS ((u32)SCHED_RESET_ON_FORK)        /* what a policy may come with */

#define REAL_TIME_PRIORITY_LEAST 1
#define REAL_TIME_PRIORITY_MOST 99

static bool
scheduling_has(u32 id)
{
    return id == 0 || process_find_by_thread(id) != NULL;
}

s32
sys_sched_yield(void)
{
    scheduler_yield();
    return 0;
}

/* The result is the number of bytes written. */
s32
sys_sched_getaffinity(u32 id, u32 bytes, u32 mask)
{
    if (!scheduling_has(id))
        return -ESRCH;
    if (bytes < sizeof(u32) || bytes % sizeof(u32) != 0)
        return -EINVAL;
    return user_write_word(mask, PROCESSORS) < 0 ? -EFAULT : (s32)sizeof(u32);
}

s32
sys_sched_setaffinity(u32 id, u32 bytes, u32 mask)
{
    u32 processors = 0;

    if (user_copy_in(&processors, mask, bytes < sizeof(processors) ? bytes : sizeof(processors)) < 0)
        return -EFAULT;
    if (!scheduling_has(id))
        return -ESRCH;
    if (id != 0 && !resource_may_rank(process_find_by_thread(id)))
        return -EPERM;
    return (processors & PROCESSORS) != 0 ? 0 : -EINVAL;
}

/* The thread that a call means; NULL for one that has ended but is not waited for. */
static struct thread *
scheduling_thread(u32 id)
{
    return id == 0 ? current_thread() : thread_find(id);
}

s32
sys_sched_getscheduler(u32 id)
{
    const struct thread *thread = scheduling_thread(id);

    if ((s32)id < 0)
        return -EINVAL;
    if (!scheduling_has(id))
        return -ESRCH;
    return thread != NULL ? (s32)thread->policy : SCHED_NORMAL;
}

/* Whether a policy can be had with this priority: 0, -EINVAL or -EPERM. */
static s32
scheduling_check(u32 policy, u32 priority)
{
    switch (policy) {
    case SCHED_NORMAL:
    case SCHED_BATCH:
    case SCHED_IDLE:
        return priority == 0 ? 0 : -EINVAL;
    case SCHED_FIFO:
    case SCHED_RR:
        return priority >= REAL_TIME_PRIORITY_LEAST && priority <= REAL_TIME_PRIORITY_MOST ? -EPERM : -EINVAL;
    default:
        return -EINVAL;
    }
}

/* Whether the caller may give the thread this policy. Out of IDLE leads what nice values allow, as on Linux. */
static bool
scheduling_may_change(const struct thread *thread, u32 policy)
{
    const struct process *process = thread->process;
    bool leaves_idle = (thread->policy & ~FLAGS) == SCHED_IDLE && policy != SCHED_IDLE;

    return resource_may_rank(process) && (!leaves_idle || resource_allows_nice(process, process->nice));
}

/* The thread is NULL if it has ended. */
static s32
scheduling_change(struct thread *thread, s32 wanted, u32 priority)
{
    u32 policy = wanted != POLICY_KEPT ? (u32)wanted : thread != NULL ? thread->policy : SCHED_NORMAL;
    s32 result = scheduling_check(policy & ~FLAGS, priority);

    if (result < 0 || thread == NULL)
        return result;
    if (!scheduling_may_change(thread, policy & ~FLAGS))
        return -EPERM;
    thread->policy = policy;
    return 0;
}

static s32
scheduling_set(u32 id, s32 policy, u32 priority_address)
{
    u32 priority;

    if ((s32)id < 0 || priority_address == 0)
        return -EINVAL;
    if (user_read_word(&priority, priority_address) < 0)
        return -EFAULT;
    return scheduling_has(id) ? scheduling_change(scheduling_thread(id), policy, priority) : -ESRCH;
}

s32
sys_sched_setscheduler(u32 id, s32 policy, u32 priority_address)
{
    return policy < 0 ? -EINVAL : scheduling_set(id, policy, priority_address);
}

s32
sys_sched_setparam(u32 id, u32 priority_address)
{
    return scheduling_set(id, POLICY_KEPT, priority_address);
}

s32
sys_sched_getparam(u32 id, u32 priority_address)
{
    if ((s32)id < 0 || priority_address == 0)
        return -EINVAL;
    if (!scheduling_has(id))
        return -ESRCH;
    return user_write_word(priority_address, 0);
}

/* How long a turn lasts, whatever the process. */
static s32
scheduling_interval(u32 id, u32 interval_address, time_writer write)
{
    if ((s32)id < 0)
        return -EINVAL;
    if (!scheduling_has(id))
        return -ESRCH;
    return write(interval_address, time_from_ticks(SCHEDULER_SLICE_TICKS));
}

s32
sys_sched_rr_get_interval(u32 id, u32 interval_address)
{
    return scheduling_interval(id, interval_address, time_write_old_timespec);
}

s32
sys_sched_rr_get_interval_time64(u32 id, u32 interval_address)
{
    return scheduling_interval(id, interval_address, time_write_timespec);
}

/* There is one processor, and one node. */
s32
sys_getcpu(u32 processor, u32 node)
{
    if (processor != 0 && user_write_word(processor, 0) < 0)
        return -EFAULT;
    return node != 0 ? user_write_word(node, 0) : 0;
}

/* One end of the priorities of a policy. */
static s32
scheduling_bound(s32 policy, s32 bound)
{
    switch (policy) {
    case SCHED_NORMAL:
    case SCHED_BATCH:
    case SCHED_IDLE:
        return 0;
    case SCHED_FIFO:
    case SCHED_RR:
        return bound;
    default:
        return -EINVAL;
    }
}

s32
sys_sched_get_priority_max(s32 policy)
{
    return scheduling_bound(policy, REAL_TIME_PRIORITY_MOST);
}

s32
sys_sched_get_priority_min(s32 policy)
{
    return scheduling_bound(policy, REAL_TIME_PRIORITY_LEAST);
}
