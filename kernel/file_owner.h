/*
 * Who is told by a signal that an open file can be read or written: fcntl's F_SETOWN, F_SETSIG and O_ASYNC.
 */
#pragma once

#include "kernel/types.h"

struct file;

/*
 * fcntl's commands F_GETOWN, F_SETOWN, F_GETOWN_EX, F_SETOWN_EX, F_GETSIG and F_SETSIG: a value, -EINVAL, -ESRCH,
 * -EFAULT or -ENOMEM.
 */
s32 file_owner_control(struct file *file, u32 command, u32 argument);

/*
 * Sets or clears O_ASYNC; the signal will name this descriptor. 0, -ENOMEM, or -ENOTTY where the kind of file has no
 * news of that kind.
 */
int file_owner_watch(struct file *file, s32 descriptor, bool on);

/* The file is being closed for good. */
void file_owner_release(struct file *file);
