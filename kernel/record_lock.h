/*
 * POSIX record locks: a process locks ranges of a file's bytes against other processes (fcntl F_SETLK and F_GETLK).
 * They are the process's, not the descriptor's: closing any descriptor of the file gives them up.
 */
#pragma once

#include "kernel/types.h"

struct file_table;
struct inode;

struct record_lock_request {
    s16 type;                  /* F_RDLCK, F_WRLCK, F_UNLCK */
    u64 first, last;           /* bytes, both included */
};

/* Locks or unlocks. 0, -EAGAIN where another process has it (and wait is false), -ERESTARTSYS, -ENOMEM. */
int record_lock_set(struct file_table *owner, struct inode *inode, const struct record_lock_request *request,
                    bool wait);

/* Turns the request into the lock that stands in its way and returns its process, or into F_UNLCK, and 0. */
u32 record_lock_get(const struct file_table *owner, const struct inode *inode, struct record_lock_request *request);

/* The owner closes a file: gives its locks there up. Cheap where there are none. */
void record_lock_release(const struct file_table *owner, const struct inode *inode);
