/*
 * Inodes of all trees: counting, sizes, times and paths.
 *
 * What a file is made of belongs to its operations; a regular file's pages are an object of mm/ and are handled here,
 * since only one tree has regular files of that kind.
 */
#include "kernel/inode.h"

#include "kernel/assert.h"
#include "kernel/lib/string.h"
#include "kernel/path.h"
#include "kernel/permission.h"
#include "kernel/process.h"
#include "kernel/ramfs.h"
#include "kernel/seal.h"
#include "kernel/time.h"
#include "mm/aspace.h"
#include "mm/kmem.h"
#include "mm/object.h"
#include "mm/transfer.h"
#include "mm/units.h"

#include <asm/errno.h>
#include <linux/stat.h>

static u32 inode_last_number;

struct inode *
inode_create(const struct inode_operations *operations, const struct file_system *file_system, u32 mode)
{
    struct inode *inode = kmem_allocate_zeroed(sizeof(*inode));

    if (inode == NULL)
        return NULL;
    inode->references = 1;
    inode->number = ++inode_last_number;
    inode->mode = mode;
    inode->operations = operations;
    inode->file_system = file_system;
    if (current_thread() != NULL) {
        inode->user = current_process()->identity.user.file;
        inode->group = current_process()->identity.group.file;
    }
    inode->accessed = inode->modified = inode->changed = time_of_file();
    return inode;
}

struct inode *
inode_hold(struct inode *inode)
{
    assert(inode->references > 0);
    inode->references++;
    return inode;
}

void
inode_release(struct inode *inode)
{
    /* A loop, since a removed directory may hold the last reference to its removed parent, and so on upwards. */
    while (inode != NULL) {
        struct inode *parent;

        assert(inode->references > 0);
        if (--inode->references > 0)
            return;
        parent = inode_is(inode, S_IFDIR) ? inode->parent : NULL;
        if (inode->operations->destroy != NULL)
            inode->operations->destroy(inode);
        kmem_free(inode);
        inode = parent;
    }
}

u64
inode_size(const struct inode *inode)
{
    if (inode->operations->size != NULL)
        return inode->operations->size(inode);
    return 0;
}

/* ---- Times ---- */

#define RELATIVE_ACCESS_NANOSECONDS (24 * 60 * 60 * (s64)NANOSECONDS_PER_SECOND)    /* a day */

void
inode_settle_times(struct inode *inode)
{
    struct object *object = inode_is(inode, S_IFREG) && inode->operations->size != NULL ? inode->object : NULL;

    if (object == NULL || object->written == 0)
        return;
    inode->modified = inode->changed = time_of_file_at(object->written);
    object->written = 0;
}

void
inode_touch_changed(struct inode *inode)
{
    inode_settle_times(inode);
    inode->changed = time_of_file();
}

void
inode_touch_accessed(struct inode *inode)
{
    s64 now, accessed = inode->accessed;

    if (inode_check_writable(inode) < 0)
        return;
    inode_settle_times(inode);
    now = time_of_file();
    if (accessed <= inode->modified || accessed <= inode->changed || now - accessed >= RELATIVE_ACCESS_NANOSECONDS)
        inode->accessed = now;
}

void
inode_touch_modified(struct inode *inode)
{
    inode_settle_times(inode);
    inode->modified = inode->changed = time_of_file();
    if (inode->mode & (S_ISUID | S_ISGID) && inode_is(inode, S_IFREG) && !permission_is_file_root())
        inode->mode = permission_without_deputy(inode);
}

void
inode_release_program(struct inode *inode)
{
    if (inode != NULL)
        inode_remove_program(inode);
    inode_release(inode);
}

/* Sets the length; the caller holds inode->changing. */
static int
inode_set_size(struct inode *inode, u64 bytes)
{
    u64 old = inode_size(inode);
    int error = bytes == old ? 0 : object_resize(inode->object, bytes);

    if (error == 0 && bytes < old)
        aspace_cut_copies(inode->object);
    if (error == 0)
        inode_touch_modified(inode);
    return error;
}

int
inode_truncate(struct inode *inode, u64 bytes)
{
    int error;

    if (inode_is(inode, S_IFDIR))
        return -EISDIR;
    if (!inode_is(inode, S_IFREG) || inode->operations->size == NULL)
        return -EINVAL;
    if (inode->writers < 0)
        return -ETXTBSY;
    mutex_lock(&inode->changing);
    error = seal_check_size(inode, bytes);
    if (error == 0)
        error = inode_set_size(inode, bytes);
    mutex_unlock(&inode->changing);
    return error;
}

/* Pages of [first, end) that the object does not have. */
static u32
inode_missing_pages(const struct object *object, u32 first, u32 end)
{
    u32 missing = 0;

    while ((first = object_find_hole(object, first, end)) < end) {
        u32 next = object_find_page(object, first, end);

        missing += next - first;
        first = next;
    }
    return missing;
}

/* For the holder of inode->changing; checked first, so that it does not end half-way. */
static int
inode_allocate_locked(struct inode *inode, u64 offset, u64 end, bool keep_size)
{
    u64 old = inode_size(inode);
    u32 first = (u32)(offset >> PAGE_SHIFT), last;
    int error;

    if (keep_size && end > old)
        end = old;
    last = object_page_count(end);
    if (offset >= end)
        return 0;
    if (inode_missing_pages(inode->object, first, last) > ramfs_room(inode))
        return -ENOSPC;
    error = seal_check_size(inode, end > old ? end : old);
    if (error == 0 && end > old)
        error = object_resize(inode->object, end);
    if (error == 0)
        error = object_populate(inode->object, first, last);
    if (error < 0 && inode_size(inode) > old)
        object_resize(inode->object, old);
    if (error == 0)
        inode_touch_modified(inode);
    return error;
}

int
inode_allocate(struct inode *inode, u64 offset, u64 bytes, bool keep_size)
{
    int error;

    mutex_lock(&inode->changing);
    error = inode_allocate_locked(inode, offset, offset + bytes, keep_size);
    mutex_unlock(&inode->changing);
    return error;
}

int
inode_punch(struct inode *inode, u64 offset, u64 bytes)
{
    int error = seal_forbids_writing(inode) ? -EPERM : 0;

    mutex_lock(&inode->changing);
    if (error == 0)
        error = object_clear(inode->object, offset, bytes);
    mutex_unlock(&inode->changing);
    if (error == 0)
        inode_touch_modified(inode);
    return error;
}

int
inode_path(struct inode *inode, struct text_buffer *text)
{
    if ((inode_is(inode, S_IFIFO) || inode_is(inode, S_IFSOCK)) && inode->parent == NULL) {
        text_print(text, "%s:[%u]", inode_is(inode, S_IFIFO) ? "pipe" : "socket", inode->number);
        return 0;
    }
    if (inode->operations->label != NULL) {
        text_append(text, inode->operations->label, strlen(inode->operations->label));
        return 0;
    }
    if (inode_is(inode, S_IFREG) && inode->parent == NULL && inode->operations->size != NULL) {
        text_print(text, "%s", inode->object->name != NULL ? inode->object->name : " (deleted)");
        return -ENOENT;
    }
    for (struct inode *at = inode; at != path_root; at = at->parent) {
        const char *name = at->parent == NULL ? NULL : at->parent->operations->name(at->parent, at);

        if (name == NULL) {
            text_print(text, " (deleted)");
            return -ENOENT;
        }
        text_prepend(text, name, strlen(name));
        text_prepend(text, "/", 1);
    }
    if (inode == path_root)
        text_append(text, "/", 1);
    return text->failed ? -ENOMEM : 0;
}
