/*
 * What the end of a thread does to futexes. A program keeps a list of the robust locks that a thread holds, in user
 * memory; the kernel knows only where it begins:
 *
 *     thread->robust_list -> head { next, offset, pending } -> entry { next } -> ... -> back to the head
 *                                                                 + offset = the lock's word
 *
 * The list is the program's, so it may be anything: each word is read through the door to user memory, a bad address
 * ends the walk, and so does a length that no program has.
 */
#include "kernel/futex.h"

#include "kernel/process.h"
#include "kernel/syscall.h"
#include "mm/aspace.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <linux/futex.h>

/* The lowest bit of a pointer in the list says that the lock passes on priority; the kernel does nothing about it. */
#define ROBUST_PRIORITY_BIT 1u

struct robust_head {
    u32 next, offset, pending;
};

static_assert(sizeof(struct robust_head) == sizeof(struct robust_list_head), "the layout of struct robust_list_head");

/*
 * If the thread holds the lock, marks its word as the dead owner's and wakes one that waits. False if the address is
 * bad. A lock that was just being taken or given back (`pending`) may be free already, and its waiter not yet woken.
 */
static bool
robust_pass_on(const struct thread *thread, u32 address, bool pending)
{
    u32 expected, found;

    if (address % sizeof(u32) != 0 || user_read_word(&found, address) < 0)
        return false;
    if (pending && found == 0)
        futex_wake_address(address);
    do {
        expected = found;
        if ((expected & FUTEX_TID_MASK) != thread->id)
            return true;
        if (user_compare_exchange_word(address, expected, (expected & FUTEX_WAITERS) | FUTEX_OWNER_DIED, &found) < 0)
            return false;
    } while (found != expected);
    if ((expected & FUTEX_WAITERS) != 0)
        futex_wake_address(address);
    return true;
}

/* The next entry is read before this one's lock is passed on: from then on it is another's. */
static void
robust_walk(const struct thread *thread)
{
    struct robust_head head;
    u32 entry, following, pending;

    if (user_copy_in(&head, thread->robust_list, sizeof(head)) < 0)
        return;
    pending = head.pending & ~ROBUST_PRIORITY_BIT;
    entry = head.next & ~ROBUST_PRIORITY_BIT;
    for (u32 length = 0; entry != thread->robust_list && length < ROBUST_LIST_LIMIT; length++) {
        bool readable = user_read_word(&following, entry) == 0;

        if (entry != pending && !robust_pass_on(thread, entry + head.offset, false))
            return;
        if (!readable)
            return;
        entry = following & ~ROBUST_PRIORITY_BIT;
    }
    if (pending != 0)
        robust_pass_on(thread, pending + head.offset, true);
}

void
futex_thread_ends(struct thread *thread)
{
    struct process *process = thread->process;
    u32 word = thread->clear_child_tid;

    if (thread->robust_list != 0)
        robust_walk(thread);
    thread->robust_list = 0;
    thread->clear_child_tid = 0;
    if (word == 0 || (process->thread_count == 1 && process->aspace->references == 1))
        return;
    if (user_write_word(word, 0) == 0)
        futex_wake_address(word);
}

s32
sys_set_robust_list(u32 head, u32 bytes)
{
    if (bytes != sizeof(struct robust_head))
        return -EINVAL;
    current_thread()->robust_list = head;
    return 0;
}

s32
sys_get_robust_list(u32 id, u32 head_address, u32 bytes_address)
{
    const struct thread *thread = id == 0 ? current_thread() : thread_find(id);
    const struct identity *own = &current_process()->identity;
    u32 head;

    if (thread == NULL)
        return -ESRCH;
    if (own->user.effective != IDENTITY_ROOT && own->user.effective != thread->process->identity.user.real)
        return -EPERM;
    head = thread->robust_list;
    if (user_write_word(bytes_address, sizeof(struct robust_head)) < 0)
        return -EFAULT;
    return user_write_word(head_address, head);
}
