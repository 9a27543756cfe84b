/* Checking ELF files. Sums are made in 64 bits, so that no field, however large, wraps round and looks small. */
#include "kernel/elf.h"

#include "kernel/lib/string.h"

#include <asm/errno.h>
#include <linux/limits.h>

#define ELF_PAGE_BYTES 4096u
#define ELF_PAGE_MASK (ELF_PAGE_BYTES - 1)

/* One page of program headers is plenty, and what Linux reads with one request. */
#define ELF_HEADERS_MAXIMUM (ELF_PAGE_BYTES / sizeof(Elf32_Phdr))

static bool
elf_is_for_this_machine(const Elf32_Ehdr *header)
{
    return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 && header->e_ident[EI_CLASS] == ELFCLASS32
        && header->e_ident[EI_DATA] == ELFDATA2LSB && (header->e_type == ET_EXEC || header->e_type == ET_DYN)
        && header->e_machine == EM_386;
}

int
elf_check_header(const Elf32_Ehdr *header, u32 available, const struct elf_limits *limits, struct elf_layout *layout)
{
    u64 table_end;

    if (available < sizeof(*header) || !elf_is_for_this_machine(header))
        return -ENOEXEC;
    if (header->e_phentsize != sizeof(Elf32_Phdr) || header->e_phnum == 0 || header->e_phnum > ELF_HEADERS_MAXIMUM)
        return -ENOEXEC;
    table_end = (u64)header->e_phoff + header->e_phnum * sizeof(Elf32_Phdr);
    if (table_end > limits->file_size)
        return -ENOEXEC;
    layout->base = header->e_type == ET_DYN ? limits->base : 0;
    layout->entry = header->e_entry + layout->base;
    layout->header_offset = header->e_phoff;
    layout->header_count = header->e_phnum;
    return 0;
}

int
elf_move_segments(Elf32_Phdr *segments, const struct elf_layout *layout)
{
    for (u32 i = 0; i < layout->header_count; i++) {
        if (segments[i].p_type == PT_LOAD && segments[i].p_vaddr > ~layout->base)
            return -ENOMEM;
        segments[i].p_vaddr += layout->base;
    }
    return 0;
}

/* One PT_LOAD, which must lie at or above the page address `floor`. */
static int
elf_check_segment(const Elf32_Phdr *segment, u64 floor, const struct elf_limits *limits)
{
    if (segment->p_filesz > segment->p_memsz)
        return -ENOEXEC;
    if ((u64)segment->p_offset + segment->p_filesz > limits->file_size)
        return -ENOEXEC;
    if (((segment->p_vaddr ^ segment->p_offset) & ELF_PAGE_MASK) != 0)
        return -ENOEXEC;
    if ((segment->p_vaddr & ~ELF_PAGE_MASK) < floor)
        return -ENOEXEC;
    if ((u64)segment->p_vaddr + segment->p_memsz > limits->user_top)
        return -ENOMEM;
    return 0;
}

static bool
elf_segment_holds(const Elf32_Phdr *segment, u32 file_offset)
{
    return file_offset - segment->p_offset < segment->p_filesz;
}

/* Collects what a segment that has been checked says about the image; true if the entry point lies in it. */
static bool
elf_add_segment(const Elf32_Phdr *segment, const struct elf_layout *layout, struct elf_image *image)
{
    if (elf_segment_holds(segment, layout->header_offset))
        image->header_address = segment->p_vaddr + (layout->header_offset - segment->p_offset);
    image->end = segment->p_vaddr + segment->p_memsz;
    return (segment->p_flags & PF_X) != 0 && layout->entry - segment->p_vaddr < segment->p_memsz;
}

static bool
elf_linker_is_named(const Elf32_Phdr *segment, const struct elf_limits *limits)
{
    return segment->p_filesz > 1 && segment->p_filesz <= PATH_MAX
        && (u64)segment->p_offset + segment->p_filesz <= limits->file_size;
}

int
elf_check_segments(const Elf32_Phdr *segments, const struct elf_layout *layout, const struct elf_limits *limits,
                   struct elf_image *image)
{
    u64 floor = limits->user_bottom;
    bool entry_found = false;

    /* Without PT_GNU_STACK a program is old enough to expect that it may run code on its stack. */
    *image = (struct elf_image){.executable_stack = true};
    for (u32 i = 0; i < layout->header_count; i++) {
        const Elf32_Phdr *segment = &segments[i];

        if (segment->p_type == PT_INTERP && image->linker == NULL) {
            if (!elf_linker_is_named(segment, limits))
                return -ENOEXEC;
            image->linker = segment;
        }
        if (segment->p_type == PT_GNU_STACK)
            image->executable_stack = (segment->p_flags & PF_X) != 0;
        if (segment->p_type == PT_LOAD && (segment->p_memsz > 0 || segment->p_filesz > 0)) {
            int result = elf_check_segment(segment, floor, limits);

            if (result < 0)
                return result;
            entry_found |= elf_add_segment(segment, layout, image);
            floor = ((u64)image->end + ELF_PAGE_MASK) & ~(u64)ELF_PAGE_MASK;
        }
    }
    /* With a linker the entry is its business. */
    return entry_found || image->linker != NULL ? 0 : -ENOEXEC;
}
