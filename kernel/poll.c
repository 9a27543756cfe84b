/*
 * poll and select: waiting for several files at once.
 *
 * Both become a list of watches, one for each file. A wait puts the caller into the queue of every file, looks at all
 * of them, sleeps if none is ready, and leaves the queues again. Interrupts stay disabled from the first look to the
 * sleep, so that no wake-up is missed.
 */
#include "drivers/timer.h"
#include "kernel/file.h"
#include "kernel/process.h"
#include "kernel/signal.h"
#include "kernel/syscall_file.h"
#include "kernel/time.h"
#include "kernel/wait.h"
#include "kernel/x86/cpu.h"
#include "mm/kmem.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <linux/poll.h>
#include <linux/time.h>

#define POLL_ALWAYS (POLLERR | POLLHUP | POLLNVAL)     /* reported whether asked for or not */
#define POLL_AT_ONCE 0u                                 /* a deadline that has always passed: do not sleep */
#define POLL_DEFAULT (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM)

struct poll_watch {
    struct file *file;          /* held; NULL: nothing to wait for */
    u32 wanted;                 /* POLLIN … */
    u32 ready;                  /* what of it there is */
    struct wait_entry entry;
};

/* ---- Waiting ---- */

/* The deadline of a wait of this length. */
static u64
poll_deadline(u64 duration)
{
    return duration == 0 ? POLL_AT_ONCE : time_deadline(duration);
}

/* A descriptor that is not open, or opened with O_PATH, is ready to say so; a negative one stands for none. */
static struct poll_watch
poll_watch_create(s32 descriptor, u32 wanted)
{
    struct poll_watch watch = {.wanted = wanted | POLL_ALWAYS};

    if (file_get(current_process()->files, descriptor, &watch.file) < 0) {
        watch.file = NULL;
        watch.ready = descriptor < 0 ? 0 : POLLNVAL;
    }
    return watch;
}

static void
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

/*
 * Sleeps until a file is ready: how many are, 0 at the deadline, or -ERESTARTNOHAND. POLL_AT_ONCE does not sleep; a
 * signal that the call's mask lets in ends it all the same.
 */
static s32
poll_wait(struct poll_watch *watches, u32 count, u64 deadline)
{
    u32 state = interrupts_save();
    s32 result = poll_look_at_all(watches, count, false);

    if (result == 0 && deadline == POLL_AT_ONCE && signal_pending(current_thread()))
        result = -ERESTARTSYS;
    while (result == 0 && deadline != POLL_AT_ONCE)
        result = poll_sleep(watches, count, deadline);
    interrupts_restore(state);
    if (result == -ERESTARTSYS)
        return -ERESTARTNOHAND;
    return result == -ETIMEDOUT ? 0 : result;
}

/* ---- poll ---- */

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
        watches[i] = poll_watch_create(entries[i].fd, entries[i].events);
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
    u64 timeout = (u64)(u32)timeout_milliseconds * NANOSECONDS_PER_MILLISECOND;
    struct thread_restart poll = {
        .poll_address = address,
        .poll_count = count,
        .deadline = timeout_milliseconds < 0 ? WAIT_FOREVER : poll_deadline(timeout),
    };

    return poll_until(&poll);
}

/* ---- Timeouts in user memory ---- */

struct poll_timeout {
    u32 address;                /* 0: none */
    time_reader read;
    time_writer write;
    u64 deadline;               /* for poll_wait */
};

/* select takes a second's microseconds and more. */
static int
poll_read_timeval(u32 address, u64 *nanoseconds)
{
    struct __kernel_old_timeval time;

    if (user_copy_in(&time, address, sizeof(time)) < 0)
        return -EFAULT;
    if (time.tv_sec < 0 || time.tv_usec < 0)
        return -EINVAL;
    *nanoseconds = (u64)time.tv_sec * NANOSECONDS_PER_SECOND + (u64)time.tv_usec * NANOSECONDS_PER_MICROSECOND;
    return 0;
}

static int
poll_timeout_read(struct poll_timeout *timeout)
{
    return time_read_deadline(timeout->address, timeout->read, &timeout->deadline);
}

/*
 * Writes how much of the time is left, as Linux does, so that a call that is begun again ends when it should have.
 * Where that cannot be written, it is not begun again.
 */
static s32
poll_timeout_finish(const struct poll_timeout *timeout, s32 result)
{
    u64 left = time_left(timeout->deadline);

    if (timeout->address == 0 || timeout->deadline == POLL_AT_ONCE)
        return result;
    return timeout->write(timeout->address, left) < 0 && result == -ERESTARTNOHAND ? -EINTR : result;
}

/* ---- select ---- */

#define SELECT_WORD_BITS (8 * sizeof(u32))

/* What each of the three sets asks for, as Linux has it. */
enum { SELECT_READ, SELECT_WRITE, SELECT_EXCEPT, SELECT_SETS };

static const u32 select_events[SELECT_SETS] = {
    [SELECT_READ] = POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR | POLLNVAL,
    [SELECT_WRITE] = POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR | POLLNVAL,
    [SELECT_EXCEPT] = POLLPRI | POLLNVAL,
};

struct select {
    u32 count;                      /* descriptors 0 to count - 1 */
    u32 words;                      /* of each set */
    u32 addresses[SELECT_SETS];     /* in user memory, 0: no such set */
    u32 *sets[SELECT_SETS];
    struct poll_watch *watches;     /* by descriptor */
};

static bool
select_has(const struct select *select, u32 set, u32 descriptor)
{
    return select->sets[set][descriptor / SELECT_WORD_BITS] & 1u << descriptor % SELECT_WORD_BITS;
}

