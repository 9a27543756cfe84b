/* What processes use and may use: limits, usage, priorities. */
#include "kernel/resource.h"

#include "drivers/timer.h"
#include "kernel/permission.h"
#include "kernel/pid.h"
#include "kernel/process.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "mm/aspace.h"
#include "mm/frame.h"
#include "mm/kmem.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <linux/resource.h>

#define DEFAULT_STACK_BYTES (8u << 20)
#define DEFAULT_LOCKED_BYTES (8u << 20)
#define DEFAULT_OPEN_FILES 1024u
#define MAXIMUM_OPEN_FILES 4096u
#define OPEN_FILES_LIMIT (1u << 20)            /* even for root, as Linux's nr_open */
#define DEFAULT_QUEUE_BYTES 819200u

/* The stacks of all threads may take one part in so many of memory, and a user may have half of those threads. */
#define THREAD_SHARE 8u

#define NICE_LEAST (-20)
#define NICE_MOST 19
#define NICE_LEVELS 20                         /* getpriority answers 20 - nice, to keep clear of errors */

#define RLIMIT_INFINITE ((u32)RLIM_INFINITY)

/* ---- Limits ---- */

u32
resource_threads_maximum(void)
{
    return frame_total() / (THREAD_SHARE * KERNEL_STACK_PAGES);
}

void
resource_initialize_limits(struct process *process)
{
    u32 threads = resource_threads_maximum() / 2;

    for (u32 i = 0; i < RLIM_NLIMITS; i++)
        process->limits[i] = (struct rlimit){RLIMIT_INFINITE, RLIMIT_INFINITE};
    process->limits[RLIMIT_STACK].rlim_cur = DEFAULT_STACK_BYTES;
    process->limits[RLIMIT_NOFILE] = (struct rlimit){DEFAULT_OPEN_FILES, MAXIMUM_OPEN_FILES};
    process->limits[RLIMIT_CORE].rlim_cur = 0;
    process->limits[RLIMIT_MEMLOCK] = (struct rlimit){DEFAULT_LOCKED_BYTES, DEFAULT_LOCKED_BYTES};
    process->limits[RLIMIT_NPROC] = (struct rlimit){threads, threads};
    process->limits[RLIMIT_SIGPENDING] = (struct rlimit){threads, threads};
    process->limits[RLIMIT_MSGQUEUE] = (struct rlimit){DEFAULT_QUEUE_BYTES, DEFAULT_QUEUE_BYTES};
    process->limits[RLIMIT_NICE] = (struct rlimit){0, 0};
    process->limits[RLIMIT_RTPRIO] = (struct rlimit){0, 0};
}

static u32
limit_pages(const struct process *process, u32 resource)
{
    u32 bytes = (u32)process->limits[resource].rlim_cur;

    return bytes == RLIMIT_INFINITE ? ASPACE_PAGES_UNLIMITED : bytes >> PAGE_SHIFT;
}

u32
resource_lockable_pages(const struct process *process)
{
    bool root = process->identity.user.effective == IDENTITY_ROOT;

    return root ? ASPACE_PAGES_UNLIMITED : limit_pages(process, RLIMIT_MEMLOCK);
}

void
resource_apply_limits(const struct process *process, struct aspace *aspace)
{
    aspace->stack_limit_pages = limit_pages(process, RLIMIT_STACK);
    aspace->data_limit_pages = limit_pages(process, RLIMIT_DATA);
    aspace->size_limit_pages = limit_pages(process, RLIMIT_AS);
    aspace->lock_limit_pages = resource_lockable_pages(process);
    aspace->weight = (u32)(NICE_LEVELS - process->nice);
    aspace_limit_frames(aspace, limit_pages(process, RLIMIT_RSS));
}

bool
resource_allows_process(const struct process *process)
{
    u32 limit = (u32)process->limits[RLIMIT_NPROC].rlim_cur;
    u32 user = process->identity.user.real;
    struct process *other;
    u32 count = 0;

    if (pid_in_use() >= resource_threads_maximum())
        return false;
    if (process->identity.user.effective == IDENTITY_ROOT || limit == RLIMIT_INFINITE)
        return true;
    process_for_each(other) {
        if (other->identity.user.real == user)
            count += other->zombie ? 1 : other->thread_count;
    }
    return count < limit;
}

static int
limit_check(const struct process *process, u32 resource, const struct rlimit *limit)
{
    if (limit->rlim_cur > limit->rlim_max)
        return -EINVAL;
    if (resource == RLIMIT_NOFILE && limit->rlim_max > OPEN_FILES_LIMIT)
        return -EPERM;
    if (limit->rlim_max > process->limits[resource].rlim_max && !permission_is_root())
        return -EPERM;
    return 0;
}

/* A child in vfork works on its parent's address space, whose limits are not its own: they count from exec on. */
static void
limit_set(struct process *process, u32 resource, const struct rlimit *limit)
{
    process->limits[resource] = *limit;
    if (resource == RLIMIT_CPU)
        resource_limit_time(process);
    if (process->aspace != NULL && process->vfork == NULL)
        resource_apply_limits(process, process->aspace);
}

