/*
 * Loading: what an ELF file says becomes regions of a new address space.
 *
 *     0x04000000   the dynamic linker, where the program names one: it maps the libraries and jumps to AT_ENTRY
 *     0x08000000   a position-independent program; others lie where they were linked to, mostly at 0x08048000
 *                  behind it the heap
 *        ...
 *     user_top     the stack
 */
#include "kernel/exec.h"
#include "kernel/inode.h"
#include "kernel/path.h"
#include "kernel/process.h"
#include "kernel/resource.h"
#include "mm/aspace.h"
#include "mm/kmem.h"
#include "mm/mmap.h"
#include "mm/transfer.h"

#include <asm/errno.h>
#include <linux/limits.h>
#include <linux/mman.h>

/* ---- One file ---- */

static struct elf_limits
exec_limits(const struct inode *inode, u32 base)
{
    return (struct elf_limits){.file_size = inode_size(inode), .user_bottom = USER_BOTTOM, .user_top = user_top(),
                               .base = base};
}

int
exec_file_open_inode(struct exec_file *file, struct inode *inode, char *header)
{
    int result = path_check_executable(inode);

    /* A file that is mapped to be written is as good as open. */
    if (result == 0)
        result = inode->object->writable_regions > 0 ? -ETXTBSY : inode_add_program(inode);
    if (result < 0) {
        inode_release(inode);
        return result;
    }
    inode_release_program(file->inode);
    file->inode = inode;
    inode_touch_accessed(inode);
    result = object_read_kernel(inode->object, 0, header, EXEC_HEADER_BYTES);
    if (result >= 0)
        header[result] = '\0';
    return result;
}

int
exec_file_open(struct exec_file *file, const char *path, char *header)
{
    struct inode *inode;
    int error = path_lookup(NULL, path, 0, &inode);

    return error < 0 ? error : exec_file_open_inode(file, inode, header);
}

int
exec_file_check(struct exec_file *file, const char *header, u32 bytes, u32 base)
{
    struct elf_limits limits = exec_limits(file->inode, base);

    return elf_check_header((const Elf32_Ehdr *)header, bytes, &limits, &file->layout);
}

void
exec_file_release(struct exec_file *file)
{
    inode_release_program(file->inode);
    kmem_free(file->segments);
}

static int
exec_read_segments(struct exec_file *file)
{
    u32 bytes = file->layout.header_count * (u32)sizeof(Elf32_Phdr);
    struct elf_limits limits = exec_limits(file->inode, file->layout.base);
    int result;

    file->segments = kmem_allocate(bytes);
    if (file->segments == NULL)
        return -ENOMEM;
    result = object_read_kernel(file->inode->object, file->layout.header_offset, file->segments, bytes);
    if (result < 0)
        return result;
    if ((u32)result < bytes)
        return -ENOEXEC;
    result = elf_move_segments(file->segments, &file->layout);
    return result < 0 ? result : elf_check_segments(file->segments, &file->layout, &limits, &file->image);
}

/* ---- Regions ---- */

static u32
exec_protection(u32 segment_flags)
{
    return ((segment_flags & PF_R) != 0 ? PROT_READ : 0) | ((segment_flags & PF_W) != 0 ? PROT_WRITE : 0)
        | ((segment_flags & PF_X) != 0 ? PROT_EXEC : 0);
}

/* Maps the pages of [start, end) privately; the request says of what and how. */
static int
exec_map(struct aspace *aspace, u32 start, u32 end, struct mmap_request request)
{
    request.address = start & ~PAGE_MASK;
    request.bytes = end - request.address;
    request.flags |= MAP_PRIVATE | MAP_FIXED;
    request.maximum = PROT_READ | PROT_WRITE | PROT_EXEC;
    return mmap_map(aspace, &request);
}

/*
 * A segment is its part of the file, and zeroes for the rest of its memory. Where the two meet within a page,
 * mm keeps the page's rest zero (data_end) when somebody touches it.
 */
