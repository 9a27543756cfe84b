/*
 * An inode: one file of any type, whatever its names are.
 *
 *     name in a directory ──► inode ──► object      regular file: its pages
 *                               │   ──► entries     directory in memory (ramfs)
 *                               │   ──► target      symbolic link
 *                               │   ──► pipe        FIFO
 *                               └── operations      ramfs, pipe or proc
 *
 * Counted: a directory's entry, an open file, a working directory and a lookup under way each hold one reference.
 * `links` counts names only; an inode without names lives on while somebody holds it.
 * A directory holds its parent; any other inode only points at the directory where it was last given a name,
 * and that pointer is cleared when the name goes.
 * What permission bits mean is said in permission.h.
 */
#pragma once

#include "kernel/assert.h"
#include "kernel/mutex.h"
#include "kernel/text.h"
#include "kernel/types.h"

#include <asm/errno.h>
#include <linux/stat.h>

/* The bits of a mode that chmod sets; the others are the type (S_IFMT). */
#define INODE_PERMISSIONS 07777u

struct file;
struct inode;
struct object;
struct pipe;

/* st_dev: no two trees have the same. */
enum {
    DEVICE_ROOT = 1,
    DEVICE_PIPES,
    DEVICE_PROC,
    DEVICE_UNNAMED,         /* files in memory without a name (memfd_create) */
    DEVICE_SOCKETS,
    DEVICE_ANONYMOUS,       /* open files without a name (epoll_create) */
    DEVICE_MOUNTED = 16,    /* and on: of mounted trees */
};

/* The tree that an inode belongs to; what st_dev, statfs and /proc/mounts say of it. */
struct file_system {
    const char *name;
    u32 device;      /* st_dev */
    u32 magic;       /* f_type */
    bool read_only;  /* nothing in it may change: see inode_check_writable */
};

/* Receives one directory entry; returns false where it has no room (the entry will be listed again). */
struct directory_sink {
    bool (*entry)(struct directory_sink *sink, const char *name, u32 number, u32 mode, u64 next_position);
};

/*
 * What differs between trees. A hook that is NULL refuses: -ENOTDIR for lookup, -EPERM for changes, -EINVAL for
 * read_link.
 */
struct inode_operations {
    /* What stands for the path of what never has one; NULL: it has a path, or is a pipe or a socket. */
    const char *label;
    /* Directory: the inode called name ("." and ".." never come here), held; -ENOENT or -ENOMEM. Never sleeps. */
    int (*lookup)(struct inode *directory, const char *name, struct inode **result);
    /*
     * Directory: emits entries from position on (2 is the first: "." and ".." are the caller's), until the sink is
     * full or all are listed; returns 0 or -errno. Never sleeps.
     */
    int (*list)(struct inode *directory, u64 position, struct directory_sink *sink);
    /* Directory: a name that child has in it, valid until it is removed; NULL where it has none. */
    const char *(*name)(struct inode *directory, struct inode *child);
    /* Directory: name must not exist; one more link to inode. 0, -ENOSPC, -ENOMEM, or -ENOENT for a removed one. */
    int (*link)(struct inode *directory, const char *name, struct inode *inode);
    /* Directory: takes the name away. The caller has checked that this is allowed. */
    void (*unlink)(struct inode *directory, const char *name, struct inode *inode);
    /* Symbolic link: appends what it says. 0 or -errno. */
    int (*read_link)(struct inode *link, struct text_buffer *text);
    /* Symbolic link that leads to an inode rather than to a path (/proc/self/fd/0): it, held. Optional. */
    int (*follow)(struct inode *link, struct inode **result);
    /* Bytes, as st_size has them. NULL: always 0, and the length cannot be set. */
    u64 (*size)(const struct inode *inode);
    /* Gives a file being opened its operations (and data). file->inode and flags are set. May sleep (FIFO). */
    int (*open)(struct inode *inode, struct file *file);
    /* The last reference has gone: free what `operations` put into the inode. */
    void (*destroy)(struct inode *inode);
};

