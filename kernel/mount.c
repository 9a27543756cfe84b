/*
 * Mounting trees.
 *
 *     directory ── name ──► root of the mounted tree (its parent: directory)
 *                               mount ──► covered: what had the name before
 *
 * The entry itself is turned to the other tree, so that walking a path knows nothing of mounts.
 */
#include "kernel/mount.h"

#include "kernel/lib/string.h"
#include "kernel/panic.h"
#include "kernel/path.h"
#include "kernel/proc.h"
#include "kernel/process.h"
#include "kernel/ramfs.h"
#include "kernel/syscall_file.h"
#include "mm/kmem.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <bsd/sys/queue.h>
#include <linux/fcntl.h>
#include <linux/mount.h>
#include <linux/stat.h>

/* Flags of umount2; not in the UAPI headers. */
#define MNT_FORCE 1u
#define MNT_DETACH 2u
#define MNT_EXPIRE 4u
#define UMOUNT_NOFOLLOW 8u

#define MOUNT_TYPE_BYTES 16u       /* "tmpfs" and "proc" fit */
#define MOUNT_TEMPORARY_MODE 01777u

/* Flags that change what is mounted already, or how it is seen elsewhere. */
#define MOUNT_CHANGES (MS_REMOUNT | MS_BIND | MS_MOVE | MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)

struct mount {
    TAILQ_ENTRY(mount) link;
    struct inode *root;            /* held */
    struct inode *covered;         /* held */
};

static TAILQ_HEAD(, mount) mounts = TAILQ_HEAD_INITIALIZER(mounts);

static struct mount *
mount_find(const struct inode *root)
{
    struct mount *mount;

    TAILQ_FOREACH(mount, &mounts, link) {
        if (mount->root == root)
            return mount;
    }
    return NULL;
}

bool
mount_is_root(const struct inode *inode)
{
    return mount_find(inode) != NULL;
}

/* Mounts a tree on a directory; takes over the caller's reference to the root. */
static int
mount_attach(struct inode *covered, struct inode *root)
{
    struct mount *mount = root == NULL ? NULL : kmem_allocate(sizeof(*mount));

    if (mount == NULL) {
        inode_release(root);
        return -ENOMEM;
    }
    *mount = (struct mount){.root = root, .covered = covered};
    ramfs_graft(covered, root);
    TAILQ_INSERT_TAIL(&mounts, mount, link);
    return 0;
}

static struct inode *
mount_create_tree(const char *type)
{
    return strcmp(type, "proc") == 0 ? proc_create_tree() : ramfs_create_tree(MOUNT_TEMPORARY_MODE);
}

static int
mount_on(struct inode *directory, const char *type)
{
    if (!inode_is(directory, S_IFDIR))
        return -ENOTDIR;
    if (directory == path_root || directory->parent == NULL || !ramfs_owns(directory->parent) || mount_find(directory))
        return -EBUSY;
    return mount_attach(directory, mount_create_tree(type));
}

s32
sys_mount(u32 source, u32 target, u32 type_address, u32 flags, u32 data)
{
    char type[MOUNT_TYPE_BYTES];
    struct inode *directory;
    int error;

    (void)source;
    (void)data;
    if (current_process()->identity.effective_user != IDENTITY_ROOT)
        return -EPERM;
    if (flags & MOUNT_CHANGES)
        return -EINVAL;
    error = user_copy_string(type, type_address, sizeof(type));
    if (error < 0)
        return error == -ENAMETOOLONG ? -ENODEV : error;
    if (strcmp(type, "proc") != 0 && strcmp(type, "tmpfs") != 0)
        return -ENODEV;
    error = path_lookup_user(AT_FDCWD, target, 0, &directory);
    if (error < 0)
        return error;
    error = mount_on(directory, type);
    inode_release(directory);
    return error;
}

/* References to the root of a mount that are no use of it: its own, its name's, and the caller's. */
#define MOUNT_REFERENCES 3u

static int
mount_detach(struct mount *mount, bool lazily)
{
    struct inode *root = mount->root;
    bool in_memory = ramfs_owns(root);

    if (!lazily && (in_memory ? ramfs_tree_is_used(root, MOUNT_REFERENCES - 1) : root->references > MOUNT_REFERENCES))
        return -EBUSY;
    TAILQ_REMOVE(&mounts, mount, link);
    ramfs_ungraft(mount->covered, root);
    kmem_free(mount);
    if (in_memory)
        ramfs_empty_tree(root);
    inode_release(root);
    return 0;
}

s32
sys_umount2(u32 target, u32 flags)
{
    struct inode *root;
    struct mount *mount;
    int error;

    if (flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW))
        return -EINVAL;
    if (current_process()->identity.effective_user != IDENTITY_ROOT)
        return -EPERM;
    error = path_lookup_user(AT_FDCWD, target, flags & UMOUNT_NOFOLLOW ? PATH_NO_FOLLOW : 0, &root);
    if (error < 0)
        return error;
    mount = mount_find(root);
    error = mount == NULL ? -EINVAL : mount_detach(mount, flags & MNT_DETACH);
    inode_release(root);
    return error;
}

s32
sys_umount(u32 target)
{
    return sys_umount2(target, 0);
}

void
mount_print(struct text_buffer *text)
{
    struct mount *mount;

    text_print(text, "rootfs / rootfs rw 0 0\n");
    TAILQ_FOREACH(mount, &mounts, link) {
        const char *type = mount->root->operations->file_system->name;
        struct text_buffer path = {0};

        if (inode_path(mount->root, &path) == 0)
            text_print(text, "%s %s %s rw 0 0\n", type, path.data, type);
        text_free(&path);
    }
}

static void
mount_must(struct inode *parent, const char *name, u32 mode, const char *type)
{
    struct inode *directory;

    if (ramfs_create(parent, name, S_IFDIR | mode, 0, &directory) < 0 || mount_on(directory, type) < 0)
        panic("no memory for %s", name);
    inode_release(directory);
}

void
mount_start(void)
{
    struct inode *devices;

    mount_must(path_root, "proc", 0555, "proc");
    mount_must(path_root, "tmp", MOUNT_TEMPORARY_MODE, "tmpfs");
    if (path_lookup(NULL, "/dev", 0, &devices) < 0)
        panic("there is no /dev");
    mount_must(devices, "shm", MOUNT_TEMPORARY_MODE, "tmpfs");
    inode_release(devices);
}
