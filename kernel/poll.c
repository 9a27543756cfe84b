/*
 * poll, and what select shares with it.
 *
 * A wait puts the caller into the queue of every file, looks at all of them, sleeps if none is ready, and leaves the
 * queues again. Interrupts stay disabled from the first look to the sleep, so that no wake-up is missed.
 */
#include "kernel/poll.h"

#include "kernel/file.h"
#include "kernel/process.h"
#include "kernel/signal.h"
#include "kernel/syscall_file.h"
#include "kernel/x86/cpu.h"
#include "mm/kmem.h"
#include "mm/user.h"

#include <asm/errno.h>

#define POLL_ALWAYS (POLLERR | POLLHUP | POLLNVAL)     /* reported whether asked for or not */
#define POLL_DEFAULT (POLL_READABLE | POLL_WRITABLE)

/* ---- Waiting ---- */

void
poll_watch_start(struct poll_watch *watch, s32 descriptor, u32 wanted)
{
    watch->wanted = wanted | POLL_ALWAYS;
    watch->ready = 0;
    watch->entry.queue = NULL;
    if (file_get(current_process()->files, descriptor, &watch->file) < 0) {
        watch->file = NULL;
        watch->ready = descriptor < 0 ? 0 : POLLNVAL;
    }
}

void
poll_release(struct poll_watch *watches, u32 count)
{
    for (u32 i = 0; i < count; i++) {
        if (watches[i].file != NULL)
            file_release(watches[i].file);
    }
}

/* Looks at one file, and enters its queue if asked to. */
static void
poll_look(struct poll_watch *watch, bool enlist)
{
    struct wait_queue *queue = NULL;

    if (watch->file == NULL)
        return;
    watch->ready = POLL_DEFAULT;
    if (watch->file->operations->poll != NULL)
        watch->ready = watch->file->operations->poll(watch->file, &queue);
    watch->ready &= watch->wanted;
    if (enlist && queue != NULL)
        wait_enlist(queue, &watch->entry);
}

/* Looks at all files: how many are ready. */
static u32
poll_look_at_all(struct poll_watch *watches, u32 count, bool enlist)
{
    u32 ready = 0;

    for (u32 i = 0; i < count; i++) {
        poll_look(&watches[i], enlist);
        ready += watches[i].ready != 0;
    }
    return ready;
}

/*
 * Sleeps once, until one of the files has news, and looks at all again: how many are ready, or what wait_block ended
 * with.
 */
static s32
poll_sleep(struct poll_watch *watches, u32 count, u64 deadline)
{
    struct wait_queue own = {0};
    struct wait_entry own_entry = {0};
    s32 result;

    /* A queue that nobody wakes, so that a poll of nothing sleeps like any other. */
    wait_enlist(&own, &own_entry);
    result = poll_look_at_all(watches, count, true);
    if (result == 0)
        result = wait_block(WAIT_INTERRUPTIBLE, deadline);
    for (u32 i = 0; i < count; i++) {
        if (watches[i].entry.queue != NULL)
            wait_delist(&watches[i].entry);
        watches[i].entry.queue = NULL;
    }
    wait_delist(&own_entry);
    return result == 0 ? (s32)poll_look_at_all(watches, count, false) : result;
}

s32
poll_wait(struct poll_watch *watches, u32 count, u64 deadline)
{
    u32 interrupts = interrupts_save();
    s32 result = poll_look_at_all(watches, count, false);

    if (result == 0 && deadline == POLL_AT_ONCE && signal_pending(current_thread()))
        result = -ERESTARTSYS;
    while (result == 0 && deadline != POLL_AT_ONCE)
        result = poll_sleep(watches, count, deadline);
    interrupts_restore(interrupts);
    if (result == -ERESTARTSYS)
        return -ERESTARTNOHAND;
    return result == -ETIMEDOUT ? 0 : result;
}

/* ---- Timeouts and masks of signals ---- */

u64
poll_deadline(s32 milliseconds)
{
    if (milliseconds < 0)
        return WAIT_FOREVER;
    return milliseconds == 0 ? POLL_AT_ONCE : time_deadline((u64)milliseconds * NANOSECONDS_PER_MILLISECOND);
}

int
poll_timeout_read(struct poll_timeout *timeout)
{
    return time_read_deadline(timeout->address, timeout->read, &timeout->deadline);
}

