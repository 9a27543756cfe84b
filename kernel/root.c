/*
 * The root directory before any archive: what programs expect to be there on every Linux-like system.
 */
#include "kernel/root.h"

#include "kernel/device.h"
#include "kernel/panic.h"
#include "kernel/path.h"
#include "kernel/proc.h"
#include "kernel/ramfs.h"
#include "kernel/terminal.h"

#include <linux/stat.h>

void
root_start(void)
{
    struct inode *directory;

    ramfs_start();
    device_start();
    proc_start();
    terminal_start();
    if (ramfs_create(path_root, "tmp", S_IFDIR | S_ISVTX | 0777, 0, &directory) < 0)
        panic("no memory for /tmp");
    inode_release(directory);
}
