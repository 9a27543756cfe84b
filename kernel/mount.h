/*
 * Mounted trees: /proc and any number of tmpfs.
 */
#pragma once

#include "kernel/inode.h"
#include "kernel/text.h"
#include "kernel/types.h"

/* Mounts what every system has: proc on /proc, tmpfs on /tmp and /dev/shm. Once, at boot. */
void mount_start(void);

/* Whether the inode is the root of a mounted tree: its name cannot be removed. */
bool mount_is_root(const struct inode *inode);

/* Whether a tree is mounted, as the root, pipes and the like are not. */
bool mount_has(const struct file_system *file_system);

/* Appends the lines of /proc/mounts. */
void mount_print(struct text_buffer *text);

/* The lines of /proc/PID/mountinfo: also which mount lies on which. */
void mount_print_family(struct text_buffer *text);
