/*
 * The root directory before any archive: what programs expect to be there on every Linux-like system.
 */
#include "kernel/root.h"

#include "kernel/device.h"
#include "kernel/mount.h"
#include "kernel/ramfs.h"
#include "kernel/terminal.h"

void
root_start(void)
{
    ramfs_start();
    device_start();
    mount_start();
    terminal_start();
}