struct inode {
    u32 references;
    u32 number;                 /* st_ino, unique within its file system */
    u32 mode;                   /* type (S_IFMT) and permission bits */
    u32 links;                  /* names; 0 once removed; 1 for what never has one, pipes and sockets */
    u32 user, group;
    u32 device;                 /* st_rdev of a device node */
    s64 accessed, modified, changed;    /* nanoseconds since 1970, before which they are negative */
    const struct inode_operations *operations;
    const struct file_system *file_system;
    struct inode *parent;       /* see above; NULL for the root, and for what has no name */
    union {
        struct object *object;                  /* S_IFREG: the pages; held. Exec and mmap map these */
        struct ramfs_directory *directory;      /* S_IFDIR in ramfs; only ramfs.c looks inside */
        char *target;                           /* S_IFLNK in ramfs: kmem_allocate'd */
        struct pipe *pipe;                      /* S_IFIFO: NULL while nobody has it open */
        struct proc_node *proc;                 /* /proc; only proc.c looks inside */
    };
    s32 writers;                /* S_IFREG: open files that can write, or, negative, programs that run from it */
    u32 seals;                  /* S_IFREG: F_SEAL_*; seal.c only, but for the first */
    bool linkable;              /* it may be given a name though it has none (O_TMPFILE); whoever made it */
    struct mutex changing;      /* S_IFREG: held by whoever writes or sets the length, which may sleep in between */
};

/*
 * A new inode with one reference, the current process's user and group for files, the time of now, no links and a
 * number not used before. NULL if memory is short. Never sleeps.
 */
struct inode *inode_create(const struct inode_operations *operations, const struct file_system *file_system, u32 mode);

struct inode *inode_hold(struct inode *inode);

/* Gives a reference back; NULL is allowed. The last one frees the inode, which may sleep (its pages go). */
void inode_release(struct inode *inode);

/* Bytes in the file as st_size has it. */
u64 inode_size(const struct inode *inode);

/*
 * Sets a regular file's length; new bytes read as zero. 0, -EISDIR, -EINVAL (not regular), -ETXTBSY, -EPERM
 * (sealed), -ENOMEM, -EIO. May sleep.
 */
int inode_truncate(struct inode *inode, u64 bytes);

/*
 * fallocate, for a regular file in memory: gives the bytes pages of their own, and makes the file so long unless it is
 * to keep its size (beyond which it gets none). 0, -ENOSPC, -EPERM (sealed), -ENOMEM or -EIO. May sleep.
 */
int inode_allocate(struct inode *inode, u64 offset, u64 bytes, bool keep_size);

/*
 * Makes the bytes read as zero, and takes the pages back as far as they are memory. 0, -EPERM, -ENOMEM or -EIO. May
 * sleep.
 */
int inode_punch(struct inode *inode, u64 offset, u64 bytes);

/*
 * A program's file is not written to while it runs. One more open file that can write: 0, or -ETXTBSY while it runs;
 * and one less.
 */
static inline int
inode_add_writer(struct inode *inode)
{
    if (inode->writers < 0)
        return -ETXTBSY;
    inode->writers++;
    return 0;
}

static inline void
inode_remove_writer(struct inode *inode)
{
    assert(inode->writers > 0);
    inode->writers--;
}

/* One more to run it: 0, or -ETXTBSY while it is open for writing; and one less. */
static inline int
inode_add_program(struct inode *inode)
{
    if (inode->writers > 0)
        return -ETXTBSY;
    inode->writers--;
    return 0;
}

static inline void
inode_remove_program(struct inode *inode)
{
    assert(inode->writers < 0);
    inode->writers++;
}

/* Gives back what was held in order to run it; NULL is allowed. */
void inode_release_program(struct inode *inode);

/*
 * The contents, or what is known about them, have changed now. Whoever is not root and writes into a program takes
 * its set-user-id bit away.
 */
void inode_touch_modified(struct inode *inode);
void inode_touch_changed(struct inode *inode);

/*
 * The contents have been read: recorded once after each modification or change, and once a day, as Linux's relatime
 * does.
 */
void inode_touch_accessed(struct inode *inode);

/* Before times are read or set: accounts for what was written through mappings of the file. */
void inode_settle_times(struct inode *inode);

/*
 * Prints the absolute path of an inode; " (deleted)" follows one without a name; "pipe:[7]", "socket:[7]" or
 * the operations' label stand for what never has one. -ENOENT for a directory that was removed (then only the above is printed).
 */
int inode_path(struct inode *inode, struct text_buffer *text);

/* Whether what is known about an inode, or a name in it, may be changed at all: 0 or -EROFS. */
static inline int
inode_check_writable(const struct inode *inode)
{
    return inode->file_system->read_only ? -EROFS : 0;
}

static inline bool
inode_is(const struct inode *inode, u32 type)
{
    return (inode->mode & S_IFMT) == type;
}
