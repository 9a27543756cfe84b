/*
 * The tree in memory.
 *
 *     directory inode ──► ramfs_directory ──► entry ──► entry ──► …      in the order they were made, and by name
 *                                               │ name, holds
 *                                               ▼
 *                                             inode (of this tree, or the root of another one: /proc)
 *
 * Invariants: a directory's link count is 2 + its subdirectories, or 0 once it is removed, and then it is empty and
 * stays so. Entries carry positions that only grow, so that a listing goes on at the right place after entries were
 * removed.
 */
#include "kernel/ramfs_entry.h"

#include "kernel/assert.h"
#include "kernel/device.h"
#include "kernel/file.h"
#include "kernel/lib/string.h"
#include "kernel/panic.h"
#include "kernel/path.h"
#include "kernel/permission.h"
#include "kernel/pipe.h"
#include "kernel/regular.h"
#include "kernel/reserve.h"
#include "mm/kmem.h"
#include "mm/object.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/stat.h>

#define RAMFS_FIRST_POSITION 2u   /* 0 and 1 are "." and ".." */

static struct ramfs_tree ramfs_root_tree = {
    .file_system = {"rootfs", DEVICE_ROOT, RAMFS_MAGIC, false},
    .inodes = 1,
    .inode_limit = RAMFS_UNLIMITED,
};

static struct ramfs_tree ramfs_unnamed_tree = {
    .file_system = {"tmpfs", DEVICE_UNNAMED, TMPFS_MAGIC, false},
    .inodes = 1,
    .inode_limit = RAMFS_UNLIMITED,
    .budget.limit = RAMFS_UNLIMITED,
};

static const struct inode_operations ramfs_operations;

static int
ramfs_compare(const struct ramfs_entry *left, const struct ramfs_entry *right)
{
    return strcmp(left->name, right->name);
}

/* Not RB_GENERATE_STATIC, which relies on an __unused that libbsd does not define. */
RB_GENERATE_INTERNAL(ramfs_names, ramfs_entry, by_name, ramfs_compare, static __attribute__((unused)))

struct ramfs_entry *
ramfs_find(const struct inode *directory, const char *name)
{
    struct ramfs_entry key = {.name = name};

    return RB_FIND(ramfs_names, &directory->directory->names, &key);
}

struct ramfs_entry *
ramfs_find_child(const struct inode *directory, const struct inode *child)
{
    struct ramfs_entry *entry;

    TAILQ_FOREACH(entry, &directory->directory->entries, link) {
        if (entry->inode == child)
            break;
    }
    return entry;
}

bool
ramfs_owns(const struct inode *inode)
{
    return inode->operations == &ramfs_operations;
}

bool
ramfs_takes_names(const struct inode *directory)
{
    return ramfs_owns(directory) && directory->links != 0;
}

bool
ramfs_is_empty(const struct inode *directory)
{
    return TAILQ_EMPTY(&directory->directory->entries);
}

/* ---- Entries: link counts and parents change here, in ramfs_rename and in ramfs_exchange ---- */

static struct ramfs_entry *
ramfs_entry_create(const char *name)
{
    usize length = strlen(name) + 1;
    struct ramfs_entry *entry = kmem_allocate(sizeof(*entry) + length);

    if (entry == NULL)
        return NULL;
    memcpy(entry + 1, name, length);
    entry->name = (const char *)(entry + 1);
    return entry;
}

static void
ramfs_entry_insert(struct inode *directory, struct ramfs_entry *entry, struct inode *inode)
{
    struct ramfs_directory *entries = directory->directory;

    entry->inode = inode_hold(inode);
    entry->position = entries->next_position++;
    TAILQ_INSERT_TAIL(&entries->entries, entry, link);
    RB_INSERT(ramfs_names, &entries->names, entry);
    entries->count++;
    inode->links++;
    inode->parent = directory;
    if (inode_is(inode, S_IFDIR)) {
        inode->links++;
        directory->links++;
        inode_hold(directory);
    }
    inode_touch_changed(inode);
    inode_touch_modified(directory);
}

