/* Where the kernel lies in memory, as linked and as the boot code maps it. Also for the assembler and linker.ld. */
#pragma once

#define BOOT_KERNEL_BASE 0xC0000000  /* virtual address of physical address 0 */
#define BOOT_LOAD_ADDRESS 0x00100000 /* physical address of the kernel's first byte */
#define BOOT_PAGE_BYTES 4096
#define BOOT_STACK_BYTES 8192
#define BOOT_DIRECT_MAP_BYTES 0x38000000 /* 896 MiB: how much RAM can be reached at KERNEL_BASE */
