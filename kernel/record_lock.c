/*
 * POSIX record locks.
 *
 * Invariant: an owner's locks on one file do not overlap. There are few, so one list holds those of all files.
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
    const struct file_table *owner;
    const struct inode *inode;         /* open as long as the lock is there */
    u32 process;                       /* number of the one that asked */
    s16 type;
    u64 first, last;
};

static LIST_HEAD(, record_lock) locks = LIST_HEAD_INITIALIZER(locks);
static struct wait_queue unlocked;     /* whoever waits for any lock; they look again */

static bool
lock_overlaps(const struct record_lock *lock, const struct record_lock_request *request)
{
    return lock->first <= request->last && request->first <= lock->last;
}

static struct record_lock *
lock_in_the_way(const struct file_table *owner, const struct inode *inode, const struct record_lock_request *request)
{
    struct record_lock *lock;

    LIST_FOREACH(lock, &locks, link) {
        if (lock->inode == inode && lock->owner != owner && lock_overlaps(lock, request)
            && (lock->type == F_WRLCK || request->type == F_WRLCK))
            return lock;
    }
    return NULL;
}

/* Takes a range out of one of the owner's locks; what is left above goes to `rest`, if that is needed. */
static bool
lock_cut(struct record_lock *lock, const struct record_lock_request *request, struct record_lock *rest)
{
    bool above = lock->last > request->last, below = lock->first < request->first;

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
lock_clear(const struct file_table *owner, const struct inode *inode, const struct record_lock_request *request,
           struct record_lock *rest)
{
    struct record_lock *lock = LIST_FIRST(&locks), *next;
    bool used = false;

    for (; lock != NULL; lock = next) {
        next = LIST_NEXT(lock, link);
        if (lock->owner == owner && lock->inode == inode && lock_overlaps(lock, request))
            used |= lock_cut(lock, request, rest);
    }
    return used;
}

/* All that can fail has been done: `lock` and `rest` are there, and nobody is in the way. */
static void
lock_place(struct file_table *owner, struct inode *inode, const struct record_lock_request *request,
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
        LIST_INSERT_HEAD(&locks, lock, link);
    }
    wait_wake_all(&unlocked);
}

int
record_lock_set(struct file_table *owner, struct inode *inode, const struct record_lock_request *request, bool wait)
{
    struct record_lock *lock = kmem_allocate(sizeof(*lock)), *rest = kmem_allocate(sizeof(*rest));
    int error = lock == NULL || rest == NULL ? -ENOMEM : 0;

    while (error == 0 && request->type != F_UNLCK && lock_in_the_way(owner, inode, request) != NULL)
        error = wait ? wait_interruptible(&unlocked) : -EAGAIN;
    if (error == 0) {
        lock_place(owner, inode, request, lock, rest);
        return 0;
    }
    kmem_free(lock);
    kmem_free(rest);
    return error;
}

u32
record_lock_get(const struct file_table *owner, const struct inode *inode, struct record_lock_request *request)
{
    const struct record_lock *lock = lock_in_the_way(owner, inode, request);

    request->type = F_UNLCK;
    if (lock == NULL)
        return 0;
    *request = (struct record_lock_request){lock->type, lock->first, lock->last};
    return lock->process;
}

void
record_lock_release(const struct file_table *owner, const struct inode *inode)
{
    const struct record_lock_request all = {.type = F_UNLCK, .first = 0, .last = UINT64_MAX};

    if (LIST_EMPTY(&locks))
        return;
    lock_clear(owner, inode, &all, NULL);
    wait_wake_all(&unlocked);
}
