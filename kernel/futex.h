/*
 * Futexes: threads that sleep until somebody wakes them by the address of a word in user memory. What the word means
 * is the program's business; the kernel only compares it, once, before it lets a thread sleep.
 *
 *     futex.c          who waits for which word: keys, queues, waking, moving waiters to another word
 *     futex_calls.c    the system calls: values, timeouts, operations
 *     futex_robust.c   what the end of a thread does to the words it holds
 *
 * A word is known by what it lies in rather than by where it is mapped: memory that processes share by its object and
 * the place in it, all other memory by its address space and the address. So a word in shared memory is the same for
 * all who map it, and a child of fork has words of its own where its memory is its own. A word that the program calls
 * private (FUTEX_PRIVATE_FLAG) has a queue apart, as on Linux: such calls need not look at the memory.
 *
 * For threads only; none of it is touched by interrupt handlers.
 */
#pragma once

#include <bsd/sys/queue.h>

#include "kernel/types.h"
#include "kernel/wait.h"

struct object;
struct thread;

struct futex_key {
    const void *space;                 /* struct aspace or struct object: only its identity counts */
    struct object *object;             /* the object again if the word is in shared memory, else NULL */
    u32 page, offset;                  /* in the space; bytes in the page */
    bool private;
};

/* One thread's wait, on its stack. */
struct futex_waiter {
    struct futex_key key;              /* changed by futex_requeue */
    u32 bits;                          /* woken by wakers that have one of these */
    bool woken;                        /* and in no queue any more */
    struct wait_queue sleep;
    TAILQ_ENTRY(futex_waiter) link;    /* in the chain of its key, longest waiter first */
};

/*
 * The key of a word of the current address space: 0, -EINVAL if the address is not aligned, -EFAULT. `private` says
 * that no other process waits for it: then memory is not even looked at.
 */
int futex_key_of(u32 address, bool private, struct futex_key *key);

/* Begin to wait for waiter->key, which is filled in along with bits. From now on a wake-up is not lost. */
void futex_enlist(struct futex_waiter *waiter);

/* Sleep until woken: 0, or as wait_timeout. */
int futex_sleep(struct futex_waiter *waiter, u64 deadline_nanoseconds);

/* Wait no longer: true if it was woken. To be called once for each futex_enlist. */
bool futex_delist(struct futex_waiter *waiter);

/* Wake at most `count` that wait for the word with one of these bits: how many. */
u32 futex_wake(const struct futex_key *key, u32 count, u32 bits);

/* Wake at most `wakes` that wait for `from`, and have at most `moves` more wait for `to` instead: how many in all. */
u32 futex_requeue(const struct futex_key *from, u32 wakes, const struct futex_key *to, u32 moves);

/* Wake one that waits for the word at a user address; a bad one wakes nobody. */
void futex_wake_address(u32 address);

/*
 * The current thread leaves its address space, by its end or by exec: the robust locks that it holds pass to whoever
 * waits for them, and the word that set_tid_address named is cleared. May sleep.
 */
void futex_thread_ends(struct thread *thread);
