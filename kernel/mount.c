/*
 * Mounting trees.
 *
 *     directory ── name ──► root of the mounted tree (its parent: directory)
 *                               mount ──► covered: what had the name before
 *
 * The entry itself is turned to the other tree, so that walking a path knows nothing of mounts.
 */
#include "kernel/mount.h"

#include "kernel/lib/divide.h"
#include "kernel/lib/string.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/path.h"
#include "kernel/permission.h"
#include "kernel/proc.h"
#include "kernel/ramfs.h"
#include "kernel/syscall_file.h"
#include "mm/frame.h"
#include "mm/kmem.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <bsd/sys/queue.h>
#include <linux/fcntl.h>
#include <linux/kdev_t.h>
#include <linux/mount.h>
#include <linux/stat.h>

/* Flags of umount2; not in the UAPI headers. */
#define MNT_FORCE 1u
#define MNT_DETACH 2u
#define MNT_EXPIRE 4u
#define UMOUNT_NOFOLLOW 8u

#define MOUNT_TYPE_BYTES 16u       /* "tmpfs" and "proc" fit */
#define MOUNT_TEMPORARY_MODE 01777u

/* Flags that let a tree be seen elsewhere, too. */
#define MOUNT_CHANGES (MS_BIND | MS_MOVE | MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)

/* What is to be mounted. */
struct mount_request {
    char type[MOUNT_TYPE_BYTES];
    u32 mode;                      /* tmpfs: of its root ... */
    u32 user, group;
    struct ramfs_limits limits;
    bool read_only;
};

/* As Linux: what is not said is half of memory, and an inode for each page of that. */
#define MOUNT_DEFAULT_PART 2u

struct mount {
    TAILQ_ENTRY(mount) link;
    struct inode *root;            /* held */
    struct inode *covered;         /* held */
    char *source;                  /* what was said to be mounted, which means nothing here; owned */
};

static TAILQ_HEAD(, mount) mounts = TAILQ_HEAD_INITIALIZER(mounts);

static struct ramfs_limits
mount_default_limits(void)
{
    u32 pages = frame_total() / MOUNT_DEFAULT_PART;

    return (struct ramfs_limits){pages, pages};
}

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

bool
mount_has(const struct file_system *file_system)
{
    const struct mount *mount;

    TAILQ_FOREACH(mount, &mounts, link) {
        if (mount->root->file_system == file_system)
            return true;
    }
    return false;
}

static char *
mount_copy_source(const char *source)
{
    usize bytes = strlen(source) + 1;
    char *copy = kmem_allocate(bytes);

    if (copy != NULL)
        memcpy(copy, source, bytes);
    return copy;
}

/* Mounts a tree on a directory; takes over the caller's reference to the root. */
static int
mount_attach(struct inode *covered, struct inode *root, const char *source)
{
    struct mount *mount = root == NULL ? NULL : kmem_allocate(sizeof(*mount));
    char *copy = mount == NULL ? NULL : mount_copy_source(source);

    if (copy == NULL) {
        kmem_free(mount);
        inode_release(root);
        return -ENOMEM;
    }
    *mount = (struct mount){.root = root, .covered = covered, .source = copy};
    ramfs_graft(covered, root);
    TAILQ_INSERT_TAIL(&mounts, mount, link);
    return 0;
}

static struct inode *
mount_create_tree(const struct mount_request *request)
{
    struct inode *root;

    if (strcmp(request->type, "proc") == 0)
        return proc_create_tree();
    root = ramfs_create_tree(request->mode, &request->limits);
    if (root != NULL) {
        root->user = request->user;
        root->group = request->group;
        ramfs_remount(root, &request->limits, request->read_only);
    }
    return root;
}

/* A directory that is the root of a mount may be covered again. */
static int
mount_on(struct inode *directory, const struct mount_request *request, const char *source)
{
    if (!inode_is(directory, S_IFDIR))
        return -ENOTDIR;
    if (directory == path_root || directory->parent == NULL || !ramfs_owns(directory->parent))
        return -EBUSY;
    return mount_attach(directory, mount_create_tree(request), source);
}

/* ---- Options ---- */

/* A number with K, M or G behind it, or without; false if there is something else. */
static bool
mount_parse_number(const char **text, u64 *value)
{
    const char *unit;

    if (!string_read_number(text, value) || *value >> 40 != 0)
        return false;
    unit = **text == '\0' ? NULL : strchr("kmg", **text | 0x20);
    if (unit != NULL) {
        *value <<= 10 * (unit - "kmg" + 1);
        ++*text;
    }
    return true;
}

