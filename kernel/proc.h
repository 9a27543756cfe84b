/*
 * /proc: what the kernel and the processes look like from outside, in Linux's formats.
 *
 * Nothing of it is stored. Directories are generated when something is looked up in them; the text of a file when it
 * is first read at offset 0, and it stays with the open file, so that a reader in small steps sees one moment.
 */
#pragma once

#include "kernel/inode.h"

/* The root of a /proc, for mount.c, with one reference; NULL if memory is short. */
struct inode *proc_create_tree(void);
