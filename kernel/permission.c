/*
 * Permission checks. One class of bits counts: the owner's for the owner, the group's for its members, the others'.
 */
#include "kernel/permission.h"

#include "kernel/process.h"

#include <asm/errno.h>
#include <linux/stat.h>

#define MODE_ANY_EXECUTE 0111u

/* Who the current thread acts as on files; NULL: as root, without asking. */
static const struct identity *
permission_identity(void)
{
    const struct thread *thread = current_thread();
    const struct identity *identity;

    if (thread == NULL)
        return NULL;
    identity = thread->acts_as != NULL ? thread->acts_as : &thread->process->identity;
    return identity->user.file == IDENTITY_ROOT ? NULL : identity;
}

/* Devices and FIFOs can be written to wherever they lie. */
static int
permission_check_tree(const struct inode *inode, u32 wanted)
{
    bool lies_there = inode_is(inode, S_IFREG) || inode_is(inode, S_IFDIR) || inode_is(inode, S_IFLNK);

    return wanted & PERMISSION_WRITE && lies_there ? inode_check_writable(inode) : 0;
}

/* The one class of the mode's bits that counts for this identity, as the lowest bits. */
static u32
permission_class(const struct inode *inode, const struct identity *identity)
{
    if (identity->user.file == inode->user)
        return inode->mode >> PERMISSION_OWNER_SHIFT;
    if (identity->group.file == inode->group || identity_has_supplementary(identity, inode->group))
        return inode->mode >> PERMISSION_GROUP_SHIFT;
    return inode->mode;
}

int
permission_check(const struct inode *inode, u32 wanted)
{
    const struct identity *identity = permission_identity();
    bool may_run = inode_is(inode, S_IFDIR) || inode->mode & MODE_ANY_EXECUTE;
    int error = permission_check_tree(inode, wanted);

    if (error < 0)
        return error;
    if (identity == NULL)
        return wanted & PERMISSION_EXECUTE && !may_run ? -EACCES : 0;
    return (permission_class(inode, identity) & wanted) == wanted ? 0 : -EACCES;
}

bool
permission_is_root(void)
{
    return current_thread() == NULL || current_process()->identity.user.effective == IDENTITY_ROOT;
}

bool
permission_is_file_root(void)
{
    return permission_identity() == NULL;
}

bool
permission_is_owner(const struct inode *inode)
{
    const struct identity *identity = permission_identity();

    return identity == NULL || identity->user.file == inode->user;
}

bool
permission_has_group(u32 group)
{
    const struct identity *identity = permission_identity();

    return identity == NULL || identity->group.file == group || identity_has_supplementary(identity, group);
}

u32
permission_without_deputy(const struct inode *inode)
{
    bool group_too = inode->mode & S_IXGRP || !permission_has_group(inode->group);

    return inode->mode & ~(u32)(group_too ? S_ISUID | S_ISGID : S_ISUID);
}

int
permission_make_name(const struct inode *directory)
{
    return permission_check(directory, PERMISSION_WRITE | PERMISSION_EXECUTE);
}

int
permission_remove_name(const struct inode *directory, const struct inode *inode)
{
    int error = permission_make_name(directory);

    if (error == 0 && directory->mode & S_ISVTX && !permission_is_owner(directory) && !permission_is_owner(inode))
        error = -EPERM;
    return error;
}
