/*
 * Starting virtual memory, once, at boot.
 */
#pragma once

#include "boot/info.h"

/* Frames, final page tables, kernel memory, objects and the policy. Refuses to
 * boot where there is not enough memory. */
void mm_start(void);

/* The swap area: of swap=SIZE, or the module named "swap". After the block
 * devices have started. */
void mm_start_swap(void);

/* Whether the module holds a recorded run (mm/replay.h), by what it begins with. */
bool mm_is_recording(const struct boot_module *module);
