/*
 * What an ELF file says about how to load it, checked completely before anybody acts on it: pure functions over
 * bytes, which know neither files nor address spaces.
 */
#pragma once

#include "kernel/types.h"

#include <linux/elf.h>

/* Where position-independent files go: a program, and below it the dynamic linker that it may name. */
#define ELF_PROGRAM_BASE 0x08000000u
#define ELF_LINKER_BASE 0x04000000u

/* Limits to check against, all in bytes. */
struct elf_limits {
    u64 file_size;
    u32 user_bottom, user_top;                 /* addresses a segment may have: bottom <= address < top */
    u32 base;                                  /* page address that a position-independent file is moved to */
};

/* Where the table of program headers stands: from the first bytes of the file. */
struct elf_layout {
    u32 base;                                  /* to be added to the file's addresses */
    u32 entry;                                 /* user address of the first instruction */
    u32 header_offset;                         /* of the program headers, bytes from the start of the file */
    u32 header_count;
};

/* What the program headers say together. */
struct elf_image {
    u32 header_address;                        /* user address where the program headers will be (AT_PHDR), or 0 */
    u32 end;                                   /* first address after the last segment */
    const Elf32_Phdr *linker;                  /* names the dynamic linker; NULL: the program needs none */
    bool executable_stack;
};

/*
 * Check the file's header: machine, class, type, size of the entries; the table must lie inside the file and be
 * at most a page. 0; -ENOEXEC if it is no program for this machine or damaged.
 */
int elf_check_header(const Elf32_Ehdr *header, u32 available, const struct elf_limits *limits,
                     struct elf_layout *layout);

/* Move the segments by layout->base. 0; -ENOMEM if one would leave the 32 bits of an address. */
int elf_move_segments(Elf32_Phdr *segments, const struct elf_layout *layout);

/*
 * Check the program headers: segments in ascending order, disjoint by pages, inside the file and the user's
 * half, alignment of address and offset equal, entry inside an executable one; the dynamic linker's name inside the
 * file, and no longer than a path. 0; -ENOEXEC if damaged; -ENOMEM if it cannot fit into memory.
 */
int elf_check_segments(const Elf32_Phdr *segments, const struct elf_layout *layout, const struct elf_limits *limits,
                       struct elf_image *image);
