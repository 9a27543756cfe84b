/*
 * /proc: what the kernel and the processes look like from outside, in Linux's formats.
 *
 * Nothing of it is stored. Directories are generated when something is looked up in them; the text of a file when it
 * is first read at offset 0, and it stays with the open file, so that a reader in small steps sees one moment.
 */
#pragma once

#include "kernel/types.h"

/* Hangs /proc into the root. Once, at boot, after ramfs_start. */
void proc_start(void);
