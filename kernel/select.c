/*
 * select: three sets of descriptors, bits in user memory, become one watch for each descriptor that is in any of them.
 */
#include "kernel/file.h"
#include "kernel/poll.h"
#include "kernel/process.h"
#include "kernel/syscall_file.h"
#include "mm/kmem.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <linux/poll.h>

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

/* ---- The calls ---- */

/* Unlike others select takes a second's microseconds and more. */
static int
select_read_timeval(u32 address, u64 *nanoseconds)
{
    struct __kernel_old_timeval time;

    if (user_copy_in(&time, address, sizeof(time)) < 0)
        return -EFAULT;
    if (time.tv_sec < 0 || time.tv_usec < 0)
        return -EINVAL;
    *nanoseconds = (u64)time.tv_sec * NANOSECONDS_PER_SECOND + (u64)time.tv_usec * NANOSECONDS_PER_MICROSECOND;
    return 0;
}

s32
sys__newselect(s32 count, u32 readable, u32 writable, u32 exceptional, u32 timeout_address)
{
    struct select select = {.count = count, .addresses = {readable, writable, exceptional}};
    struct poll_timeout timeout = {timeout_address, select_read_timeval, time_write_timeval, 0};
    int error = count < 0 ? -EINVAL : poll_timeout_read(&timeout);

    return error < 0 ? error : poll_timeout_finish(&timeout, select_allocate_and_run(&select, timeout.deadline));
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