static int
exec_load_segment(struct aspace *aspace, const struct exec_file *file, const Elf32_Phdr *segment)
{
    u32 file_end = segment->p_vaddr + segment->p_filesz;
    u32 memory_end = segment->p_vaddr + segment->p_memsz;
    u32 zero_start = segment->p_filesz > 0 ? (file_end + PAGE_MASK) & ~PAGE_MASK : segment->p_vaddr & ~PAGE_MASK;
    struct mmap_request zeroes = {.protection = exec_protection(segment->p_flags), .flags = MAP_ANONYMOUS};
    struct mmap_request data = {
        .protection = exec_protection(segment->p_flags),
        .object = file->inode->object,
        .object_page = segment->p_offset >> PAGE_SHIFT,
        .data_end = segment->p_memsz > segment->p_filesz ? (u64)segment->p_offset + segment->p_filesz : 0,
    };
    int result = 0;

    if (segment->p_filesz > 0)
        result = exec_map(aspace, segment->p_vaddr, file_end, data);
    if (result == 0 && memory_end > zero_start)
        result = exec_map(aspace, zero_start, memory_end, zeroes);
    return result;
}

static int
exec_load_file(struct aspace *aspace, const struct exec_file *file)
{
    int result = 0;

    for (u32 i = 0; i < file->layout.header_count && result == 0; i++) {
        const Elf32_Phdr *segment = &file->segments[i];

        if (segment->p_type == PT_LOAD && segment->p_memsz > 0)
            result = exec_load_segment(aspace, file, segment);
    }
    return result;
}

/* From the first to the last byte that can be executed. */
static void
exec_note_code(struct aspace *aspace, const struct exec_file *file)
{
    aspace->code_start = UINT32_MAX;
    for (u32 i = 0; i < file->layout.header_count; i++) {
        const Elf32_Phdr *segment = &file->segments[i];
        u32 end = segment->p_vaddr + segment->p_filesz;

        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X))
            continue;
        if (segment->p_vaddr < aspace->code_start)
            aspace->code_start = segment->p_vaddr;
        if (end > aspace->code_end)
            aspace->code_end = end;
    }
    if (aspace->code_end == 0)
        aspace->code_start = 0;
}

/* ---- The dynamic linker ---- */

/* The name that stands in the program's file; path has room for PATH_MAX bytes. */
static int
exec_linker_path(const struct exec_file *file, char *path)
{
    u32 bytes = file->image.linker->p_filesz;
    int result = object_read_kernel(file->inode->object, file->image.linker->p_offset, path, bytes);

    if (result < 0)
        return result;
    return (u32)result == bytes && path[bytes - 1] == '\0' ? 0 : -ENOEXEC;
}

/* A damaged linker is an error of its own, so that nobody looks for it in the program. */
static int
exec_linker_check(struct exec_file *linker, const char *header, u32 bytes)
{
    int result = exec_file_check(linker, header, bytes, ELF_LINKER_BASE);

    if (result == 0)
        result = exec_read_segments(linker);
    return result == -ENOEXEC ? -ELIBBAD : result;
}

/* Opens and checks it. Where the two files lie in each other's way, the linker is what is there, as on Linux. */
static int
exec_linker_open(struct exec_program *program)
{
    char header[EXEC_HEADER_BYTES + 1] __attribute__((aligned(4)));
    char *path = kmem_allocate(PATH_MAX);
    int result;

    if (path == NULL)
        return -ENOMEM;
    result = exec_linker_path(&program->file, path);
    if (result == 0)
        result = exec_file_open(&program->linker, path, header);
    kmem_free(path);
    if (result >= 0)
        result = exec_linker_check(&program->linker, header, (u32)result);
    return result;
}

int
exec_load(struct exec_program *program)
{
    int result = exec_read_segments(&program->file);

    if (result == 0 && program->file.image.linker != NULL)
        result = exec_linker_open(program);
    if (result < 0)
        return result;
    program->aspace = aspace_create();
    if (program->aspace == NULL)
        return -ENOMEM;
    resource_apply_limits(current_process(), program->aspace);
    result = exec_load_file(program->aspace, &program->file);
    if (result == 0 && program->linker.inode != NULL)
        result = exec_load_file(program->aspace, &program->linker);
    exec_note_code(program->aspace, &program->file);
    program->aspace->heap_start = (program->file.image.end + PAGE_MASK) & ~PAGE_MASK;
    program->aspace->heap_end = program->aspace->heap_start;
    return result;
}
