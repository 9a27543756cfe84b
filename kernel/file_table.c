/*
 * Tables of descriptors.
 *
 * Invariants of a table: every descriptor at or beyond `used` is free, and the one below it is open unless used is 0;
 * so a fork copies no more than there is. `descriptors` is `initial` until more than FILE_TABLE_INLINE are needed.
 */
#include "kernel/file.h"

#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "kernel/record_lock.h"
#include "mm/kmem.h"

#include <asm/errno.h>

static struct kmem_cache file_table_cache = KMEM_CACHE("file_table", sizeof(struct file_table), sizeof(u32));

/* ---- Tables ---- */

struct file_table *
file_table_create(void)
{
    struct file_table *table = kmem_cache_allocate(&file_table_cache);

    if (table == NULL)
        return NULL;
    table->references = 1;
    table->capacity = FILE_TABLE_INLINE;
    table->used = 0;
    table->free_from = 0;
    table->descriptors = table->initial;
    return table;
}

/* Makes room for at least `capacity` descriptors. */
static int
file_table_grow(struct file_table *table, u32 capacity)
{
    u32 doubled = table->capacity;
    struct descriptor *descriptors;

    if (capacity <= table->capacity)
        return 0;
    while (doubled < capacity)
        doubled *= 2;
    descriptors = kmem_allocate(doubled * sizeof(*descriptors));
    if (descriptors == NULL)
        return -ENOMEM;
    memcpy(descriptors, table->descriptors, table->used * sizeof(*descriptors));
    if (table->descriptors != table->initial)
        kmem_free(table->descriptors);
    table->descriptors = descriptors;
    table->capacity = doubled;
    return 0;
}

struct file_table *
file_table_fork(struct file_table *table)
{
    struct file_table *copy = file_table_create();

    if (copy == NULL)
        return NULL;
    if (file_table_grow(copy, table->used) < 0) {
        kmem_cache_free(&file_table_cache, copy);
        return NULL;
    }
    for (u32 i = 0; i < table->used; i++) {
        copy->descriptors[i] = table->descriptors[i];
        if (copy->descriptors[i].file != NULL)
            file_hold(copy->descriptors[i].file);
    }
    copy->used = table->used;
    copy->free_from = table->free_from;
    return copy;
}

struct file_table *
file_table_hold(struct file_table *table)
{
    table->references++;
    return table;
}

bool
file_table_has(const struct file_table *table, const struct file *file)
{
    for (u32 i = 0; i < table->used; i++) {
        if (table->descriptors[i].file == file)
            return true;
    }
    return false;
}

/* Takes the file out of a descriptor that is open; the caller has its reference then. */
static struct file *
file_table_take(struct file_table *table, u32 descriptor)
{
    struct file *file = table->descriptors[descriptor].file;

    record_lock_release(table, file->inode);
    table->descriptors[descriptor].file = NULL;
    if (descriptor < table->free_from)
        table->free_from = descriptor;
    while (table->used > 0 && table->descriptors[table->used - 1].file == NULL)
        table->used--;
    return file;
}

void
file_table_release(struct file_table *table)
{
    if (--table->references > 0)
        return;
    while (table->used > 0)
        file_release(file_table_take(table, table->used - 1));
    if (table->descriptors != table->initial)
        kmem_free(table->descriptors);
    kmem_cache_free(&file_table_cache, table);
}

void
file_table_close_on_exec(struct file_table *table)
{
    for (u32 i = 0; i < table->used; i++) {
        if (table->descriptors[i].file != NULL && table->descriptors[i].close_on_exec)
            file_release(file_table_take(table, i));
    }
}

/* ---- Descriptors ---- */

/* One more than the highest descriptor that the current process may have. */
static u32
file_descriptor_limit(void)
{
    return current_process()->limits[RLIMIT_NOFILE].rlim_cur;
}

struct descriptor *
file_descriptor(struct file_table *table, int descriptor)
{
    if ((u32)descriptor >= table->used || table->descriptors[descriptor].file == NULL)
        return NULL;
    return &table->descriptors[descriptor];
}

int
file_get(struct file_table *table, int descriptor, struct file **file)
{
    struct descriptor *entry = file_descriptor(table, descriptor);

    if (entry == NULL || entry->file->flags & O_PATH)
        return -EBADF;
    *file = file_hold(entry->file);
    return 0;
}

int
file_get_any(struct file_table *table, int descriptor, struct file **file)
{
    struct descriptor *entry = file_descriptor(table, descriptor);

    if (entry == NULL)
        return -EBADF;
    *file = file_hold(entry->file);
    return 0;
}

int
file_get_inode_to_change(struct file_table *table, int descriptor, struct inode **inode)
{
    struct file *file;
    int error = file_get(table, descriptor, &file);

    if (error < 0)
        return error;
    *inode = inode_hold(file->inode);
    file_release(file);
    return 0;
}

int
file_get_inode(struct file_table *table, int descriptor, struct inode **inode)
{
    struct descriptor *entry = file_descriptor(table, descriptor);

    if (entry == NULL)
        return -EBADF;
    *inode = inode_hold(entry->file->inode);
    return 0;
}

/* Fills a free descriptor that there is room for. */
static void
file_table_put(struct file_table *table, u32 descriptor, struct file *file, bool close_on_exec)
{
    while (table->used <= descriptor)
        table->descriptors[table->used++].file = NULL;
    table->descriptors[descriptor] = (struct descriptor){file, close_on_exec};
}

/* The lowest free descriptor not below minimum, for which there is room now; -EMFILE or -ENOMEM. */
static int
file_table_find_free(struct file_table *table, u32 minimum)
{
    u32 descriptor = minimum > table->free_from ? minimum : table->free_from;
    int error;

    while (descriptor < table->used && table->descriptors[descriptor].file != NULL)
        descriptor++;
    if (minimum <= table->free_from)
        table->free_from = descriptor;
    if (descriptor >= file_descriptor_limit())
        return -EMFILE;
    error = file_table_grow(table, descriptor + 1);
    return error < 0 ? error : (int)descriptor;
}

int
file_table_check_room(struct file_table *table)
{
    int descriptor = file_table_find_free(table, 0);

    return descriptor < 0 ? descriptor : 0;
}

int
file_install(struct file_table *table, struct file *file, u32 minimum, bool close_on_exec)
{
    int descriptor = file_table_find_free(table, minimum);

    if (descriptor >= 0)
        file_table_put(table, descriptor, file, close_on_exec);
    return descriptor;
}

int
file_install_at(struct file_table *table, struct file *file, u32 descriptor, bool close_on_exec)
{
    struct file *replaced = NULL;
    int error;

    if (descriptor >= file_descriptor_limit())
        return -EBADF;
    error = file_table_grow(table, descriptor + 1);
    if (error < 0)
        return error;
    if (descriptor < table->used)
        replaced = table->descriptors[descriptor].file;
    file_table_put(table, descriptor, file, close_on_exec);
    if (replaced != NULL) {
        record_lock_release(table, replaced->inode);
        file_release(replaced);
    }
    return descriptor;
}

int
file_close(struct file_table *table, int descriptor)
{
    if (file_descriptor(table, descriptor) == NULL)
        return -EBADF;
    file_release(file_table_take(table, descriptor));
    return 0;
}
