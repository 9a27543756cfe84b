/*
 * System calls that make, remove and move names.
 *
 * Each walks to the directory of the name, checks everything that can be wrong, and only then changes something. The
 * order of the checks is Linux's, since programs tell cases apart by the errno.
 */
#include "kernel/syscall_file.h"

#include "kernel/lib/string.h"
#include "kernel/mount.h"
#include "kernel/path.h"
#include "kernel/permission.h"
#include "kernel/process.h"
#include "kernel/ramfs.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/stat.h>

/* ---- Making ---- */

/* Whether something of this type can be made where a path ends. */
static int
name_check_new(const struct path_end *end, u32 type)
{
    int error;

    if (end->inode != NULL)
        return -EEXIST;
    if ((end->slash && type != S_IFDIR) || !ramfs_takes_names(end->directory))
        return -ENOENT;
    error = permission_make_name(end->directory);
    if (error == 0 && (type == S_IFCHR || type == S_IFBLK) && !permission_is_file_root())
        error = -EPERM;
    return error;
}

static s32
name_make(s32 directory, u32 path, u32 mode, u32 device)
{
    struct path_end end;
    struct inode *inode;
    int error = path_walk_user(directory, path, PATH_NO_FOLLOW, &end);

    if (error < 0)
        return error;
    error = name_check_new(&end, mode & S_IFMT);
    if (error == 0)
        error = ramfs_create(end.directory, end.name, mode & ~current_process()->file_mode_mask, device, &inode);
    if (error == 0)
        inode_release(inode);
    path_end_release(&end);
    return error;
}

s32
sys_mkdirat(s32 directory, u32 path, u32 mode)
{
    return name_make(directory, path, S_IFDIR | (mode & (INODE_PERMISSIONS & ~(u32)(S_ISUID | S_ISGID))), 0);
}

s32
sys_mkdir(u32 path, u32 mode)
{
    return sys_mkdirat(AT_FDCWD, path, mode);
}

s32
sys_mknodat(s32 directory, u32 path, u32 mode, u32 device)
{
    u32 type = mode & S_IFMT;

    if (type == 0)
        type = S_IFREG;
    if (type == S_IFDIR)
        return -EPERM;
    if (type != S_IFREG && type != S_IFCHR && type != S_IFBLK && type != S_IFIFO && type != S_IFSOCK)
        return -EINVAL;
    if (type != S_IFCHR && type != S_IFBLK)
        device = 0;
    return name_make(directory, path, type | (mode & INODE_PERMISSIONS), device);
}

s32
sys_mknod(u32 path, u32 mode, u32 device)
{
    return sys_mknodat(AT_FDCWD, path, mode, device);
}

s32
sys_symlinkat(u32 target_address, s32 directory, u32 path)
{
    struct path_end end;
    struct inode *inode;
    char *target;
    int error = path_copy_in(target_address, &target);

    if (error < 0)
        return error;
    error = path_walk_user(directory, path, PATH_NO_FOLLOW, &end);
    if (error == 0) {
        error = name_check_new(&end, S_IFLNK);
        if (error == 0)
            error = ramfs_create_link(end.directory, end.name, target, &inode);
        if (error == 0)
            inode_release(inode);
        path_end_release(&end);
    }
    path_free(target);
    return error;
}

s32
sys_symlink(u32 target, u32 path)
{
    return sys_symlinkat(target, AT_FDCWD, path);
}

static int
name_link(struct inode *inode, s32 directory, u32 path)
{
    struct path_end end;
    int error = path_walk_user(directory, path, PATH_NO_FOLLOW, &end);

    if (error < 0)
        return error;
    if (end.inode != NULL)
        error = -EEXIST;
    else if (end.slash || !ramfs_takes_names(end.directory))
        error = -ENOENT;
    else
        error = inode_check_writable(end.directory);
    if (error == 0 && inode->file_system != end.directory->file_system)
        error = -EXDEV;
    if (error == 0)
        error = permission_make_name(end.directory);
    if (error == 0 && inode_is(inode, S_IFDIR))
        error = -EPERM;
    if (error == 0 && inode->links == 0 && !inode->linkable)
        error = -ENOENT;
    if (error == 0)
        error = end.directory->operations->link(end.directory, end.name, inode);
    path_end_release(&end);
    return error;
}

