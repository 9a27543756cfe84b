/*
 * Memory that processes share by a number (System V shared memory) or by a descriptor (memfd_create).
 */
#pragma once

#include "kernel/types.h"

/* Frees the segments that were removed and that nobody has attached any more. After an address space has gone. */
void shared_memory_reap(void);