s32
poll_timeout_finish(const struct poll_timeout *timeout, s32 result)
{
    u64 left = time_left(timeout->deadline);

    if (timeout->address == 0 || timeout->deadline == POLL_AT_ONCE)
        return result;
    return timeout->write(timeout->address, left) < 0 && result == -ERESTARTNOHAND ? -EINTR : result;
}

int
poll_block_signals(u32 address, u32 bytes)
{
    signal_set blocked;

    if (address == 0)
        return 0;
    if (bytes != sizeof(blocked))
        return -EINVAL;
    if (user_copy_in(&blocked, address, sizeof(blocked)) < 0)
        return -EFAULT;
    signal_suspend_mask(blocked);
    return 0;
}

s32
poll_unblock_signals(s32 result)
{
    if (result != -ERESTARTNOHAND)
        signal_restore_mask();
    return result;
}

/* ---- The calls ---- */

/* Reports what is ready: how many entries have something. */
static s32
poll_report(struct pollfd *entries, const struct poll_watch *watches, u32 count)
{
    s32 ready = 0;

    for (u32 i = 0; i < count; i++) {
        entries[i].revents = watches[i].ready;
        ready += entries[i].revents != 0;
    }
    return ready;
}

static s32
poll_entries(struct pollfd *entries, u32 count, struct poll_watch *watches, u64 deadline)
{
    s32 result;

    for (u32 i = 0; i < count; i++)
        poll_watch_start(&watches[i], entries[i].fd, entries[i].events);
    result = poll_wait(watches, count, deadline);
    poll_release(watches, count);
    return result < 0 ? result : poll_report(entries, watches, count);
}

static s32
poll_user_entries(u32 address, u32 count, u64 deadline)
{
    u32 bytes = count * sizeof(struct pollfd);
    struct pollfd *entries;
    struct poll_watch *watches;
    s32 result = -ENOMEM;

    if (count > current_process()->limits[RLIMIT_NOFILE].rlim_cur)
        return -EINVAL;
    entries = kmem_allocate(bytes);
    watches = kmem_allocate(count * sizeof(*watches));
    if (entries != NULL && watches != NULL) {
        result = user_copy_in(entries, address, bytes);
        if (result == 0)
            result = poll_entries(entries, count, watches, deadline);
        if (result >= 0 && user_copy_out(address, entries, bytes) < 0)
            result = -EFAULT;
    }
    kmem_free(watches);
    kmem_free(entries);
    return result;
}

/* Interrupted, it leaves in the thread what restart_syscall needs, so that the deadline stays. */
static s32
poll_until(const struct thread_restart *request)
{
    struct thread_restart poll = *request;
    s32 result = poll_user_entries(poll.poll_address, poll.poll_count, poll.deadline);

    if (result != -ERESTARTNOHAND)
        return result;
    poll.resume = poll_until;
    current_thread()->restart = poll;
    return -ERESTART_RESTARTBLOCK;
}

s32
sys_poll(u32 address, u32 count, s32 timeout_milliseconds)
{
    struct thread_restart poll = {
        .poll_address = address,
        .poll_count = count,
        .deadline = poll_deadline(timeout_milliseconds),
    };

    return poll_until(&poll);
}

static s32
ppoll_call(u32 entries, u32 count, struct poll_timeout *timeout, u32 set, u32 set_bytes)
{
    s32 result = poll_timeout_read(timeout);

    if (result == 0)
        result = poll_block_signals(set, set_bytes);
    if (result < 0)
        return result;
    result = poll_unblock_signals(poll_user_entries(entries, count, timeout->deadline));
    return poll_timeout_finish(timeout, result);
}

s32
sys_ppoll(u32 entries, u32 count, u32 timeout_address, u32 set, u32 set_bytes)
{
    struct poll_timeout timeout = {timeout_address, time_read_old_timespec, time_write_old_timespec, 0};

    return ppoll_call(entries, count, &timeout, set, set_bytes);
}

s32
sys_ppoll_time64(u32 entries, u32 count, u32 timeout_address, u32 set, u32 set_bytes)
{
    struct poll_timeout timeout = {timeout_address, time_read_timespec, time_write_timespec, 0};

    return ppoll_call(entries, count, &timeout, set, set_bytes);
}
