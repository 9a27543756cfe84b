/*
 * Trees in memory that are mounted: made, put in the place of a directory and taken away, and emptied.
 */
#include "kernel/ramfs_entry.h"

#include "kernel/assert.h"
#include "kernel/reserve.h"
#include "mm/kmem.h"

#include <linux/magic.h>
#include <linux/stat.h>

static u32 ramfs_next_device = DEVICE_MOUNTED;

struct inode *
ramfs_create_tree(u32 mode, const struct ramfs_limits *limits)
{
    struct ramfs_tree *tree = kmem_allocate_zeroed(sizeof(*tree));
    struct inode *root;

    if (tree == NULL)
        return NULL;
    tree->file_system = (struct file_system){"tmpfs", ramfs_next_device++, TMPFS_MAGIC, false};
    tree->budget.limit = limits->pages;
    tree->inode_limit = limits->inodes;
    tree->inodes = 1;                   /* so that it outlives an attempt that fails */
    root = ramfs_inode_create(tree, S_IFDIR | mode, NULL, NULL);
    if (--tree->inodes == 0) {
        kmem_free(tree);
        return NULL;
    }
    root->links = 2;
    return root;
}

struct ramfs_limits
ramfs_limits_of(const struct inode *inode)
{
    const struct ramfs_tree *tree = ramfs_tree_of(inode);

    return (struct ramfs_limits){tree->budget.limit == 0 ? RAMFS_UNLIMITED : tree->budget.limit, tree->inode_limit};
}

u32
ramfs_free_inodes(const struct inode *inode)
{
    const struct ramfs_tree *tree = ramfs_tree_of(inode);

    return tree->inodes < tree->inode_limit ? tree->inode_limit - tree->inodes : 0;
}

u32
ramfs_used(const struct inode *inode)
{
    return ramfs_tree_of(inode)->budget.used;
}

u32
ramfs_room(const struct inode *inode)
{
    const struct object_budget *budget = &ramfs_tree_of(inode)->budget;
    u32 room = reserve_file_pages();

    if (budget->limit == 0 || budget->limit - budget->used > room)
        return room;
    return budget->limit - budget->used;
}

void
ramfs_graft(struct inode *covered, struct inode *root)
{
    struct inode *directory = covered->parent;
    struct ramfs_entry *entry = ramfs_find_child(directory, covered);

    assert(entry != NULL && root->parent == NULL);
    entry->inode = inode_hold(root);
    root->parent = inode_hold(directory);
}

void
ramfs_ungraft(struct inode *covered, struct inode *root)
{
    struct inode *directory = root->parent;
    struct ramfs_entry *entry = ramfs_find_child(directory, root);

    assert(entry != NULL);
    entry->inode = covered;
    root->parent = NULL;
    inode_release(directory);
    inode_release(root);
}

/* References that names, the tree itself and `others` give an inode. */
static bool
ramfs_is_used(const struct inode *inode, u32 others)
{
    bool is_directory = inode_is(inode, S_IFDIR);
    u32 own = is_directory ? inode->links - 1 : inode->links;

    return inode->references > own + others;
}

/* The entry behind this one in the tree below root: children first; NULL at the end. */
static struct ramfs_entry *
ramfs_next(struct inode *root, struct inode **directory, struct ramfs_entry *entry)
{
    struct inode *inode = entry->inode;

    if (inode_is(inode, S_IFDIR) && ramfs_owns(inode) && !ramfs_is_empty(inode)) {
        *directory = inode;
        return TAILQ_FIRST(&inode->directory->entries);
    }
    while (TAILQ_NEXT(entry, link) == NULL && *directory != root) {
        inode = *directory;
        *directory = inode->parent;
        entry = ramfs_find_child(*directory, inode);
    }
    return TAILQ_NEXT(entry, link);
}

/* Whether a file of the tree is open, or mapped, to be written. */
static bool
ramfs_tree_is_written(struct inode *root)
{
    struct inode *directory = root;
    struct ramfs_entry *entry = TAILQ_FIRST(&root->directory->entries);

    for (; entry != NULL; entry = ramfs_next(root, &directory, entry)) {
        const struct inode *inode = entry->inode;

        if (inode->file_system == root->file_system && inode_is(inode, S_IFREG)
            && (inode->writers > 0 || inode->object->writable_regions > 0))
            return true;
    }
    return false;
}

int
ramfs_remount(struct inode *root, const struct ramfs_limits *limits, bool read_only)
{
    struct ramfs_tree *tree = ramfs_tree_of(root);

    if ((limits->pages != 0 && limits->pages < tree->budget.used) || limits->inodes < tree->inodes)
        return -EINVAL;
    if (read_only && ramfs_tree_is_written(root))
        return -EBUSY;
    /* A tree without any budget has counted nothing so far. */
    if (tree->budget.limit != 0)
        tree->budget.limit = limits->pages != 0 ? limits->pages : RAMFS_UNLIMITED;
    tree->inode_limit = limits->inodes;
    tree->file_system.read_only = read_only;
    return 0;
}

bool
ramfs_tree_is_used(struct inode *root, u32 others)
{
    struct inode *directory = root;
    struct ramfs_entry *entry = TAILQ_FIRST(&root->directory->entries);

    for (; entry != NULL; entry = ramfs_next(root, &directory, entry)) {
        if (!ramfs_owns(entry->inode) || ramfs_is_used(entry->inode, 0))
            return true;
    }
    return ramfs_is_used(root, others);
}

void
ramfs_empty_tree(struct inode *root)
{
    struct inode *directory = root;

    while (!ramfs_is_empty(root)) {
        struct ramfs_entry *entry = TAILQ_FIRST(&directory->directory->entries);

        if (entry == NULL)
            directory = directory->parent;
        else if (inode_is(entry->inode, S_IFDIR) && !ramfs_is_empty(entry->inode))
            directory = entry->inode;
        else
            ramfs_entry_remove(directory, entry);
    }
}