/* ---- RLIMIT_CPU ---- */

/* Ticks of the clock. */
static u64
limit_time_used(const struct process *process)
{
    struct process_usage usage;

    process_usage_so_far(process, &usage);
    return usage.user_ticks + usage.system_ticks;
}

static u64
limit_ticks(u32 seconds)
{
    return seconds != RLIMIT_INFINITE ? (u64)seconds * TIMER_HERTZ : UINT64_MAX;
}

void
resource_limit_time(struct process *process)
{
    u64 ticks = limit_ticks((u32)process->limits[RLIMIT_CPU].rlim_cur), used;

    if (ticks == UINT64_MAX) {
        process->limited_ticks = 0;
        return;
    }
    used = limit_time_used(process);
    ticks = ticks > used ? ticks - used : 1;
    process->limited_ticks = ticks < UINT32_MAX ? (u32)ticks : UINT32_MAX;
}

void
resource_tick(struct process *process)
{
    struct rlimit *limit = &process->limits[RLIMIT_CPU];
    u64 used;

    if (process->limited_ticks == 0 || --process->limited_ticks > 0)
        return;
    used = limit_time_used(process);
    if (used >= limit_ticks((u32)limit->rlim_max)) {
        signal_send(process, SIGKILL, NULL);
    } else if (used >= limit_ticks((u32)limit->rlim_cur)) {
        signal_send(process, SIGXCPU, NULL);
        limit->rlim_cur++;
    }
    resource_limit_time(process);
}

/* ---- The calls ---- */

s32
sys_ugetrlimit(u32 resource, u32 limit)
{
    if (resource >= RLIM_NLIMITS)
        return -EINVAL;
    return user_copy_out(limit, &current_process()->limits[resource], sizeof(struct rlimit));
}

/* The older call shows infinity as the largest signed number. */
s32
sys_getrlimit(u32 resource, u32 limit_address)
{
    struct rlimit limit;

    if (resource >= RLIM_NLIMITS)
        return -EINVAL;
    limit = current_process()->limits[resource];
    if (limit.rlim_cur > INT32_MAX)
        limit.rlim_cur = INT32_MAX;
    if (limit.rlim_max > INT32_MAX)
        limit.rlim_max = INT32_MAX;
    return user_copy_out(limit_address, &limit, sizeof(limit));
}

s32
sys_setrlimit(u32 resource, u32 limit_address)
{
    struct process *process = current_process();
    struct rlimit limit;
    int result;

    if (resource >= RLIM_NLIMITS)
        return -EINVAL;
    if (user_copy_in(&limit, limit_address, sizeof(limit)) < 0)
        return -EFAULT;
    result = limit_check(process, resource, &limit);
    if (result == 0)
        limit_set(process, resource, &limit);
    return result;
}

/* Between limits of 64 bits in prlimit64 and of 32 bits here: what does not fit is infinite. */
static u32
limit_narrow(u64 limit)
{
    return limit > RLIMIT_INFINITE ? RLIMIT_INFINITE : (u32)limit;
}

static u64
limit_widen(u32 limit)
{
    return limit == RLIMIT_INFINITE ? RLIM64_INFINITY : limit;
}

static int
limit_write64(u32 address, const struct rlimit *limit)
{
    struct rlimit64 wide = {limit_widen((u32)limit->rlim_cur), limit_widen((u32)limit->rlim_max)};

    return user_copy_out(address, &wide, sizeof(wide));
}

/* The process whose limits a call means: 0 for the caller's, or the number of any thread. */
static struct process *
limit_process(u32 id)
{
    return id == 0 ? current_process() : process_find_by_thread(id);
}

/* As Linux decides it: one's own; root may; and where all numbers of the other are the caller's real ones. */
static bool
limit_may_touch(const struct process *process)
{
    const struct identity *own = &current_process()->identity;
    const struct identity *other = &process->identity;

    return process == current_process() || permission_is_root()
        || (identity_numbers_are(&other->user, own->user.real) && identity_numbers_are(&other->group, own->group.real));
}

s32
sys_prlimit64(u32 id, u32 resource, u32 limit_address, u32 old_address)
{
    struct process *process;
    struct rlimit64 wide;
    struct rlimit limit = {0};
    int result = 0;

    if (limit_address != 0 && user_copy_in(&wide, limit_address, sizeof(wide)) < 0)
        return -EFAULT;
    process = limit_process(id);
    if (process == NULL)
        return -ESRCH;
    if (!limit_may_touch(process))
        return -EPERM;
    if (resource >= RLIM_NLIMITS)
        return -EINVAL;
    if (limit_address != 0) {
        limit = (struct rlimit){limit_narrow(wide.rlim_cur), limit_narrow(wide.rlim_max)};
        result = limit_check(process, resource, &limit);
    }
    if (result == 0 && old_address != 0)
        result = limit_write64(old_address, &process->limits[resource]);
    if (result < 0 || limit_address == 0)
        return result;
    /* Writing the old one may have slept, and the process may have gone. */
    process = limit_process(id);
    if (process == NULL)
        return -ESRCH;
    limit_set(process, resource, &limit);
    return 0;
}