/* A number of inodes; 0: no limit. */
static bool
mount_parse_count(const char *text, u32 *count)
{
    u64 value;

    if (!mount_parse_number(&text, &value))
        return false;
    *count = value == 0 || value > RAMFS_UNLIMITED ? RAMFS_UNLIMITED : (u32)value;
    return *text == '\0';
}

/* A number of bytes, or of hundredths of memory with %, as pages; 0: no limit. */
static bool
mount_parse_size(const char *text, u32 *pages)
{
    u64 value;

    if (!mount_parse_number(&text, &value))
        return false;
    if (*text == '%') {
        value = divide_u64(value * frame_total(), 100, NULL) << PAGE_SHIFT;
        text++;
    }
    value = (value + PAGE_MASK) >> PAGE_SHIFT;
    *pages = value > RAMFS_UNLIMITED ? RAMFS_UNLIMITED : (u32)value;
    return *text == '\0';
}

/* The octal number of a mode. */
static bool
mount_parse_mode(const char *text, u32 *mode)
{
    for (*mode = 0; *text >= '0' && *text <= '7' && *mode <= INODE_PERMISSIONS; text++)
        *mode = *mode << 3 | (u32)(*text - '0');
    return *text == '\0' && *mode <= INODE_PERMISSIONS;
}

/* The number of a user or a group. */
static bool
mount_parse_id(const char *text, u32 *id)
{
    u64 number;

    if (!string_read_number(&text, &number) || *text != '\0' || number >= UINT32_MAX)
        return false;
    *id = (u32)number;
    return true;
}

/* Takes one option, NAME=VALUE. */
static bool
mount_parse_option(struct mount_request *request, const char *option)
{
    const struct {
        const char *name;
        bool (*parse)(const char *text, u32 *value);
        u32 *value;
    } options[] = {
        {"size", mount_parse_size, &request->limits.pages},
        {"nr_inodes", mount_parse_count, &request->limits.inodes},
        {"mode", mount_parse_mode, &request->mode},
        {"uid", mount_parse_id, &request->user},
        {"gid", mount_parse_id, &request->group},
    };
    const char *equals = strchr(option, '=');

    for (u32 i = 0; equals != NULL && i < ARRAY_SIZE(options); i++) {
        usize length = strlen(options[i].name);

        if (length == (usize)(equals - option) && memcmp(option, options[i].name, length) == 0)
            return options[i].parse(equals + 1, options[i].value);
    }
    return false;
}

/* Takes options with commas between them; the text is cut up. */
static int
mount_parse_options(struct mount_request *request, char *text)
{
    while (text != NULL && *text != '\0') {
        char *option = text;

        text = strchr(text, ',');
        if (text != NULL)
            *text++ = '\0';
        if (!mount_parse_option(request, option)) {
            log_warn("mount: tmpfs knows size=BYTES[KMG%%], nr_inodes=N[KMG], mode=OCTAL, uid=N and gid=N, but not %s",
                     option);
            return -EINVAL;
        }
    }
    return 0;
}

/* ---- The calls ---- */

static int
mount_read_options(struct mount_request *request, u32 data)
{
    char *options;
    int error;

    if (data == 0)
        return 0;
    error = path_copy_in(data, &options);
    if (error < 0)
        return error == -ENOENT ? 0 : error;
    error = mount_parse_options(request, options);
    path_free(options);
    return error;
}

/* Reads what is to be mounted from user memory. */
static int
mount_read_request(struct mount_request *request, u32 type, u32 data)
{
    int error = user_copy_string(request->type, type, sizeof(request->type));

    if (error < 0)
        return error == -ENAMETOOLONG ? -ENODEV : error;
    if (strcmp(request->type, "proc") != 0 && strcmp(request->type, "tmpfs") != 0)
        return -ENODEV;
    return strcmp(request->type, "proc") == 0 ? 0 : mount_read_options(request, data);
}

static int
mount_new(struct inode *directory, u32 source, u32 type, u32 data, bool read_only)
{
    struct mount_request request = {
        .mode = MOUNT_TEMPORARY_MODE, .limits = mount_default_limits(), .read_only = read_only,
    };
    int error = mount_read_request(&request, type, data);
    char *name = NULL;

    if (error == 0 && source != 0)
        error = path_copy_in(source, &name);
    if (error == 0 || error == -ENOENT)
        error = mount_on(directory, &request, name == NULL ? "none" : name);
    path_free(name);
    return error;
}

