/* Open files without a name. See anonymous_file.h. */
#include "kernel/anonymous_file.h"

#include "kernel/file.h"
#include "kernel/inode.h"
#include "kernel/process.h"
#include "mm/kmem.h"

#include <asm/errno.h>
#include <linux/magic.h>

static const struct file_system anonymous_file_system = {"anon_inodefs", DEVICE_ANONYMOUS, ANON_INODE_FS_MAGIC, false};

int
anonymous_file_refuse_open(struct inode *inode, struct file *file)
{
    (void)inode;
    (void)file;
    return -ENXIO;
}

static struct file *
anonymous_file_create(const struct inode_operations *kind, const struct file_operations *operations, void *data, u32 flags)
{
    struct inode *inode = data == NULL ? NULL : inode_create(kind, &anonymous_file_system, 0600);
    struct file *file = NULL;

    if (inode != NULL) {
        inode->links = 1;
        file = file_create(inode, O_RDWR | (flags & O_NONBLOCK), operations, data);
        inode_release(inode);
    }
    return file;
}

s32
anonymous_file_install(const struct inode_operations *kind, const struct file_operations *operations, void *data, u32 flags)
{
    struct file_table *files = current_process()->files;
    int error = file_table_check_room(files);
    struct file *file = error < 0 ? NULL : anonymous_file_create(kind, operations, data, flags);

    if (file == NULL) {
        kmem_free(data);
        return error < 0 ? error : -ENOMEM;
    }
    return file_install(files, file, 0, flags & O_CLOEXEC);
}
