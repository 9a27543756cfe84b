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
    struct poll_watch *watches;     /* of the descriptors that are in a set, in ascending order */
    u32 watch_count;
};

/* The descriptors of one word that are in any of the sets. */
static u32
select_word(const struct select *select, u32 word)
{
    u32 descriptors = 0;

    for (u32 set = 0; set < SELECT_SETS; set++)
        descriptors |= select->sets[set][word];
    return descriptors;
}

static u32
count_bits(u32 word)
{
    u32 count = 0;

    for (; word != 0; word &= word - 1)
        count++;
    return count;
}

static u32
select_count(const struct select *select)
{
    u32 count = 0;

    for (u32 word = 0; word < select->words; word++)
        count += count_bits(select_word(select, word));
    return count;
}

/* What the sets ask of the descriptor that has this bit of a word. */
static u32
select_wanted(const struct select *select, u32 word, u32 bit)
{
    return (select->sets[SELECT_READ][word] & bit ? select_events[SELECT_READ] : 0)
           | (select->sets[SELECT_WRITE][word] & bit ? select_events[SELECT_WRITE] : 0)
           | (select->sets[SELECT_EXCEPT][word] & bit ? select_events[SELECT_EXCEPT] : 0);
}

/* Makes watches of the sets. -EBADF if a descriptor is not open. One opened with O_PATH is ready for anything. */
static int
select_watch(struct select *select)
{
    struct file_table *files = current_process()->files;

    for (u32 word = 0; word < select->words; word++) {
        for (u32 rest = select_word(select, word); rest != 0; rest &= rest - 1) {
            s32 descriptor = (s32)(word * SELECT_WORD_BITS) + __builtin_ctz(rest);
            struct poll_watch *watch = &select->watches[select->watch_count++];

            poll_watch_start(watch, descriptor, select_wanted(select, word, rest & -rest));
            if (watch->file == NULL && file_descriptor(files, descriptor) == NULL)
                return -EBADF;
        }
    }
    return 0;
}

/*
 * Leaves in a word of one set what is ready of these events: how many bits that are. The watches are of the descriptors
 * of that word that are in any set.
 */
static s32
select_report_word(u32 *word, u32 descriptors, const struct poll_watch *watch, u32 events)
{
    s32 ready = 0;

    for (u32 rest = descriptors; rest != 0; rest &= rest - 1, watch++) {
        u32 bit = *word & rest & -rest;

        if (watch->ready & events)
            ready += bit != 0;
        else
            *word &= ~bit;
    }
    return ready;
}

static s32
select_report(struct select *select)
{
    const struct poll_watch *watch = select->watches;
    s32 ready = 0;

    for (u32 word = 0; word < select->words; word++) {
        u32 descriptors = select_word(select, word);

        for (u32 set = 0; set < SELECT_SETS; set++) {
            if (select->sets[set][word] != 0)
                ready += select_report_word(&select->sets[set][word], descriptors, watch, select_events[set]);
        }
        watch += count_bits(descriptors);
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

/* What lies beyond the last descriptor is in no set. */
static void
select_trim(struct select *select)
{
    u32 rest = select->count % SELECT_WORD_BITS;

    for (u32 set = 0; set < SELECT_SETS && rest != 0; set++)
        select->sets[set][select->words - 1] &= (1u << rest) - 1;
}

static s32
select_run(struct select *select, u64 deadline)
{
    s32 result = select_watch(select);

    if (result == 0)
        result = poll_wait(select->watches, select->watch_count, deadline);
    poll_release(select->watches, select->watch_count);
    return result < 0 ? result : select_report(select);
}

static s32
select_copy_and_run(struct select *select, u64 deadline)
{
    s32 result = select_copy(select, false);

    if (result < 0)
        return result;
    select_trim(select);
    select->watches = kmem_allocate(select_count(select) * sizeof(*select->watches));
    if (select->watches == NULL)
        return -ENOMEM;
    result = select_run(select, deadline);
    kmem_free(select->watches);
    return result >= 0 && select_copy(select, true) < 0 ? -EFAULT : result;
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
    for (u32 set = 0; set < SELECT_SETS; set++)
        select->sets[set] = sets + set * select->words;
    if (sets != NULL)
        result = select_copy_and_run(select, deadline);
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

/* The call that this one came after: its parameters lie in memory. */
s32
sys_select(u32 address)
{
    struct { s32 count; u32 readable, writable, exceptional, timeout; } arguments;

    if (user_copy_in(&arguments, address, sizeof(arguments)) < 0)
        return -EFAULT;
    return sys__newselect(arguments.count, arguments.readable, arguments.writable, arguments.exceptional,
                          arguments.timeout);
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
