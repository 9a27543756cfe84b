/*
 * Open files and the tables of descriptors that lead to them.
 *
 *     process ──► file_table ──► file (offset, flags) ──► inode
 *                  0 1 2 …         ▲ shared by dup and fork
 *
 * A file_table grows as needed; its only limit is RLIMIT_NOFILE. A file is counted: each descriptor holds one
 * reference and each system call at work on it another, so that a close elsewhere takes nothing from under a sleeping
 * read.
 */
#pragma once

#include <bsd/sys/queue.h>

#include "kernel/types.h"
#include "kernel/inode.h"
#include "kernel/transfer.h"

#include <linux/fcntl.h>

struct file;
struct object;
struct wait_queue;

/* For a length: there is no end to count from, and SEEK_END, SEEK_DATA and SEEK_HOLE are -EINVAL. */
#define FILE_NO_END UINT64_MAX

struct file_operations {
    /*
     * Reads into, writes from the transfer; *offset is where, and is moved on (ignored by what has no offset). Bytes
     * done, or -errno with nothing done; -EFAULT where not one byte could be copied. May sleep; -ERESTARTSYS when a
     * signal came first. NULL: -EINVAL.
     */
    s32 (*read)(struct file *file, struct transfer *transfer, u64 *offset);
    s32 (*write)(struct file *file, struct transfer *transfer, u64 *offset);
    /* The length that SEEK_END counts from, or FILE_NO_END; NULL where seeking is refused with -ESPIPE. */
    u64 (*size)(struct file *file);
    /* Device control. NULL: -ENOTTY. */
    s32 (*ioctl)(struct file *file, u32 command, u32 argument);
    /*
     * POLLIN and so on, as they are now; *queue becomes what is woken when they change, if anything is. Called with
     * interrupts disabled. NULL: always readable and writable.
     */
    u32 (*poll)(struct file *file, struct wait_queue **queue);
    /* The object for mmap, as file_mmap_object. NULL: -ENODEV. */
    int (*mmap_object)(struct file *file, u32 protection, u32 flags, struct object **object);
    /* The last reference has gone. May sleep. */
    void (*release)(struct file *file);
    bool seeks_nowhere;                 /* size is NULL, and lseek succeeds and does nothing */
    bool tells_by_signal;               /* O_ASYNC can be set; there is a poll with a queue then */
    bool splice_read, splice_write;     /* whether splice and sendfile may fill a pipe from it, empty one into it */
};

struct file {
    u32 references;
    u32 flags;                  /* O_ACCMODE and the status flags that F_GETFL shows */
    bool is_writer;             /* counted in inode->writers */
    u64 offset;                 /* bytes from the start; shared by all descriptors of this file */
    struct inode *inode;        /* held; never NULL */
    const struct file_operations *operations;
    void *data;                 /* for operations: the pipe, the text of a /proc file */
    LIST_HEAD(, epoll_item) watchers;   /* only epoll.c looks inside */
    struct file_owner *owner;           /* who is told of news, NULL: nobody; only file_owner.c looks inside */
};

/* Whether it was opened for reading, for writing. Linux's fourth way to open, O_ACCMODE itself, is neither. */
static inline bool
file_may_read(const struct file *file)
{
    return (file->flags & O_ACCMODE) == O_RDONLY || (file->flags & O_ACCMODE) == O_RDWR;
}

static inline bool
file_may_write(const struct file *file)
{
    return (file->flags & O_ACCMODE) == O_WRONLY || (file->flags & O_ACCMODE) == O_RDWR;
}

struct descriptor {
    struct file *file;          /* NULL: free */
    bool close_on_exec;
};

#define FILE_TABLE_INLINE 16u   /* a table of this size needs no second allocation */

struct file_table {
    u32 references;             /* processes that share it (CLONE_FILES) */
    u32 capacity;               /* entries of descriptors */
    u32 used;                   /* one more than the highest open descriptor */
    u32 free_from;              /* every descriptor below it is open */
    struct descriptor *descriptors;
    struct descriptor initial[FILE_TABLE_INLINE];
};

/* ---- Tables: file_table.c, for the process layer ---- */

/* An empty table with one reference; NULL if memory is short. Never sleeps. */
struct file_table *file_table_create(void);

/*
 * A copy with the same open files, for fork; NULL if memory is short. Costs in proportion to the open descriptors.
 * Never sleeps.
 */
