/*
 * Locks on files.
 *
 * Invariant: an owner's locks on one file do not overlap, and two of one type do not touch. There are few, so one list holds those of all files, and
 * another one who waits.
 */
#include "kernel/record_lock.h"

#include "kernel/process.h"
#include "kernel/wait.h"
#include "mm/kmem.h"

#include <asm/errno.h>
#include <bsd/sys/queue.h>
#include <linux/fcntl.h>

struct record_lock {
    LIST_ENTRY(record_lock) link;
    struct lock_owner owner;
    const struct inode *inode;         /* open as long as the lock is there */
    u32 process;                       /* number of the one that asked */
    s16 type;
    u64 first, last;
};

/* On the stack of a thread that waits. */
struct lock_wait {
    LIST_ENTRY(lock_wait) link;
    struct lock_owner owner;
    const struct inode *inode;
    const struct record_lock_request *request;
};

static LIST_HEAD(, record_lock) locks = LIST_HEAD_INITIALIZER(locks);
static LIST_HEAD(, lock_wait) lock_waits = LIST_HEAD_INITIALIZER(lock_waits);
static struct wait_queue unlocked;     /* whoever waits for any lock; they look again */

static bool
lock_is_owned(const struct record_lock *lock, struct lock_owner owner)
{
    return lock->owner.holder == owner.holder && lock->owner.whole == owner.whole;
}

static bool
lock_overlaps(const struct record_lock *lock, const struct record_lock_request *request)
{
    return lock->first <= request->last && request->first <= lock->last;
}

/* The one that begins first, if there are several. */
static struct record_lock *
lock_in_the_way(struct lock_owner owner, const struct inode *inode, const struct record_lock_request *request)
{
    struct record_lock *lock, *first = NULL;

    LIST_FOREACH(lock, &locks, link) {
        if (lock->inode == inode && lock->owner.whole == owner.whole && !lock_is_owned(lock, owner)
            && lock_overlaps(lock, request)
            && (lock->type == F_WRLCK || request->type == F_WRLCK)
            && (first == NULL || lock->first < first->first))
            first = lock;
    }
    return first;
}

/* What a process waits for: one of its threads, if several do. */
static const struct lock_wait *
lock_wait_of(struct lock_owner owner)
{
    const struct lock_wait *wait;

    LIST_FOREACH(wait, &lock_waits, link) {
        if (wait->owner.is_process && wait->owner.holder == owner.holder)
            return wait;
    }
    return NULL;
}

/*
 * Whether a process that waited for this lock would wait for itself: who has the lock waits for another, and so on, at
 * most through all who wait. Open files have no say in it, since any process may close them.
 */
static bool
lock_would_deadlock(struct lock_owner owner, const struct record_lock *lock)
{
    const struct lock_wait *step, *wait;

    LIST_FOREACH(step, &lock_waits, link) {
        if (lock == NULL || !owner.is_process || !lock->owner.is_process || !(wait = lock_wait_of(lock->owner)))
            return false;
        lock = lock_in_the_way(wait->owner, wait->inode, wait->request);
        if (lock != NULL && lock_is_owned(lock, owner))
            return true;
    }
    return false;
}

/*
 * Takes a range out of one of the owner's locks: true if what is left above it has taken up `rest`. Who waits looks
 * again.
 */
static bool
lock_cut(struct record_lock *lock, const struct record_lock_request *request, struct record_lock *rest)
{
    bool above = lock->last > request->last, below = lock->first < request->first;

    wait_wake_all(&unlocked);
    if (above && below) {
        *rest = *lock;
        rest->first = request->last + 1;
        LIST_INSERT_HEAD(&locks, rest, link);
        lock->last = request->first - 1;
        return true;
    }
    if (above) {
        lock->first = request->last + 1;
    } else if (below) {
        lock->last = request->first - 1;
    } else {
        LIST_REMOVE(lock, link);
        kmem_free(lock);
    }
    return false;
}

