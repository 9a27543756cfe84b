/*
 * Permission checks. One class of bits counts: the owner's for the owner, the group's for its members, the others'.
 */
#include "kernel/permission.h"

#include "kernel/process.h"

#include <asm/errno.h>
#include <linux/stat.h>

#define MODE_ANY_EXECUTE 0111u
#define MODE_OWNER_SHIFT 6
#define MODE_GROUP_SHIFT 3

/* Who the current thread acts as; NULL: as root, without asking. */
static const struct identity *
permission_identity(void)
{
    const struct identity *identity = current_thread() == NULL ? NULL : &current_process()->identity;

    return identity == NULL || identity->effective_user == IDENTITY_ROOT ? NULL : identity;
}

/* Devices and FIFOs can be written to wherever they lie. */
static int
permission_check_tree(const struct inode *inode, u32 wanted)
{
    bool lies_there = inode_is(inode, S_IFREG) || inode_is(inode, S_IFDIR) || inode_is(inode, S_IFLNK);

    return wanted & PERMISSION_WRITE && lies_there ? inode_check_writable(inode) : 0;
}

int
permission_check_as(const struct permission_asker *asker, const struct inode *inode, u32 wanted)
{
    u32 mode = inode->mode;
    int error = permission_check_tree(inode, wanted);

    if (error < 0)
        return error;
    if (asker->user == IDENTITY_ROOT) {
        bool may_run = inode_is(inode, S_IFDIR) || mode & MODE_ANY_EXECUTE;

        return wanted & PERMISSION_EXECUTE && !may_run ? -EACCES : 0;
    }
    if (asker->user == inode->user)
        mode >>= MODE_OWNER_SHIFT;
    else if (asker->group == inode->group || identity_has_supplementary(asker->identity, inode->group))
        mode >>= MODE_GROUP_SHIFT;
    return (mode & wanted) == wanted ? 0 : -EACCES;
}

int
permission_check(const struct inode *inode, u32 wanted)
{
    const struct identity *identity = permission_identity();
    struct permission_asker asker = {0};

    if (identity == NULL && !(wanted & PERMISSION_EXECUTE))
        return permission_check_tree(inode, wanted);
    if (identity != NULL)
        asker = (struct permission_asker){identity->effective_user, identity->effective_group, identity};
    return permission_check_as(&asker, inode, wanted);
}

bool
permission_is_root(void)
{
    return permission_identity() == NULL;
}

bool
permission_is_owner(const struct inode *inode)
{
    const struct identity *identity = permission_identity();

    return identity == NULL || identity->effective_user == inode->user;
}

bool
permission_has_group(u32 group)
{
    const struct identity *identity = permission_identity();

    return identity == NULL || identity->effective_group == group || identity_has_supplementary(identity, group);
}

void
permission_drop_deputy(struct inode *inode)
{
    inode->mode &= ~(u32)S_ISUID;
    if (inode->mode & S_IXGRP)
        inode->mode &= ~(u32)S_ISGID;
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
