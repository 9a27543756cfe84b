/* Open files without a name. See anonymous_file.h. */
#include "kernel/anonymous_file.h"

#include "kernel/file.h"
#include "kernel/inode.h"
#include "kernel/syscall_file.h"
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

struct file *
anonymous_file_create(struct inode *inode, const struct file_operations *operations, void *data, u32 flags)
{
    struct file *file;

    if (inode == NULL)
        return NULL;
    inode->links = 1;
    file = file_create(inode, O_RDWR | (flags & O_NONBLOCK), operations, data);
    inode_release(inode);
    return file;
}

s32
anonymous_file_install(const struct inode_operations *kind, const struct file_operations *operations, void *data, u32 flags)
{
    struct inode *inode = data == NULL ? NULL : inode_create(kind, &anonymous_file_system, 0600);
    struct file *file = anonymous_file_create(inode, operations, data, flags);

    if (file == NULL) {
        kmem_free(data);
        return -ENOMEM;
    }
    return descriptor_install(file, 0, flags & O_CLOEXEC);
}
