/*
 * What the kernel leaves to programs. Files' pages can fill memory and swap space, and pipes, names and inodes take
 * memory that can never be swapped out; nobody could be killed to get it back. So these stop growing while a part of
 * memory is still left.
 */
#pragma once

#include "kernel/types.h"

/* Whether what cannot be swapped out (pipes, inodes) must not grow any more. Cheap. */
bool reserve_is_reached(void);

/* Bytes that may still be written to files, as far as 32 bits can say it. */
u32 reserve_file_room(void);