void
ramfs_entry_remove(struct inode *directory, struct ramfs_entry *entry)
{
    struct inode *inode = entry->inode;

    TAILQ_REMOVE(&directory->directory->entries, entry, link);
    RB_REMOVE(ramfs_names, &directory->directory->names, entry);
    directory->directory->count--;
    kmem_free(entry);
    inode->links--;
    if (inode_is(inode, S_IFDIR)) {
        inode->links--;
        directory->links--;
    } else if (inode->parent == directory) {
        inode->parent = NULL;
    }
    inode_touch_changed(inode);
    inode_touch_modified(directory);
    inode_release(inode);
}

/* ---- Names of files, for /proc ---- */

/* Lets /proc say where a file's pages come from. */
static void
ramfs_name_object(struct inode *inode)
{
    struct text_buffer path = {0};

    if (inode_path(inode, &path) == 0)
        object_set_name(inode->object, path.data, inode->number);
    text_free(&path);
}

/* One that is losing its last name stays known by it. */
static void
ramfs_name_deleted(struct inode *inode)
{
    struct text_buffer path = {0};

    if (!inode_is(inode, S_IFREG) || inode->links > 1 || inode->object->name == NULL)
        return;
    text_print(&path, "%s (deleted)", inode->object->name);
    if (!path.failed)
        object_set_name(inode->object, path.data, inode->number);
    text_free(&path);
}

/* ---- Operations ---- */

static int
ramfs_lookup(struct inode *directory, const char *name, struct inode **result)
{
    struct ramfs_entry *entry = ramfs_find(directory, name);

    if (entry == NULL)
        return -ENOENT;
    *result = inode_hold(entry->inode);
    return 0;
}

static int
ramfs_list(struct inode *directory, u64 position, struct directory_sink *sink)
{
    struct ramfs_entry *entry;

    TAILQ_FOREACH(entry, &directory->directory->entries, link) {
        if (entry->position < position)
            continue;
        if (!sink->entry(sink, entry->name, entry->inode->number, entry->inode->mode, entry->position + 1))
            break;
    }
    return 0;
}

static const char *
ramfs_name(struct inode *directory, struct inode *child)
{
    const struct ramfs_entry *entry = ramfs_find_child(directory, child);

    return entry != NULL ? entry->name : NULL;
}

static int
ramfs_link(struct inode *directory, const char *name, struct inode *inode)
{
    struct ramfs_entry *entry;

    if (directory->links == 0)
        return -ENOENT;
    if (reserve_is_reached())
        return -ENOSPC;
    entry = ramfs_entry_create(name);
    if (entry == NULL)
        return -ENOMEM;
    ramfs_entry_insert(directory, entry, inode);
    return 0;
}

static void
ramfs_unlink(struct inode *directory, const char *name, struct inode *inode)
{
    struct ramfs_entry *entry = ramfs_find(directory, name);

    assert(entry != NULL && entry->inode == inode);
    assert(!inode_is(inode, S_IFDIR) || ramfs_is_empty(inode));
    ramfs_name_deleted(inode);
    ramfs_entry_remove(directory, entry);
}

static int
ramfs_read_link(struct inode *link, struct text_buffer *text)
{
    text_append(text, link->target, strlen(link->target));
    return text->failed ? -ENOMEM : 0;
}

/* tmpfs says that a directory takes so many bytes for each entry. */
#define TMPFS_ENTRY_BYTES 20u

static u64
ramfs_size(const struct inode *inode)
{
    if (inode_is(inode, S_IFREG))
        return inode->object->bytes;
    if (inode_is(inode, S_IFLNK))
        return strlen(inode->target);
    if (inode_is(inode, S_IFDIR) && inode->file_system->magic == TMPFS_MAGIC)
        return (2 + inode->directory->count) * TMPFS_ENTRY_BYTES;
    return 0;
}

static int
ramfs_open(struct inode *inode, struct file *file)
{
    switch (inode->mode & S_IFMT) {
    case S_IFREG:
        file->operations = &regular_operations;
        return 0;
    case S_IFDIR:
        file->operations = &directory_operations;
        return 0;
    case S_IFCHR:
        return device_open(inode, file);
    case S_IFIFO:
        return pipe_open(inode, file);
    default:
        return -ENXIO;
    }
}