struct file_table *file_table_fork(struct file_table *table);

/* Whether any descriptor leads to the file. */
bool file_table_has(const struct file_table *table, const struct file *file);

/* One more sharer (clone with CLONE_FILES). */
struct file_table *file_table_hold(struct file_table *table);

/* The last sharer closes all files. May sleep. */
void file_table_release(struct file_table *table);

/* For exec: closes the descriptors marked FD_CLOEXEC. May sleep. */
void file_table_close_on_exec(struct file_table *table);

/* ---- Descriptors: file_table.c ---- */

/* The entry of an open descriptor, valid until the table changes; NULL if it is not open. */
struct descriptor *file_descriptor(struct file_table *table, int descriptor);

/*
 * The open file of a descriptor, held for the caller, who calls file_release. 0, or -EBADF, also for one opened with
 * O_PATH, which stands for its inode only: file_get_any takes that too.
 */
int file_get(struct file_table *table, int descriptor, struct file **file);
int file_get_any(struct file_table *table, int descriptor, struct file **file);

/* Its inode, held, for what may be done with a name: also that of one opened with O_PATH. 0 or -EBADF. */
int file_get_inode(struct file_table *table, int descriptor, struct inode **inode);

/* Its inode, held, for changing it: not that of one opened with O_PATH. 0 or -EBADF. */
int file_get_inode_to_change(struct file_table *table, int descriptor, struct inode **inode);

/*
 * Whether there is room for one more descriptor: 0, -EMFILE or -ENOMEM. For calls that change something before they
 * have a file to install.
 */
int file_table_check_room(struct file_table *table);

/*
 * Puts a file at the lowest free descriptor not below minimum; the table takes over the caller's reference. The
 * descriptor, -EMFILE (RLIMIT_NOFILE of the current process), or -ENOMEM; on error the reference stays the caller's.
 */
int file_install(struct file_table *table, struct file *file, u32 minimum, bool close_on_exec);

/*
 * Puts a file at just this descriptor, closing what was there. As file_install, and -EBADF beyond RLIMIT_NOFILE. May
 * sleep.
 */
int file_install_at(struct file_table *table, struct file *file, u32 descriptor, bool close_on_exec);

/* Closes one descriptor: 0 or -EBADF. May sleep. */
int file_close(struct file_table *table, int descriptor);

/* ---- Files: file.c ---- */

/*
 * Opens an inode (which the file then holds too); flags are O_*. *file has one reference.
 * A directory is opened to read. 0, -ENXIO (no such device), -ETXTBSY, -ENOMEM, -ENFILE … May sleep.
 */
int file_open_inode(struct inode *inode, u32 flags, struct file **file);

/* Takes away what O_PATH ignores: 0, or -EINVAL for flags that contradict each other. */
int file_check_flags(u32 *flags);

/*
 * Opens a path relative to start (see path_lookup) as open(2) does, creating it with mode where flags say so. The flags
 * are good ones. May sleep.
 */
int file_open(struct inode *start, const char *path, u32 flags, u32 mode, struct file **file);

/* A file on the console for init's descriptors 0, 1 and 2: one reference, or NULL if memory is short. */
struct file *file_open_console(void);

/* A file without a path (a pipe's end): takes over nothing, holds inode. NULL if memory is short. */
struct file *file_create(struct inode *inode, u32 flags, const struct file_operations *operations, void *data);

/* One more reference; and one less, of which the last closes the file, which may sleep. */
static inline struct file *
file_hold(struct file *file)
{
    file->references++;
    return file;
}

void file_release(struct file *file);

/*
 * Read or write at *offset and move it on; as the operations' contract, with -EBADF where the file is not open for
 * that.
 */
s32 file_read_at(struct file *file, struct transfer *transfer, u64 *offset);
s32 file_write_at(struct file *file, struct transfer *transfer, u64 *offset);

/* The same at the file's own offset. */
s32 file_read(struct file *file, struct transfer *transfer);
s32 file_write(struct file *file, struct transfer *transfer);

/*
 * For mmap2: the object to map, held for the caller, or NULL in *object where anonymous memory is meant (/dev/zero).
 * -EACCES where the file's access does not allow it (not readable; shared and writable without O_RDWR), -ENODEV where
 * it cannot be mapped.
 */
int file_mmap_object(struct file *file, u32 protection, u32 flags, struct object **object);
