/*
 * Who may do what with a file: the current process's effective user and groups (or those of thread->acts_as) against an
 * inode's owner and mode. Root may everything, but run only what somebody may run. The kernel's own threads are root.
 */
#pragma once

#include "kernel/identity.h"
#include "kernel/inode.h"

/* What is wanted, as in one class of a mode's bits and as access says it. */
#define PERMISSION_EXECUTE 1u
#define PERMISSION_WRITE   2u
#define PERMISSION_READ    4u
#define PERMISSION_ALL     7u

/* Where the classes of the owner and of the group stand in a mode; that of the others is the lowest. */
#define PERMISSION_OWNER_SHIFT 6
#define PERMISSION_GROUP_SHIFT 3

/* 0, -EACCES, or -EROFS for writing to a file, directory or link of a tree that is mounted read-only. */
int permission_check(const struct inode *inode, u32 wanted);

/* Whether the current process is root, in effect; and whether it is for files, where setfsuid may have changed that. */
bool permission_is_root(void);
bool permission_is_file_root(void);

/* Whether the current process may change the inode's mode and times: its owner, or root. */
bool permission_is_owner(const struct inode *inode);

/* Whether it is a member of the group, in effect. */
bool permission_has_group(u32 group);

/*
 * A program that has changed, or changed hands, must not act for its owner any more: its mode without set-user-id,
 * and without set-group-id where the group may run it or the process is not a member of the group.
 */
u32 permission_without_deputy(const struct inode *inode);

/*
 * Whether it may make a name in the directory; or take away the name of an inode there: 0, -EACCES, or -EPERM where
 * the directory is sticky and neither is its own.
 */
int permission_make_name(const struct inode *directory);
int permission_remove_name(const struct inode *directory, const struct inode *inode);
