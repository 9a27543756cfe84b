/*
 * Locks on files. They bind only those who ask for locks themselves:
 *
 *   fcntl F_SETLK         ranges of bytes; the process's: closing any descriptor of the file gives them up
 *   fcntl F_OFD_SETLK     ranges of bytes; the open file's: they go with its last descriptor
 *   flock                 all of a file; the open file's; apart from the first two
 *
 * The first two exclude each other. A process that would wait for one that waits for it gets -EDEADLK instead.
 */
#pragma once

#include "kernel/types.h"

struct file;
struct file_table;
struct inode;

/* Who has a lock. */
struct lock_owner {
    const void *holder;        /* a struct file_table, or a struct file */
    bool is_process;           /* the former */
    bool whole;                /* by flock */
};

struct record_lock_request {
    s16 type;                  /* F_RDLCK, F_WRLCK, F_UNLCK */
    u64 first, last;           /* bytes, both included */
};

static inline struct lock_owner
lock_owner_process(const struct file_table *files)
{
    return (struct lock_owner){.holder = files, .is_process = true};
}

static inline struct lock_owner
lock_owner_file(const struct file *file, bool whole)
{
    return (struct lock_owner){.holder = file, .whole = whole};
}

/*
 * Locks or unlocks. 0, -EAGAIN where another has it (and wait is false), -EDEADLK where waiting would never end,
 * -ERESTARTSYS, -ENOMEM.
 */
int record_lock_set(struct lock_owner owner, struct inode *inode, const struct record_lock_request *request, bool wait);

/*
 * Turns the request into the lock that stands in its way and returns its process, -1 for an open file's; or into
 * F_UNLCK, and 0.
 */
s32 record_lock_get(struct lock_owner owner, const struct inode *inode, struct record_lock_request *request);

/* The holder closes a file: its locks on that go. Cheap where there are none. */
void record_lock_release(const void *holder, const struct inode *inode);
