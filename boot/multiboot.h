/*
 * The Multiboot standard, version 1: what the kernel says of itself, and what the loader hands over. Also for the
 * assembler.
 */
#pragma once

#define MULTIBOOT_HEADER_MAGIC 0x1badb002
#define MULTIBOOT_HEADER_ALIGN_MODULES 0x1
#define MULTIBOOT_HEADER_MEMORY 0x2
#define MULTIBOOT_LOADER_MAGIC 0x2badb002

#ifndef __ASSEMBLER__

#include "kernel/types.h"

/* Which parts of the information are there. */
#define MULTIBOOT_HAS_MEMORY 0x1
#define MULTIBOOT_HAS_COMMAND_LINE 0x4
#define MULTIBOOT_HAS_MODULES 0x8
#define MULTIBOOT_HAS_MAP 0x40
#define MULTIBOOT_HAS_LOADER_NAME 0x200

/* All addresses are physical. */
struct multiboot_info {
    u32 flags;
    u32 memory_lower, memory_upper; /* KiB from 0, and from 1 MiB */
    u32 boot_device;
    u32 command_line;
    u32 module_count, modules;
    u32 symbols[4];
    u32 map_bytes, map;
    u32 drives_bytes, drives;
    u32 configuration;
    u32 loader_name;
};

struct multiboot_module {
    u32 start, end;
    u32 text;
    u32 reserved;
};

#define MULTIBOOT_MAP_RAM 1

/* The next entry lies `size` bytes behind the field `size`, which does not count itself. */
struct multiboot_map_entry {
    u32 size;
    u64 start, bytes;
    u32 type;
} __attribute__((packed));

#endif
