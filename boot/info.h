/*
 * What the loader told: memory, modules, command line. Filled by boot/ before kernel_main() and constant from then on.
 *
 * While the boot tables are in force (until mm's are), all memory below BOOT_DIRECT_MAP_BYTES that is RAM can be read
 * and written at BOOT_KERNEL_BASE + physical address.
 */
#pragma once

#include "boot/layout.h"
#include "kernel/types.h"

/* A range of physical memory: whole pages, end not included. */
struct boot_range {
    u32 start, end;
};

/* A file that the loader put into memory. Its bytes and its name stay where they are. The layout is Multiboot's. */
struct boot_module {
    u32 start, end;   /* physical bytes, end not included */
    const char *name; /* as the loader gave it: usually the path */
    u32 reserved;
};

struct boot_info {
    const char *command_line;
    const char *loader; /* name of the loader, or "" */

    /*
     * Free RAM below BOOT_DIRECT_MAP_BYTES, ascending: without the kernel, the modules, the boot tables, page 0, and
     * what is still needed of what the loader left behind.
     */
    const struct boot_range *ranges;
    u32 range_count;

    const struct boot_module *modules;
    u32 module_count;
    u32 ram_end;              /* physical end of the highest RAM that is used, kernel and modules included */
    u64 ram_bytes;            /* RAM that is used in all, kernel and modules included */
    struct boot_range tables; /* the boot page tables; free RAM once mm's own are in force */
    u32 first_free;           /* physical end of kernel, modules, boot tables */
};

extern struct boot_info boot_info;

/* Whether the module goes by this name: a word of its text, or the last part of a path there. */
bool boot_module_is(const struct boot_module *module, const char *name);

/* Prints the line on COM1 and the screen and ends the machine with exit code 35: the kernel cannot run here. */
void boot_refuse(const char *fmt, ...) __attribute__((noreturn, cold, format(printf, 1, 2)));
