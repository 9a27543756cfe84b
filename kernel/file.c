/*
 * Open files: opening them by open(2)'s rules, and what is done with all kinds in the same way. Descriptors, and the
 * tables that they stand in, are in file_table.c.
 */
#include "kernel/file.h"

#include "kernel/assert.h"
#include "kernel/epoll.h"
#include "kernel/file_owner.h"
#include "kernel/lib/string.h"
#include "kernel/path.h"
#include "kernel/permission.h"
#include "kernel/process.h"
#include "kernel/ramfs.h"
#include "kernel/record_lock.h"
#include "mm/kmem.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/stat.h>

/* Flags of open that are about the opening; the others stay with the file. */
#define FILE_OPENING_FLAGS (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC)

/* Flags of open that mean something with O_PATH; it ignores the others. */
#define FILE_PATH_FLAGS (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* Flags of open by which the file could be changed. */
#define FILE_CHANGING_FLAGS (O_WRONLY | O_RDWR | O_TRUNC)

static struct kmem_cache file_cache = KMEM_CACHE("file", sizeof(struct file), sizeof(u32));

struct file *
file_create(struct inode *inode, u32 flags, const struct file_operations *operations, void *data)
{
    struct file *file = kmem_cache_allocate(&file_cache);

    if (file == NULL)
        return NULL;
    *file = (struct file){
        .references = 1,
        .flags = flags,
        .inode = inode_hold(inode),
        .operations = operations,
        .data = data,
    };
    return file;
}

void
file_release(struct file *file)
{
    assert(file->references > 0);
    if (--file->references > 0)
        return;
    if (!LIST_EMPTY(&file->watchers))
        epoll_forget_file(file);
    file_owner_release(file);
    record_lock_release(file, file->inode);
    if (file->is_writer)
        inode_remove_writer(file->inode);
    if (file->operations != NULL && file->operations->release != NULL)
        file->operations->release(file);
    inode_release(file->inode);
    kmem_cache_free(&file_cache, file);
}

/* What opening means to a regular file itself: there is one more who can write, and it may be emptied. */
static int
file_prepare_inode(struct file *file, u32 flags)
{
    struct inode *inode = file->inode;
    int error = 0;

    if (!inode_is(inode, S_IFREG) || inode->operations->size == NULL)
        return 0;
    if ((flags & O_ACCMODE) != O_RDONLY) {
        error = inode_add_writer(inode);
        file->is_writer = error == 0;
    }
    return error == 0 && (flags & O_TRUNC) ? inode_truncate(inode, 0) : error;
}

int
file_open_inode(struct inode *inode, u32 flags, struct file **file)
{
    struct file *opened;
    int error;

    if (inode->operations->open == NULL)
        return -ENXIO;
    opened = file_create(inode, flags, NULL, NULL);
    if (opened == NULL)
        return -ENOMEM;
    error = inode->operations->open(inode, opened);
    if (error == 0 && flags & O_DIRECT)         /* nothing here can go past the page cache */
        error = -EINVAL;
    if (error == 0)
        error = file_prepare_inode(opened, flags);
    if (error < 0) {
        file_release(opened);
        return error;
    }
    opened->flags &= ~FILE_OPENING_FLAGS;
    *file = opened;
    return 0;
}

/* O_PATH: a file that stands for an inode, whatever it is, and can do nothing with its contents. */
static int
file_open_path(struct inode *inode, u32 flags, struct file **file)
{
    static const struct file_operations none;

    *file = file_create(inode, flags & ~(u32)O_CLOEXEC, &none, NULL);
    return *file == NULL ? -ENOMEM : 0;
}

/* What an open with these flags wants to do. */
static u32
file_wanted(u32 flags)
{
    static const u8 wanted[] = {
        [O_RDONLY] = PERMISSION_READ,
        [O_WRONLY] = PERMISSION_WRITE,
        [O_RDWR] = PERMISSION_READ | PERMISSION_WRITE,
        [O_ACCMODE] = PERMISSION_READ | PERMISSION_WRITE,      /* what Linux takes 3 for */
    };

    return wanted[flags & O_ACCMODE] | (flags & O_TRUNC ? PERMISSION_WRITE : 0);
}

/*
 * As Linux: where many may make names in a sticky directory, who means to create a file is not led to something else
 * that a stranger has put there.
 */
static bool
file_is_bait(const struct inode *directory, const struct inode *inode)
{
    if (!(directory->mode & S_ISVTX) || !(directory->mode & S_IWOTH))
        return false;
    if (inode_is(inode, S_IFREG) || inode_is(inode, S_IFIFO))
        return false;
    return inode->user != directory->user && inode->user != current_process()->identity.user.file;
}

