/*
 * What the trees in memory are made of: for kernel/ramfs.c and kernel/ramfs_tree.c only.
 */
#pragma once

#include "kernel/ramfs.h"
#include "mm/object.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

struct ramfs_entry {
    TAILQ_ENTRY(ramfs_entry) link;
    RB_ENTRY(ramfs_entry) by_name;
    struct inode *inode;          /* held */
    u64 position;                 /* for listings */
    const char *name;             /* lies behind the entry */
};

RB_HEAD(ramfs_names, ramfs_entry);

struct ramfs_directory {
    TAILQ_HEAD(, ramfs_entry) entries;    /* in the order of positions */
    struct ramfs_names names;             /* the same entries */
    u64 next_position;
    u32 count;                            /* of entries */
};

/*
 * A tree: the root's, the one of files without a name, or one that is mounted, which lives as long as any inode of it.
 * Only the first has no budget.
 */
struct ramfs_tree {
    struct file_system file_system;
    u32 inodes;                           /* of this tree; the last takes it along */
    u32 inode_limit;                      /* RAMFS_UNLIMITED, or nr_inodes= */
    struct object_budget budget;          /* pages of its files */
};

static inline struct ramfs_tree *
ramfs_tree_of(const struct inode *inode)
{
    return container_of(inode->file_system, struct ramfs_tree, file_system);
}

/* The entry of a name, or of a child in any of its names; NULL: there is none. */
struct ramfs_entry *ramfs_find(const struct inode *directory, const char *name);
struct ramfs_entry *ramfs_find_child(const struct inode *directory, const struct inode *child);

/* Takes an entry, its reference to the inode, and its share in link counts away. May sleep: pages go. */
void ramfs_entry_remove(struct inode *directory, struct ramfs_entry *entry);

/*
 * An inode without a name; object or target (which it then owns) is for a regular file or a symbolic link. NULL if
 * memory is short.
 */
struct inode *ramfs_inode_create(struct ramfs_tree *tree, u32 mode, struct object *object, char *target);
