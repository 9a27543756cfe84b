/*
 * The tree in memory: directories, regular files, symbolic links and device nodes.
 *
 * It is the root. Its regular files are objects of mm/: those of a boot module read their pages from it on demand and
 * write them back, new ones are anonymous and can be swapped. Checks of what a call may do are the caller's
 * (kernel/syscall_name.c); here things are done.
 */
#pragma once

#include "kernel/types.h"
#include "kernel/inode.h"

/* Makes the empty root (path_root). Once, at boot. */
void ramfs_start(void);

/*
 * Makes a file of the mode's type and names it in directory, which must be of ramfs and must not have that name yet.
 * Regular files start empty. device is the number of a device node, else 0. *result is held.
 * 0, or -ENOSPC, -ENOMEM or -ENOENT (directory was removed) with nothing changed. Never sleeps.
 */
int ramfs_create(struct inode *directory, const char *name, u32 mode, u32 device, struct inode **result);

/* As ramfs_create for a symbolic link. */
int ramfs_create_link(struct inode *directory, const char *name, const char *target, struct inode **result);

/* A regular file whose bytes lie in a boot module; takes over the caller's hold on object in every case. */
int ramfs_create_image(struct inode *directory, const char *name, u32 mode, struct object *object,
                       struct inode **result);

/* Puts an image's object in the place of the present one; takes over the caller's hold. */
void ramfs_set_image(struct inode *inode, struct object *object);

/* True where a directory (of ramfs) has no entries. */
bool ramfs_is_empty(const struct inode *directory);

/*
 * Moves a name. Whatever new_name was is replaced; the caller has checked that it may be. Both directories are of
 * ramfs. 0, or -ENOMEM with nothing changed.
 */
int ramfs_rename(struct inode *old_directory, const char *old_name, struct inode *new_directory,
                 const char *new_name);

/* Two names change places; what they are may be of any type. Both are of one tree, and neither is below the other. */
void ramfs_exchange(struct inode *directory, const char *name, struct inode *other_directory, const char *other_name);

/* A regular file without a name, for memfd_create; `name` is what /proc/PID/maps shows. 0 or -ENOMEM. */
int ramfs_create_unnamed(const char *name, struct inode **result);

/* The same in a directory's tree, for O_TMPFILE. 0, -ENOSPC or -ENOMEM. */
int ramfs_create_temporary(struct inode *directory, u32 mode, struct inode **result);

/* ---- Mounted trees: for mount.c ---- */

/* What a tree may hold. */
struct ramfs_limits {
    u32 pages;                          /* of its files; RAMFS_UNLIMITED: limited by the reserve alone; 0: not at all */
    u32 inodes;                         /* its root included; RAMFS_UNLIMITED: any number */
};
#define RAMFS_UNLIMITED UINT32_MAX

/* The root of a new, empty tree (tmpfs), with one reference; NULL if memory is short. */
struct inode *ramfs_create_tree(u32 mode, const struct ramfs_limits *limits);

/* Changes what its root was mounted with: 0, -EINVAL (it holds more already) or -EBUSY (somebody writes to a file). */
int ramfs_remount(struct inode *root, const struct ramfs_limits *limits, bool read_only);

/* What it holds at most; and the inodes that it still may. */
struct ramfs_limits ramfs_limits_of(const struct inode *inode);
u32 ramfs_free_inodes(const struct inode *inode);

/* Pages that the files of the inode's tree have, and that they may still get, by its limit and by the reserve. */
u32 ramfs_used(const struct inode *inode);
u32 ramfs_room(const struct inode *inode);

/*
 * Puts the root of a tree in the place of a directory of ramfs, under its name; the reference that the name held to the
 * directory is the caller's then. And the reverse.
 */
void ramfs_graft(struct inode *covered, struct inode *root);
void ramfs_ungraft(struct inode *covered, struct inode *root);

/* Whether anything in a tree is open, a working directory or mounted on; `others` references to the root are known. */
bool ramfs_tree_is_used(struct inode *root, u32 others);

/* Removes all names of a tree. May sleep: pages go. */
void ramfs_empty_tree(struct inode *root);

/* True for inodes of the trees in memory. */
bool ramfs_owns(const struct inode *inode);

/* Whether a directory takes new names: it lies in memory, and was not removed. */
bool ramfs_takes_names(const struct inode *directory);