/* open's rules for a name that is already there. */
static int
file_open_existing(const struct path_end *end, u32 flags, struct file **file)
{
    bool is_directory = inode_is(end->inode, S_IFDIR);
    int error;

    if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
        return -EEXIST;
    if (((flags & O_DIRECTORY) || end->slash) && !is_directory)
        return -ENOTDIR;
    if (flags & O_PATH)
        return file_open_path(end->inode, flags, file);
    if (is_directory && (flags & (O_CREAT | FILE_CHANGING_FLAGS)))
        return -EISDIR;
    if (flags & O_CREAT && file_is_bait(end->directory, end->inode))
        return -EACCES;
    if (inode_is(end->inode, S_IFLNK))
        return -ELOOP;
    error = permission_check(end->inode, file_wanted(flags));
    if (error == 0 && flags & O_NOATIME && !permission_is_owner(end->inode))
        error = -EPERM;
    return error < 0 ? error : file_open_inode(end->inode, flags, file);
}

/* open's rules for a name that is not there. */
static int
file_open_new(const struct path_end *end, u32 flags, u32 mode, struct file **file)
{
    struct inode *inode;
    int error;

    if (!(flags & O_CREAT) || !ramfs_takes_names(end->directory))
        return -ENOENT;
    error = permission_make_name(end->directory);
    if (error == 0)
        error = ramfs_create(end->directory, end->name, S_IFREG | (mode & ~(u32)S_IFMT), 0, &inode);
    if (error < 0)
        return error;
    error = file_open_inode(inode, flags & ~O_TRUNC, file);
    if (error < 0)
        end->directory->operations->unlink(end->directory, end->name, inode);
    inode_release(inode);
    return error;
}

/* O_TMPFILE: a file in the directory's tree that has no name, and gets one by linkat at most. */
static int
file_open_temporary(const struct path_end *end, u32 flags, u32 mode, struct file **file)
{
    struct inode *inode;
    int error;

    if (end->inode == NULL)
        return -ENOENT;
    if (!inode_is(end->inode, S_IFDIR))
        return -ENOTDIR;
    error = permission_make_name(end->inode);
    if (error == 0 && !ramfs_owns(end->inode))
        error = -EOPNOTSUPP;
    if (error == 0)
        error = ramfs_create_temporary(end->inode, mode & ~(u32)S_IFMT, &inode);
    if (error < 0)
        return error;
    inode->linkable = !(flags & O_EXCL);
    error = file_open_inode(inode, flags & ~(u32)O_TRUNC, file);
    inode_release(inode);
    return error;
}

/* How open's flags let symbolic links in the last place be followed. */
static u32
file_walk_flags(const char *path, u32 flags)
{
    usize length = strlen(path);
    bool exclusive = (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
    bool slash = length > 0 && path[length - 1] == '/';

    if (exclusive || ((flags & O_CREAT) && slash))
        return PATH_NO_FOLLOW;
    return flags & O_NOFOLLOW ? PATH_NO_FOLLOW | PATH_FOLLOW_SLASH : 0;
}

int
file_check_flags(u32 *flags)
{
    if (*flags & O_PATH)
        *flags &= FILE_PATH_FLAGS;
    if ((*flags & O_CREAT) && (*flags & O_DIRECTORY))
        return -EINVAL;
    if ((*flags & __O_TMPFILE) && (!(*flags & O_DIRECTORY) || (*flags & O_ACCMODE) == O_RDONLY))
        return -EINVAL;
    return 0;
}

int
file_open(struct inode *start, const char *path, u32 flags, u32 mode, struct file **file)
{
    struct path_end end;
    int error = path_walk(start, path, file_walk_flags(path, flags), &end);

    if (error < 0)
        return error;
    if (flags & __O_TMPFILE)
        error = file_open_temporary(&end, flags, mode, file);
    else if ((flags & O_CREAT) && end.slash && !path_end_is_special(&end))
        error = -EISDIR;
    else if (end.inode != NULL)
        error = file_open_existing(&end, flags, file);
    else
        error = file_open_new(&end, flags, mode, file);
    path_end_release(&end);
    return error;
}

struct file *
file_open_console(void)
{
    struct file *file;

    return file_open(path_root, "/dev/console", O_RDWR, 0, &file) == 0 ? file : NULL;
}

s32
file_read_at(struct file *file, struct transfer *transfer, u64 *offset)
{
    if (!file_may_read(file))
        return -EBADF;
    if (file->operations->read == NULL)
        return -EINVAL;
    return file->operations->read(file, transfer, offset);
}

s32
file_write_at(struct file *file, struct transfer *transfer, u64 *offset)
{
    if (!file_may_write(file))
        return -EBADF;
    if (file->operations->write == NULL)
        return -EINVAL;
    return file->operations->write(file, transfer, offset);
}

s32
file_read(struct file *file, struct transfer *transfer)
{
    return file_read_at(file, transfer, &file->offset);
}

s32
file_write(struct file *file, struct transfer *transfer)
{
    return file_write_at(file, transfer, &file->offset);
}

int
file_mmap_object(struct file *file, u32 protection, u32 flags, struct object **object)
{
    if (!file_may_read(file))
        return -EACCES;
    if ((flags & MAP_TYPE) != MAP_PRIVATE && (protection & PROT_WRITE) && !file_may_write(file))
        return -EACCES;
    if (file->operations->mmap_object == NULL)
        return -ENODEV;
    return file->operations->mmap_object(file, protection, flags, object);
}
