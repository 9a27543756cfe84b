/* Resource limits: kept for each process, given to its address space where mm obeys them. */
#pragma once

#include "kernel/types.h"

struct aspace;
struct process;

/* The limits that the first process starts with; others inherit. */
void resource_initialize_limits(struct process *process);

/*
 * Hand what mm obeys to an address space, at fork, exec and setrlimit: RLIMIT_STACK, RLIMIT_DATA, RLIMIT_AS,
 * RLIMIT_MEMLOCK and RLIMIT_RSS, and the weight that the nice value gives it (alloc=priority).
 */
void resource_apply_limits(const struct process *process, struct aspace *aspace);

/* Pages that it may have locked (RLIMIT_MEMLOCK); ASPACE_PAGES_UNLIMITED for root. */
u32 resource_lockable_pages(const struct process *process);

/* So many threads may there be, of all processes: their stacks take a part of memory only. */
u32 resource_threads_maximum(void);

/* Whether there may be one more thread, and RLIMIT_NPROC lets the process's user have it; that does not bind root. */
bool resource_allows_process(const struct process *process);

/* Whether the current process may change how this one is scheduled: root, and its user, may. */
bool resource_may_rank(const struct process *process);

/* Whether the process may have this nice value, be it better than its own: RLIMIT_NICE, which does not bind root. */
bool resource_allows_nice(const struct process *process, s32 nice);

/*
 * RLIMIT_CPU: begin to count, for a process that comes to be or has got another limit; and one tick of its time, in
 * the clock's interrupt handler: SIGXCPU each second from the soft limit on, SIGKILL at the hard one.
 */
void resource_limit_time(struct process *process);
void resource_tick(struct process *process);

/* What a child and those it waited for have used, as a struct rusage in user memory: 0 or -EFAULT. */
int resource_write_child_usage(const struct process *child, u32 address);