static void
ramfs_destroy(struct inode *inode)
{
    struct ramfs_tree *tree = ramfs_tree_of(inode);

    if (inode_is(inode, S_IFREG) && inode->object != NULL)
        object_release(inode->object);
    else if (inode_is(inode, S_IFDIR))
        kmem_free(inode->directory);
    else if (inode_is(inode, S_IFLNK))
        kmem_free(inode->target);
    if (--tree->inodes == 0)
        kmem_free(tree);
}

static const struct inode_operations ramfs_operations = {
    .lookup = ramfs_lookup,
    .list = ramfs_list,
    .name = ramfs_name,
    .link = ramfs_link,
    .unlink = ramfs_unlink,
    .read_link = ramfs_read_link,
    .size = ramfs_size,
    .open = ramfs_open,
    .destroy = ramfs_destroy,
};

/* ---- Making files ---- */

static bool
ramfs_make_directory(struct inode *inode)
{
    inode->directory = kmem_allocate(sizeof(*inode->directory));
    if (inode->directory == NULL)
        return false;
    TAILQ_INIT(&inode->directory->entries);
    RB_INIT(&inode->directory->names);
    inode->directory->next_position = RAMFS_FIRST_POSITION;
    inode->directory->count = 0;
    return true;
}

struct inode *
ramfs_inode_create(struct ramfs_tree *tree, u32 mode, struct object *object, char *target)
{
    struct inode *inode = inode_create(&ramfs_operations, &tree->file_system, mode);

    if (inode == NULL)
        return NULL;
    tree->inodes++;
    if (inode_is(inode, S_IFREG)) {
        inode->object = object;
        inode->seals = F_SEAL_SEAL;
        object->budget = tree->budget.limit > 0 ? &tree->budget : NULL;
    } else if (inode_is(inode, S_IFLNK)) {
        inode->target = target;
    } else if (inode_is(inode, S_IFDIR) && !ramfs_make_directory(inode)) {
        inode_release(inode);
        return NULL;
    }
    return inode;
}

/*
 * What a directory with a set-group-id bit hands on to what is made in it. A program does not get such a bit from who
 * is not a member of that group.
 */
