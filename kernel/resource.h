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

/* Whether RLIMIT_NPROC lets the process have one more child; root may always. */
bool resource_allows_process(const struct process *process);

/* What a child and those it waited for have used, as a struct rusage in user memory: 0 or -EFAULT. */
int resource_write_child_usage(const struct process *child, u32 address);
