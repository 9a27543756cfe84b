/*
 * Character devices by number, as Linux numbers them: null zero full random urandom, tty console ttyS0 ttyS1.
 */
#pragma once

#include "kernel/types.h"
#include "kernel/file.h"

/* Makes /dev with its nodes and links. Once, at boot, after ramfs_start. */
void device_start(void);

/*
 * Gives a file being opened the operations of its inode's device number. 0, -ENXIO where there is no such device, or what terminal_open says.
 */
int device_open(struct inode *inode, struct file *file);