static void
ramfs_inherit(const struct inode *directory, struct inode *inode)
{
    if (!(directory->mode & S_ISGID))
        return;
    inode->group = directory->group;
    if (inode_is(inode, S_IFDIR))
        inode->mode |= S_ISGID;
    else if ((inode->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && !permission_has_group(inode->group))
        inode->mode &= ~(u32)S_ISGID;
}

/* Names a new inode, or frees it. */
static int
ramfs_finish(struct inode *directory, const char *name, struct inode *inode, struct inode **result)
{
    int error = ramfs_link(directory, name, inode);

    if (error < 0) {
        inode_release(inode);
        return error;
    }
    ramfs_inherit(directory, inode);
    if (inode_is(inode, S_IFREG))
        ramfs_name_object(inode);
    *result = inode;
    return 0;
}

int
ramfs_create(struct inode *directory, const char *name, u32 mode, u32 device, struct inode **result)
{
    struct object *object = NULL;
    struct inode *inode;

    assert((mode & S_IFMT) != S_IFLNK);
    if (ramfs_free_inodes(directory) == 0)
        return -ENOSPC;
    if ((mode & S_IFMT) == S_IFREG) {
        object = object_anonymous_create(0);
        if (object == NULL)
            return -ENOMEM;
    }
    inode = ramfs_inode_create(ramfs_tree_of(directory), mode, object, NULL);
    if (inode == NULL) {
        if (object != NULL)
            object_release(object);
        return -ENOMEM;
    }
    inode->device = device;
    return ramfs_finish(directory, name, inode, result);
}

int
ramfs_create_link(struct inode *directory, const char *name, const char *target, struct inode **result)
{
    usize length = strlen(target) + 1;
    struct inode *inode;
    char *copy;

    if (ramfs_free_inodes(directory) == 0)
        return -ENOSPC;
    copy = kmem_allocate(length);
    if (copy == NULL)
        return -ENOMEM;
    memcpy(copy, target, length);
    inode = ramfs_inode_create(ramfs_tree_of(directory), S_IFLNK | 0777, NULL, copy);
    if (inode == NULL) {
        kmem_free(copy);
        return -ENOMEM;
    }
    return ramfs_finish(directory, name, inode, result);
}

int
ramfs_create_image(struct inode *directory, const char *name, u32 mode, struct object *object, struct inode **result)
{
    struct inode *inode = ramfs_inode_create(ramfs_tree_of(directory), mode, object, NULL);

    if (inode == NULL) {
        object_release(object);
        return -ENOMEM;
    }
    return ramfs_finish(directory, name, inode, result);
}

void
ramfs_set_image(struct inode *inode, struct object *object)
{
    object_release(inode->object);
    inode->object = object;
    ramfs_name_object(inode);
}

static int
ramfs_make_unnamed(struct ramfs_tree *tree, u32 mode, const char *name, struct inode **result)
{
    struct object *object = object_anonymous_create(0);
    struct inode *inode = object == NULL ? NULL : ramfs_inode_create(tree, S_IFREG | mode, object, NULL);

    if (inode == NULL) {
        if (object != NULL)
            object_release(object);
        return -ENOMEM;
    }
    object_set_name(object, name, inode->number);
    *result = inode;
    return 0;
}

int
ramfs_create_unnamed(const char *name, struct inode **result)
{
    return ramfs_make_unnamed(&ramfs_unnamed_tree, 0777, name, result);
}

int
ramfs_create_temporary(struct inode *directory, u32 mode, struct inode **result)
{
    int error;

    if (ramfs_free_inodes(directory) == 0 || reserve_is_reached())
        return -ENOSPC;
    error = ramfs_make_unnamed(ramfs_tree_of(directory), mode, "/#temporary (deleted)", result);
    if (error == 0)
        ramfs_inherit(directory, *result);
    return error;
}

int
ramfs_rename(struct inode *old_directory, const char *old_name, struct inode *new_directory, const char *new_name)
{
    struct ramfs_entry *old = ramfs_find(old_directory, old_name);
    struct ramfs_entry *replaced = ramfs_find(new_directory, new_name);
    struct ramfs_entry *entry;
    struct inode *inode, *victim;

    assert(old != NULL && ramfs_takes_names(new_directory));
    entry = ramfs_entry_create(new_name);
    if (entry == NULL)
        return -ENOMEM;
    inode = old->inode;
    victim = replaced == NULL ? NULL : inode_hold(replaced->inode);
    if (replaced != NULL) {
        ramfs_name_deleted(victim);
        ramfs_entry_remove(new_directory, replaced);
    }
    ramfs_entry_insert(new_directory, entry, inode);
    ramfs_entry_remove(old_directory, old);
    inode->parent = new_directory;
    if (inode_is(inode, S_IFREG))
        ramfs_name_object(inode);
    if (inode_is(inode, S_IFDIR))
        inode_release(old_directory);
    /* Last, since freeing the pages may sleep and others must not see half a rename. */
    inode_release(victim);
    return 0;
}

/* An entry gets the other's inode. */
static void
ramfs_entry_turn(struct inode *directory, struct ramfs_entry *entry, struct inode *inode, struct inode *from)
{
    entry->inode = inode;
    inode->parent = directory;
    if (inode_is(inode, S_IFDIR)) {
        directory->links++;
        inode_hold(directory);
        from->links--;
        inode_release(from);
    }
    inode_touch_changed(inode);
    inode_touch_modified(directory);
}

void
ramfs_exchange(struct inode *directory, const char *name, struct inode *other_directory, const char *other_name)
{
    struct ramfs_entry *entry = ramfs_find(directory, name), *other = ramfs_find(other_directory, other_name);
    struct inode *inode = entry->inode;

    ramfs_entry_turn(directory, entry, other->inode, other_directory);
    ramfs_entry_turn(other_directory, other, inode, directory);
}

/* ---- The root ---- */

void
ramfs_start(void)
{
    path_root = ramfs_inode_create(&ramfs_root_tree, S_IFDIR | 0755, NULL, NULL);
    if (path_root == NULL)
        panic("no memory for the root directory");
    path_root->links = 2;
}