/* ---- Usage ---- */

static int
usage_write(u32 address, const struct process_usage *usage)
{
    struct rusage user = {0};

    user.ru_utime = time_to_timeval(time_from_ticks(usage->user_ticks));
    user.ru_stime = time_to_timeval(time_from_ticks(usage->system_ticks));
    user.ru_maxrss = (long)(usage->resident_maximum * (PAGE_SIZE / 1024));
    user.ru_minflt = (long)usage->minor_faults;
    user.ru_majflt = (long)usage->major_faults;
    user.ru_nvcsw = (long)usage->switches_voluntary;
    user.ru_nivcsw = (long)usage->switches_involuntary;
    return user_copy_out(address, &user, sizeof(user));
}

int
resource_write_child_usage(const struct process *child, u32 address)
{
    struct process_usage usage;

    process_usage_so_far(child, &usage);
    process_usage_add(&usage, &child->children_usage);
    return usage_write(address, &usage);
}

s32
sys_getrusage(u32 who, u32 address)
{
    const struct process *process = current_process();
    struct process_usage usage;

    if ((s32)who == RUSAGE_CHILDREN)
        usage = process->children_usage;
    else if (who == RUSAGE_SELF)
        process_usage_so_far(process, &usage);
    else if (who == RUSAGE_THREAD)
        process_usage_of_thread(current_thread(), &usage);
    else
        return -EINVAL;
    return usage_write(address, &usage);
}

/* ---- Priorities ---- */

/* Round robin knows no priorities: the nice value decides about frames alone (alloc=priority). */
static struct process *
priority_process(u32 who)
{
    return who != 0 ? process_find_by_thread(who) : current_process();
}

/* Whether it belongs to the group or to the user; 0 is the caller's own. */
static bool
priority_concerns(const struct process *process, u32 which, u32 who)
{
    const struct process *own = current_process();

    if (which == PRIO_PGRP)
        return process->group->number == (who != 0 ? who : own->group->number);
    return process->identity.user.real == (who != 0 ? who : own->identity.user.real);
}

/* The highest priority of all that are meant. */
s32
sys_getpriority(u32 which, u32 who)
{
    const struct process *process;
    s32 highest = -ESRCH;

    if (which > PRIO_USER)
        return -EINVAL;
    if (which == PRIO_PROCESS) {
        process = priority_process(who);
        return process != NULL ? NICE_LEVELS - process->nice : -ESRCH;
    }
    process_for_each(process) {
        if (priority_concerns(process, which, who) && NICE_LEVELS - process->nice > highest)
            highest = NICE_LEVELS - process->nice;
    }
    return highest;
}

bool
resource_may_rank(const struct process *process)
{
    u32 own = current_process()->identity.user.effective;

    return own == IDENTITY_ROOT || own == process->identity.user.real || own == process->identity.user.effective;
}

bool
resource_allows_nice(const struct process *process, s32 nice)
{
    return permission_is_root() || (u32)(NICE_LEVELS - nice) <= (u32)process->limits[RLIMIT_NICE].rlim_cur;
}

static int
priority_set(struct process *process, s32 nice)
{
    if (!resource_may_rank(process))
        return -EPERM;
    if (nice < NICE_LEAST)
        nice = NICE_LEAST;
    if (nice > NICE_MOST)
        nice = NICE_MOST;
    if (nice < process->nice && !resource_allows_nice(process, nice))
        return -EACCES;
    process->nice = nice;
    if (process->aspace != NULL)
        process->aspace->weight = (u32)(NICE_LEVELS - nice);
    return 0;
}

/* As on Linux all are tried; of several errors the last is told. */
s32
sys_setpriority(u32 which, u32 who, u32 nice)
{
    struct process *process;
    int result = -ESRCH;

    if (which > PRIO_USER)
        return -EINVAL;
    if (which == PRIO_PROCESS) {
        process = priority_process(who);
        return process != NULL ? priority_set(process, (s32)nice) : -ESRCH;
    }
    process_for_each(process) {
        if (priority_concerns(process, which, who)) {
            int error = priority_set(process, (s32)nice);

            if (error < 0 || result == -ESRCH)
                result = error;
        }
    }
    return result;
}

s32
sys_nice(u32 increment)
{
    s32 change = (s32)increment;

    /* Beyond these it makes no difference, and sums cannot overflow. */
    if (change > 2 * NICE_LEVELS)
        change = 2 * NICE_LEVELS;
    if (change < -2 * NICE_LEVELS)
        change = -2 * NICE_LEVELS;
    return priority_set(current_process(), current_process()->nice + change);
}