/* Gives the range up; true if `rest` is in use now. */
static bool
lock_clear(struct lock_owner owner, const struct inode *inode, const struct record_lock_request *request,
           struct record_lock *rest)
{
    struct record_lock *lock = LIST_FIRST(&locks), *next;
    bool used = false;

    for (; lock != NULL; lock = next) {
        next = LIST_NEXT(lock, link);
        if (lock_is_owned(lock, owner) && lock->inode == inode && lock_overlaps(lock, request))
            used |= lock_cut(lock, request, rest);
    }
    return used;
}

/* Takes in the owner's locks of the same type that end where this one begins, or begin where it ends. */
static void
lock_join(struct record_lock *lock)
{
    struct record_lock *other = LIST_FIRST(&locks), *next;

    for (; other != NULL; other = next) {
        bool below = other->last + 1 == lock->first, above = lock->last + 1 == other->first;

        next = LIST_NEXT(other, link);
        if (!lock_is_owned(other, lock->owner) || other->inode != lock->inode || other->type != lock->type
            || !(below || above))
            continue;
        if (below)
            lock->first = other->first;
        else
            lock->last = other->last;
        LIST_REMOVE(other, link);
        kmem_free(other);
    }
}

/* All that can fail has been done: `lock` and `rest` are there, and nobody is in the way. */
static void
lock_place(struct lock_owner owner, struct inode *inode, const struct record_lock_request *request,
           struct record_lock *lock, struct record_lock *rest)
{
    if (!lock_clear(owner, inode, request, rest))
        kmem_free(rest);
    if (request->type == F_UNLCK) {
        kmem_free(lock);
    } else {
        *lock = (struct record_lock){
            .owner = owner,
            .inode = inode,
            .process = current_process()->id,
            .type = request->type,
            .first = request->first,
            .last = request->last,
        };
        lock_join(lock);
        LIST_INSERT_HEAD(&locks, lock, link);
    }
}

/* Sleeps until any lock is given up: 0, -ERESTARTSYS, or -EDEADLK. */
static int
lock_wait(struct lock_owner owner, const struct inode *inode, const struct record_lock_request *request,
          const struct record_lock *lock)
{
    struct lock_wait wait = {.owner = owner, .inode = inode, .request = request};
    int error;

    if (lock_would_deadlock(owner, lock))
        return -EDEADLK;
    LIST_INSERT_HEAD(&lock_waits, &wait, link);
    error = wait_interruptible(&unlocked);
    LIST_REMOVE(&wait, link);
    return error;
}

int
record_lock_set(struct lock_owner owner, struct inode *inode, const struct record_lock_request *request, bool wait)
{
    struct record_lock *lock = kmem_allocate(sizeof(*lock)), *rest = kmem_allocate(sizeof(*rest)), *other;
    int error = lock == NULL || rest == NULL ? -ENOMEM : 0;

    while (error == 0 && request->type != F_UNLCK && (other = lock_in_the_way(owner, inode, request)) != NULL)
        error = wait ? lock_wait(owner, inode, request, other) : -EAGAIN;
    if (error == 0) {
        lock_place(owner, inode, request, lock, rest);
        return 0;
    }
    kmem_free(lock);
    kmem_free(rest);
    return error;
}

s32
record_lock_get(struct lock_owner owner, const struct inode *inode, struct record_lock_request *request)
{
    const struct record_lock *lock = lock_in_the_way(owner, inode, request);

    request->type = F_UNLCK;
    if (lock == NULL)
        return 0;
    *request = (struct record_lock_request){lock->type, lock->first, lock->last};
    return lock->owner.is_process ? (s32)lock->process : -1;
}

void
record_lock_release(const void *holder, const struct inode *inode)
{
    struct record_lock *lock = LIST_FIRST(&locks), *next;

    for (; lock != NULL; lock = next) {
        next = LIST_NEXT(lock, link);
        if (lock->owner.holder == holder && lock->inode == inode) {
            LIST_REMOVE(lock, link);
            kmem_free(lock);
            wait_wake_all(&unlocked);
        }
    }
}