s32
sys_linkat(s32 old_directory, u32 old_path, s32 new_directory, u32 new_path, u32 flags)
{
    u32 walk = (flags & AT_EMPTY_PATH) | (flags & AT_SYMLINK_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW);
    struct inode *inode;
    int error;

    if (flags & ~(u32)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    if (flags & AT_EMPTY_PATH && !permission_is_file_root())
        return -ENOENT;
    error = path_lookup_at(old_directory, old_path, walk, &inode);
    if (error < 0)
        return error;
    error = name_link(inode, new_directory, new_path);
    inode_release(inode);
    return error;
}

s32
sys_link(u32 old_path, u32 new_path)
{
    return sys_linkat(AT_FDCWD, old_path, AT_FDCWD, new_path, 0);
}

/* ---- Removing ---- */

static int
name_check_unlink(const struct path_end *end)
{
    bool is_directory;
    int error;

    if (path_end_is_special(end))
        return -EISDIR;
    error = inode_check_writable(end->directory);
    if (error < 0)
        return error;
    if (end->inode == NULL)
        return -ENOENT;
    is_directory = inode_is(end->inode, S_IFDIR);
    if (end->slash)
        return is_directory ? -EISDIR : -ENOTDIR;
    error = permission_remove_name(end->directory, end->inode);
    if (error < 0)
        return error;
    return is_directory ? -EISDIR : ramfs_owns(end->directory) ? 0 : -EPERM;
}

static int
name_check_rmdir(const struct path_end *end)
{
    int error;

    if (strcmp(end->name, ".") == 0)
        return -EINVAL;
    if (strcmp(end->name, "..") == 0)
        return -ENOTEMPTY;
    if (end->name[0] == '\0')
        return -EBUSY;
    error = inode_check_writable(end->directory);
    if (error < 0)
        return error;
    if (end->inode == NULL)
        return -ENOENT;
    error = permission_remove_name(end->directory, end->inode);
    if (error < 0)
        return error;
    if (!inode_is(end->inode, S_IFDIR))
        return -ENOTDIR;
    if (!ramfs_owns(end->directory))
        return -EPERM;
    if (mount_is_root(end->inode))
        return -EBUSY;
    return ramfs_is_empty(end->inode) ? 0 : -ENOTEMPTY;
}

s32
sys_unlinkat(s32 directory, u32 path, u32 flags)
{
    struct path_end end;
    int error;

    if (flags & ~(u32)AT_REMOVEDIR)
        return -EINVAL;
    error = path_walk_user(directory, path, PATH_NO_FOLLOW, &end);
    if (error < 0)
        return error;
    error = flags & AT_REMOVEDIR ? name_check_rmdir(&end) : name_check_unlink(&end);
    if (error == 0)
        end.directory->operations->unlink(end.directory, end.name, end.inode);
    path_end_release(&end);
    return error;
}

s32
sys_unlink(u32 path)
{
    return sys_unlinkat(AT_FDCWD, path, 0);
}

s32
sys_rmdir(u32 path)
{
    return sys_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

/* ---- Moving ---- */

/* Whether directory lies in the tree below inode, or is it. */
static bool
name_is_below(const struct inode *directory, const struct inode *inode)
{
    for (; directory != NULL; directory = directory->parent) {
        if (directory == inode)
            return true;
    }
    return false;
}

/*
 * The rules of rename, and those of RENAME_EXCHANGE, in the order in which Linux asks them: whether the names can be
 * meant, the tree, permissions, and whether what the new name has may go.
 */
static int
name_check_ends(const struct path_end *old, const struct path_end *new, u32 flags)
{
    if (old->directory->file_system != new->directory->file_system)
        return -EXDEV;
    if (path_end_is_special(old))
        return -EBUSY;
    if (path_end_is_special(new))
        return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
    if (inode_check_writable(old->directory) < 0)
        return -EROFS;
    if (old->inode == NULL || (flags & RENAME_EXCHANGE && new->inode == NULL))
        return -ENOENT;
    if (new->inode == NULL && !ramfs_takes_names(new->directory))
        return -ENOENT;
    return flags & RENAME_NOREPLACE && new->inode != NULL ? -EEXIST : 0;
}

/* Only directories may be named with a slash behind, and none may come to lie in itself. */
static int
name_check_tree(const struct path_end *old, const struct path_end *new, u32 flags)
{
    bool exchange = flags & RENAME_EXCHANGE;

    if (exchange && new->slash && !inode_is(new->inode, S_IFDIR))
        return -ENOTDIR;
    if (!inode_is(old->inode, S_IFDIR) && (old->slash || (new->slash && !exchange)))
        return -ENOTDIR;
    if (name_is_below(new->directory, old->inode))
        return -EINVAL;
    if (new->inode != NULL && name_is_below(old->directory, new->inode))
        return exchange ? -EINVAL : -ENOTEMPTY;
    return 0;
}

/* Whether what has the new name may go: for a directory a directory, for anything else no directory. */
static int
name_check_target(const struct path_end *old, const struct path_end *new, u32 flags)
{
    bool is_directory = inode_is(old->inode, S_IFDIR);
    int error = permission_remove_name(new->directory, new->inode);

    if (error < 0 || flags & RENAME_EXCHANGE || is_directory == inode_is(new->inode, S_IFDIR))
        return error;
    return is_directory ? -ENOTDIR : -EISDIR;
}

/* A directory that gets another parent is written: its ".." changes. The root of a mount does not get one at all. */
static int
name_check_moved(const struct inode *inode, const struct path_end *from, const struct path_end *to)
{
    if (from->directory == to->directory || !inode_is(inode, S_IFDIR) || mount_is_root(inode))
        return 0;
    return permission_check(inode, PERMISSION_WRITE);
}

static int
name_check_permitted(const struct path_end *old, const struct path_end *new, u32 flags)
{
    int error = permission_remove_name(old->directory, old->inode);

    if (error == 0 && new->inode == NULL)
        error = permission_make_name(new->directory);
    else if (error == 0)
        error = name_check_target(old, new, flags);
    if (error == 0)
        error = name_check_moved(old->inode, old, new);
    if (error == 0 && flags & RENAME_EXCHANGE)
        error = name_check_moved(new->inode, new, old);
    return error;
}

static int
name_check_replace(const struct path_end *old, const struct path_end *new, u32 flags)
{
    if (!ramfs_owns(old->directory))
        return -EPERM;
    if (mount_is_root(old->inode) || (new->inode != NULL && mount_is_root(new->inode)))
        return -EBUSY;
    if (flags & RENAME_EXCHANGE || new->inode == NULL || !inode_is(new->inode, S_IFDIR))
        return 0;
    return ramfs_is_empty(new->inode) ? 0 : -ENOTEMPTY;
}

/* Two names of the same file: nothing is to be done, says POSIX. */
static int
name_move(const struct path_end *old, const struct path_end *new, u32 flags)
{
    int error = name_check_ends(old, new, flags);

    if (error == 0)
        error = name_check_tree(old, new, flags);
    if (error < 0 || old->inode == new->inode)
        return error;
    error = name_check_permitted(old, new, flags);
    if (error == 0)
        error = name_check_replace(old, new, flags);
    if (error < 0)
        return error;
    if (!(flags & RENAME_EXCHANGE))
        return ramfs_rename(old->directory, old->name, new->directory, new->name);
    ramfs_exchange(old->directory, old->name, new->directory, new->name);
    return 0;
}

/* Finds both names and renames. Nothing here sleeps, so that what was checked still holds when it is done. */
static int
name_rename(const struct path_argument *from, const struct path_argument *to, u32 flags)
{
    struct path_end old, new;
    int error = path_walk(from->start, from->text, PATH_NO_FOLLOW, &old);

    if (error < 0)
        return error;
    error = path_walk(to->start, to->text, PATH_NO_FOLLOW, &new);
    if (error == 0) {
        error = name_move(&old, &new, flags);
        path_end_release(&new);
    }
    path_end_release(&old);
    return error;
}

/* The new name could not be read: but Linux looks for the old one before. */
static int
name_refuse(const struct path_argument *from, int error)
{
    struct path_end old;
    int walked = path_walk(from->start, from->text, PATH_NO_FOLLOW, &old);

    if (walked < 0)
        return walked;
    path_end_release(&old);
    return error;
}

s32
sys_renameat2(s32 old_directory, u32 old_path, s32 new_directory, u32 new_path, u32 flags)
{
    struct path_argument from, to;
    int error;

    if (flags & ~(u32)(RENAME_NOREPLACE | RENAME_EXCHANGE) || flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
        return -EINVAL;
    error = path_argument_read(old_directory, old_path, &from);
    if (error < 0)
        return error;
    error = path_argument_read(new_directory, new_path, &to);
    if (error < 0) {
        error = name_refuse(&from, error);
    } else {
        error = name_rename(&from, &to, flags);
        path_argument_release(&to);
    }
    path_argument_release(&from);
    return error;
}

s32
sys_renameat(s32 old_directory, u32 old_path, s32 new_directory, u32 new_path)
{
    return sys_renameat2(old_directory, old_path, new_directory, new_path, 0);
}

s32
sys_rename(u32 old_path, u32 new_path)
{
    return sys_renameat2(AT_FDCWD, old_path, AT_FDCWD, new_path, 0);
}