/* Makes watches of the sets. -EBADF if a descriptor is not open. One opened with O_PATH is ready for anything. */
static int
select_watch(struct select *select)
{
    struct file_table *files = current_process()->files;

    for (u32 descriptor = 0; descriptor < select->count; descriptor++) {
        u32 wanted = 0;

        for (u32 set = 0; set < SELECT_SETS; set++)
            wanted |= select_has(select, set, descriptor) ? select_events[set] : 0;
        if (wanted == 0)
            continue;
        if (file_descriptor(files, descriptor) == NULL)
            return -EBADF;
        select->watches[descriptor] = poll_watch_create(descriptor, wanted);
    }
    return 0;
}

/* Leaves in the sets what is ready: how many bits that are. */
static s32
select_report(struct select *select)
{
    s32 ready = 0;

    for (u32 set = 0; set < SELECT_SETS; set++) {
        for (u32 descriptor = 0; descriptor < select->count; descriptor++) {
            if (!select_has(select, set, descriptor))
                continue;
            if (select->watches[descriptor].ready & select_events[set])
                ready++;
            else
                select->sets[set][descriptor / SELECT_WORD_BITS] &= ~(1u << descriptor % SELECT_WORD_BITS);
        }
    }
    return ready;
}

static int
select_copy(struct select *select, bool out)
{
    u32 bytes = select->words * sizeof(u32);

    for (u32 set = 0; set < SELECT_SETS; set++) {
        u32 address = select->addresses[set];

        if (address == 0)
            continue;
        if (out && user_copy_out(address, select->sets[set], bytes) < 0)
            return -EFAULT;
        if (!out && user_copy_in(select->sets[set], address, bytes) < 0)
            return -EFAULT;
    }
    return 0;
}

static s32
select_run(struct select *select, u64 deadline)
{
    s32 result = select_copy(select, false);

    if (result == 0)
        result = select_watch(select);
    if (result == 0)
        result = poll_wait(select->watches, select->count, deadline);
    poll_release(select->watches, select->count);
    if (result < 0)
        return result;
    result = select_report(select);
    return select_copy(select, true) < 0 ? -EFAULT : result;
}

/*
 * The descriptors that select looks at: as many as Linux's table of them has places, which are 32, or 256, or a
 * power of two above. What lies beyond cannot be open, and is not an error.
 */
static u32
select_length(u32 capacity)
{
    u32 length = 32;

    while (length < capacity)
        length = length < 256 ? 256 : 2 * length;
    return length;
}

static s32
select_allocate_and_run(struct select *select, u64 deadline)
{
    u32 length = select_length(current_process()->files->capacity);
    u32 *sets;
    s32 result = -ENOMEM;

    select->count = select->count < length ? select->count : length;
    select->words = (select->count + SELECT_WORD_BITS - 1) / SELECT_WORD_BITS;
    sets = kmem_allocate_zeroed(SELECT_SETS * select->words * sizeof(*sets));
    select->watches = kmem_allocate_zeroed(select->count * sizeof(*select->watches));
    for (u32 set = 0; set < SELECT_SETS; set++)
        select->sets[set] = sets + set * select->words;
    if (sets != NULL && select->watches != NULL)
        result = select_run(select, deadline);
    kmem_free(select->watches);
    kmem_free(sets);
    return result;
}

s32
sys__newselect(s32 count, u32 readable, u32 writable, u32 exceptional, u32 timeout_address)
{
    struct select select = {.count = count, .addresses = {readable, writable, exceptional}};
    struct poll_timeout timeout = {timeout_address, poll_read_timeval, time_write_timeval, 0};
    int error = count < 0 ? -EINVAL : poll_timeout_read(&timeout);

    return error < 0 ? error : poll_timeout_finish(&timeout, select_allocate_and_run(&select, timeout.deadline));
}

/* ---- With a mask ---- */

/* Blocks just the signals of a set in user memory (address 0: all stays as it is) until the call is over. */
static int
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

/* What nothing has interrupted delivers no signal that is blocked now. */
static s32
poll_unblock_signals(s32 result)
{
    if (result != -ERESTARTNOHAND)
        signal_restore_mask();
    return result;
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

/* There is no room for a seventh parameter: `mask` leads to the set's address and size. */
static s32
pselect_call(struct select *select, struct poll_timeout *timeout, u32 mask)
{
    struct { u32 set, bytes; } argument = {0};
    s32 result = (s32)select->count < 0 ? -EINVAL : poll_timeout_read(timeout);

    if (result < 0)
        return result;
    if (mask != 0 && user_copy_in(&argument, mask, sizeof(argument)) < 0)
        return -EFAULT;
    result = poll_block_signals(argument.set, argument.bytes);
    if (result < 0)
        return result;
    result = poll_unblock_signals(select_allocate_and_run(select, timeout->deadline));
    return poll_timeout_finish(timeout, result);
}

s32
sys_pselect6(s32 count, u32 readable, u32 writable, u32 exceptional, u32 timeout_address, u32 mask)
{
    struct select select = {.count = count, .addresses = {readable, writable, exceptional}};
    struct poll_timeout timeout = {timeout_address, time_read_old_timespec, time_write_old_timespec, 0};

    return pselect_call(&select, &timeout, mask);
}

s32
sys_pselect6_time64(s32 count, u32 readable, u32 writable, u32 exceptional, u32 timeout_address, u32 mask)
{
    struct select select = {.count = count, .addresses = {readable, writable, exceptional}};
    struct poll_timeout timeout = {timeout_address, time_read_timespec, time_write_timespec, 0};

    return pselect_call(&select, &timeout, mask);
}
