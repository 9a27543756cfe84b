/* From the first C function to kernel_main(). */
#pragma once

#include "kernel/types.h"

/* Called by start.S on the boot tables and the boot stack, with what the loader left in eax and ebx. */
void boot_main(u32 magic, u32 information) __attribute__((noreturn));

/* Fills boot_info and the command line's switches; refuses what the kernel cannot run on. */
void boot_collect(u32 magic, u32 information);