/* What is not said stays as it is, but for MS_RDONLY. */
static int
mount_again(struct inode *root, u32 data, bool read_only)
{
    struct mount_request request = {.read_only = read_only};
    int error;

    if (root != path_root && !mount_is_root(root))
        return -EINVAL;
    if (!ramfs_owns(root))
        return 0;
    request.limits = ramfs_limits_of(root);
    error = mount_read_options(&request, data);
    return error == 0 ? ramfs_remount(root, &request.limits, read_only) : error;
}

s32
sys_mount(u32 source, u32 target, u32 type, u32 flags, u32 data)
{
    struct inode *directory;
    int error;

    error = path_lookup_user(AT_FDCWD, target, 0, &directory);
    if (error < 0)
        return error;
    if (!permission_is_root())
        error = -EPERM;
    else if (flags & (MOUNT_CHANGES | MS_NOUSER))
        error = -EINVAL;
    else if (flags & MS_REMOUNT)
        error = mount_again(directory, data, flags & MS_RDONLY);
    else
        error = mount_new(directory, source, type, data, flags & MS_RDONLY);
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
    kmem_free(mount->source);
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
    error = path_lookup_user(AT_FDCWD, target, flags & UMOUNT_NOFOLLOW ? PATH_NO_FOLLOW : 0, &root);
    if (error < 0)
        return error;
    mount = mount_find(root);
    if (!permission_is_root())
        error = -EPERM;
    else
        error = mount == NULL ? -EINVAL : mount_detach(mount, flags & MNT_DETACH);
    inode_release(root);
    return error;
}

s32
sys_umount(u32 target)
{
    return sys_umount2(target, 0);
}

static const char *
mount_access(const struct inode *root)
{
    return root->file_system->read_only ? "ro" : "rw";
}

/* A tree's limits as far as they are not the default; without one it is 0. */
static void
mount_print_limits(const struct inode *root, struct text_buffer *text)
{
    struct ramfs_limits normal = mount_default_limits(), limits = ramfs_owns(root) ? ramfs_limits_of(root) : normal;

    if (limits.pages != normal.pages)
        text_print(text, ",size=%uk", limits.pages == RAMFS_UNLIMITED ? 0 : pages_in_kib(limits.pages));
    if (limits.inodes != normal.inodes)
        text_print(text, ",nr_inodes=%u", limits.inodes == RAMFS_UNLIMITED ? 0 : limits.inodes);
}

void
mount_print(struct text_buffer *text)
{
    struct mount *mount;

    text_print(text, "rootfs / rootfs %s 0 0\n", mount_access(path_root));
    TAILQ_FOREACH(mount, &mounts, link) {
        struct text_buffer path = {0};

        if (inode_path(mount->root, &path) == 0) {
            text_print(text, "%s %s %s %s,relatime", mount->source, path.data, mount->root->file_system->name,
                       mount_access(mount->root));
            mount_print_limits(mount->root, text);
            text_print(text, " 0 0\n");
        }
        text_free(&path);
    }
}

/* A tree's device number names its mount as well: each tree is mounted once. */
void
mount_print_family(struct text_buffer *text)
{
    struct mount *mount;
    u32 first = path_root->file_system->device;
    const char *access = mount_access(path_root);

    text_print(text, "%u %u 0:%u / / %s - rootfs rootfs %s\n", first, first, first, access, access);
    TAILQ_FOREACH(mount, &mounts, link) {
        const struct file_system *tree = mount->root->file_system;
        struct text_buffer path = {0};

        if (inode_path(mount->root, &path) == 0) {
            text_print(text, "%u %u %u:%u / %s %s,relatime - %s %s %s", tree->device,
                       mount->covered->file_system->device, MAJOR(tree->device), MINOR(tree->device), path.data,
                       mount_access(mount->root), tree->name, mount->source, mount_access(mount->root));
            mount_print_limits(mount->root, text);
            text_print(text, "\n");
        }
        text_free(&path);
    }
}

static void
mount_must(struct inode *parent, const char *name, const struct mount_request *request)
{
    struct inode *directory;

    if (ramfs_create(parent, name, S_IFDIR | request->mode, 0, &directory) < 0
        || mount_on(directory, request, request->type) < 0)
        panic("no memory for %s", name);
    inode_release(directory);
}

void
mount_start(void)
{
    const struct mount_request process_tree = {.type = "proc", .mode = 0555};
    const struct mount_request temporary = {
        .type = "tmpfs", .mode = MOUNT_TEMPORARY_MODE, .limits = mount_default_limits(),
    };
    struct inode *devices;

    mount_must(path_root, "proc", &process_tree);
    mount_must(path_root, "tmp", &temporary);
    if (path_lookup(NULL, "/dev", 0, &devices) < 0)
        panic("there is no /dev");
    mount_must(devices, "shm", &temporary);
    inode_release(devices);
}
