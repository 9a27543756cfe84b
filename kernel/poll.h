/*
 * Waiting for several files at once, for poll and select. Both become a list of watches, one for each file.
 */
#pragma once

#include "kernel/time.h"
#include "kernel/types.h"
#include "kernel/wait.h"

#include <linux/poll.h>

struct file;

/* What files tell: something can be read, there is room to write. */
#define POLL_READABLE (POLLIN | POLLRDNORM)
#define POLL_WRITABLE (POLLOUT | POLLWRNORM)

#define POLL_AT_ONCE 0u         /* a deadline that has always passed: do not sleep */

struct poll_watch {
    struct file *file;          /* held; NULL: nothing to wait for */
    u32 wanted;                 /* POLLIN ... */
    u32 ready;                  /* what of it there is */
    struct wait_entry entry;    /* poll.c's */
};

/* How long a call may take, in user memory. */
struct poll_timeout {
    u32 address;                /* 0: none */
    time_reader read;
    time_writer write;
    u64 deadline;               /* for poll_wait; set by poll_timeout_read */
};

/*
 * Makes a watch of a descriptor of the current process. One that is not open, or opened with O_PATH, is ready to say so; a
 * negative one stands for none.
 */
void poll_watch_start(struct poll_watch *watch, s32 descriptor, u32 wanted);

/* Gives back the files of the watches. */
void poll_release(struct poll_watch *watches, u32 count);

/*
 * Sleeps until a file is ready: how many are, 0 at the deadline, or -ERESTARTNOHAND. POLL_AT_ONCE does not sleep; a
 * signal that the call's mask lets in ends it all the same.
 */
s32 poll_wait(struct poll_watch *watches, u32 count, u64 deadline);

/* The deadline of a call that may take so long; any negative number: for ever. */
u64 poll_deadline(s32 milliseconds);

/* Finds out the deadline: 0, -EFAULT or -EINVAL. */
int poll_timeout_read(struct poll_timeout *timeout);

/*
 * Writes how much of the time is left, as Linux does, so that a call that is begun again ends when it should have. The
 * call's result: where that cannot be written, it is not begun again.
 */
s32 poll_timeout_finish(const struct poll_timeout *timeout, s32 result);

/*
 * Blocks just the signals of a set in user memory (address 0: all stays as it is) until the call is over: 0, -EINVAL
 * or -EFAULT. And its end: what nothing has interrupted delivers no signal that is blocked from then on. Returns the
 * result.
 */
int poll_block_signals(u32 address, u32 bytes);
s32 poll_unblock_signals(s32 result);
