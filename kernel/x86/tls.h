/*
 * Thread-local storage on i386: a thread owns GDT entries 6 to 8, and libc keeps a segment for its thread's
 * data there, which %gs selects (set_thread_area, clone with CLONE_SETTLS). The descriptors are loaded at each
 * switch to the thread.
 */
#pragma once

#include "kernel/types.h"

struct thread;

/*
 * Set one descriptor of a thread as the struct user_desc at a user address says. If it may pick, an entry_number of -1
 * is for a free entry, whose number is written back. 0, -EFAULT, -EINVAL, or -ESRCH if all are taken. The processor has
 * it from the next switch to the thread on.
 */
int tls_set(struct thread *thread, u32 description_address, bool may_pick);
