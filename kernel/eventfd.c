/*
 * Counters of events (eventfd): a write adds, a read takes everything, or one at a time from a semaphore. Readers wait
 * while it is 0, writers while it would overflow.
 */
#include "kernel/anonymous_file.h"
#include "kernel/file.h"
#include "kernel/poll.h"
#include "kernel/reserve.h"
#include "kernel/syscall_file.h"
#include "mm/kmem.h"

#include <asm/errno.h>

/* Not in the UAPI headers: the C library's to name. */
#define EFD_SEMAPHORE 1u

#define COUNT_MAXIMUM (UINT64_MAX - 1)

struct event_counter {
    u64 count;                  /* COUNT_MAXIMUM at most */
    bool is_semaphore;
    struct wait_queue queue;    /* sleep until it changes */
};

static s32
eventfd_sleep(const struct file *file)
{
    struct event_counter *counter = file->data;

    return file->flags & O_NONBLOCK ? -EAGAIN : wait_interruptible(&counter->queue);
}

/* As on Linux, what cannot be copied out is lost. */
static s32
eventfd_read(struct file *file, struct transfer *transfer, u64 *offset)
{
    struct event_counter *counter = file->data;
    s32 error = 0;
    u64 taken;

    (void)offset;
    if (transfer->remaining < sizeof(taken))
        return -EINVAL;
    while (counter->count == 0 && error == 0)
        error = eventfd_sleep(file);
    if (error < 0)
        return error;
    taken = counter->is_semaphore ? 1 : counter->count;
    counter->count -= taken;
    wait_wake_events(&counter->queue, POLL_WRITABLE);
    return transfer_out(transfer, &taken, sizeof(taken)) < sizeof(taken) ? -EFAULT : (s32)sizeof(taken);
}

static s32
eventfd_write(struct file *file, struct transfer *transfer, u64 *offset)
{
    struct event_counter *counter = file->data;
    s32 error = 0;
    u64 added;

    (void)offset;
    if (transfer->remaining < sizeof(added))
        return -EINVAL;
    if (transfer_in(transfer, &added, sizeof(added)) < sizeof(added))
        return -EFAULT;
    if (added > COUNT_MAXIMUM)
        return -EINVAL;
    while (COUNT_MAXIMUM - counter->count < added && error == 0)
        error = eventfd_sleep(file);
    if (error < 0)
        return error;
    counter->count += added;
    wait_wake_events(&counter->queue, POLL_READABLE);
    return sizeof(added);
}

static u32
eventfd_poll(struct file *file, struct wait_queue **queue)
{
    struct event_counter *counter = file->data;
    u32 events = 0;

    *queue = &counter->queue;
    if (counter->count > 0)
        events |= POLLIN;
    if (counter->count < COUNT_MAXIMUM)
        events |= POLLOUT;
    return events;
}

static void
eventfd_release(struct file *file)
{
    kmem_free(file->data);
}

static const struct file_operations eventfd_operations = {
    .read = eventfd_read,
    .write = eventfd_write,
    .poll = eventfd_poll,
    .release = eventfd_release,
    .seeks_nowhere = true,
};

static const struct inode_operations eventfd_inode_operations = {
    .label = "anon_inode:[eventfd]",
    .open = anonymous_file_refuse_open,
};

s32
sys_eventfd2(u32 count, u32 flags)
{
    struct event_counter *counter;

    if (flags & ~(u32)(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    counter = reserve_is_reached() ? NULL : kmem_allocate_zeroed(sizeof(*counter));
    if (counter != NULL) {
        counter->count = count;
        counter->is_semaphore = flags & EFD_SEMAPHORE;
    }
    return anonymous_file_install(&eventfd_inode_operations, &eventfd_operations, counter, flags);
}

s32
sys_eventfd(u32 count)
{
    return sys_eventfd2(count, 0);
}
