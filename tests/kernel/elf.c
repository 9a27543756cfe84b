/*
 * Checking ELF files: a good one passes, and each way to damage it is told apart. The checks are pure, so the
 * file is two structures here.
 */
#include "kernel/elf.h"
#include "kernel/selftest.h"

#include <asm/errno.h>
#include <linux/limits.h>

#define FILE_BYTES 0x3000u
#define TEXT_ADDRESS 0x08048000u
#define DATA_ADDRESS 0x0804a000u
#define TOP 0x60000000u
#define HEADERS_MAXIMUM 128u       /* a page of them */

enum { TEXT, DATA, STACK, SEGMENTS };

struct program {
    Elf32_Ehdr header;
    Elf32_Phdr segments[SEGMENTS];
};

static const struct elf_limits limits = {.file_size = FILE_BYTES, .user_bottom = 0x1000, .user_top = TOP, .base = 0x04000000};

/* Text with the headers in its first page, data with bss behind it, and a stack without execution. */
static struct program
good_program(void)
{
    struct program program = {
        .header = {
            .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
            .e_type = ET_EXEC,
            .e_machine = EM_386,
            .e_entry = TEXT_ADDRESS + 0x400,
            .e_phoff = sizeof(Elf32_Ehdr),
            .e_phentsize = sizeof(Elf32_Phdr),
            .e_phnum = SEGMENTS,
        },
        .segments = {
            [TEXT] = {.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = TEXT_ADDRESS, .p_filesz = 0x1800,
                      .p_memsz = 0x1800},
            [DATA] = {.p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_vaddr = DATA_ADDRESS + 0x10, .p_offset = 0x2010,
                      .p_filesz = 0x200, .p_memsz = 0x5000},
            [STACK] = {.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W},
        },
    };

    return program;
}

static int
judge_header(const struct program *program)
{
    struct elf_layout layout;

    return elf_check_header(&program->header, sizeof(*program), &limits, &layout);
}

static int
judge(struct program *program, struct elf_image *image)
{
    struct elf_layout layout;
    int result = elf_check_header(&program->header, sizeof(*program), &limits, &layout);

    if (result == 0)
        result = elf_move_segments(program->segments, &layout);
    return result < 0 ? result : elf_check_segments(program->segments, &layout, &limits, image);
}

/* What becomes of the good program when one field of one segment is different. */
#define JUDGE_WITH(segment, field, value)                       \
    ({                                                          \
        struct program damaged = good_program();                \
        struct elf_image image_;                                \
        damaged.segments[segment].field = (value);              \
        judge(&damaged, &image_);                               \
    })

#define JUDGE_HEADER_WITH(field, value)                         \
    ({                                                          \
        struct program damaged = good_program();                \
        damaged.header.field = (value);                         \
        judge_header(&damaged);                                 \
    })

SELFTEST(elf, good_program_passes, "what a linker makes is accepted, and its end and program headers are found")
{
    struct program program = good_program();
    struct elf_image image;

    check_equal(judge(&program, &image), 0);
    check_equal(image.end, DATA_ADDRESS + 0x5010);
    check_equal(image.header_address, TEXT_ADDRESS + sizeof(Elf32_Ehdr));
    check_true(!image.executable_stack);
}

SELFTEST(elf, headers_are_found_by_their_start, "the program headers are where their start lies, though the last is elsewhere")
{
    struct program program = good_program();
    struct elf_image image;

    program.segments[TEXT].p_filesz = sizeof(Elf32_Ehdr) + sizeof(Elf32_Phdr);
    check_equal(judge(&program, &image), 0);
    check_equal(image.header_address, TEXT_ADDRESS + sizeof(Elf32_Ehdr));
    program.segments[TEXT].p_filesz = sizeof(Elf32_Ehdr);
    check_equal(judge(&program, &image), 0);
    check_equal(image.header_address, 0);
}

SELFTEST(elf, stack_is_executable_unless_said,
         "without PT_GNU_STACK the stack may be executed, as old programs expect")
{
    struct program program = good_program();
    struct elf_image image;

    program.segments[STACK].p_type = PT_NULL;
    check_equal(judge(&program, &image), 0);
    check_true(image.executable_stack);
}

SELFTEST(elf, wrong_machine, "only 32-bit little-endian executables for i386 are programs")
{
    check_equal(JUDGE_HEADER_WITH(e_ident[0], 0), -ENOEXEC);
    check_equal(JUDGE_HEADER_WITH(e_ident[EI_CLASS], ELFCLASS64), -ENOEXEC);
    check_equal(JUDGE_HEADER_WITH(e_ident[EI_DATA], ELFDATA2MSB), -ENOEXEC);
    check_equal(JUDGE_HEADER_WITH(e_machine, EM_X86_64), -ENOEXEC);
    check_equal(JUDGE_HEADER_WITH(e_type, ET_REL), -ENOEXEC);
    check_equal(JUDGE_HEADER_WITH(e_type, ET_CORE), -ENOEXEC);
}

SELFTEST(elf, damaged_header, "a table of program headers outside the file, or of another shape, is refused")
{
    struct program program = good_program();
    struct elf_layout layout;

    check_equal(JUDGE_HEADER_WITH(e_phnum, 0), -ENOEXEC);
    check_equal(JUDGE_HEADER_WITH(e_phnum, 0xffff), -ENOEXEC);
    check_equal(JUDGE_HEADER_WITH(e_phnum, HEADERS_MAXIMUM + 1), -ENOEXEC);
    check_equal(JUDGE_HEADER_WITH(e_phnum, HEADERS_MAXIMUM), 0);
    check_equal(JUDGE_HEADER_WITH(e_phentsize, sizeof(Elf32_Phdr) + 1), -ENOEXEC);
    check_equal(JUDGE_HEADER_WITH(e_phoff, FILE_BYTES - sizeof(Elf32_Phdr)), -ENOEXEC);
    check_equal(JUDGE_HEADER_WITH(e_phoff, 0xffffffffu), -ENOEXEC);
    check_equal(elf_check_header(&program.header, sizeof(Elf32_Ehdr) - 1, &limits, &layout), -ENOEXEC);
}

SELFTEST(elf, truncated_segment,
         "a segment whose bytes are not all in the file is refused, also if its end wraps round")
{
    check_equal(JUDGE_WITH(TEXT, p_offset, FILE_BYTES), -ENOEXEC);
    check_equal(JUDGE_WITH(DATA, p_filesz, 0x1000), -ENOEXEC);
    check_equal(JUDGE_WITH(DATA, p_offset, 0xfffff010u), -ENOEXEC);
    check_equal(JUDGE_WITH(TEXT, p_filesz, 0x1801), -ENOEXEC);
}

SELFTEST(elf, misplaced_segment,
         "segments overlap no page, rise, and lie in user space at the place in their page that the file has")
{
    check_equal(JUDGE_WITH(DATA, p_vaddr, TEXT_ADDRESS + 0x1010), -ENOEXEC);
    check_equal(JUDGE_WITH(DATA, p_vaddr, TEXT_ADDRESS - 0x8000 + 0x10), -ENOEXEC);
    check_equal(JUDGE_WITH(DATA, p_vaddr, DATA_ADDRESS + 0x11), -ENOEXEC);
    check_equal(JUDGE_WITH(TEXT, p_vaddr, 0), -ENOEXEC);
    check_equal(JUDGE_WITH(DATA, p_vaddr, TOP - 0x1000 + 0x10), -ENOMEM);
    check_equal(JUDGE_WITH(DATA, p_vaddr, 0xc0000010u), -ENOMEM);
    check_equal(JUDGE_WITH(DATA, p_memsz, 0xfffffff0u), -ENOMEM);
    check_equal(JUDGE_WITH(DATA, p_memsz, TOP), -ENOMEM);
    check_equal(JUDGE_WITH(DATA, p_memsz, TOP - (DATA_ADDRESS + 0x10)), 0);
    check_equal(JUDGE_WITH(DATA, p_memsz, TOP - (DATA_ADDRESS + 0x10) + 1), -ENOMEM);
}

SELFTEST(elf, entry_in_text, "the first instruction lies in a segment that may be executed")
{
    struct program program = good_program();
    struct elf_image image;

    check_equal(JUDGE_WITH(TEXT, p_flags, PF_R), -ENOEXEC);
    check_equal(JUDGE_WITH(TEXT, p_type, PT_NOTE), -ENOEXEC);
    program.header.e_entry = DATA_ADDRESS + 0x10;
    check_equal(judge(&program, &image), -ENOEXEC);
    program.header.e_entry = 0xc0100000u;
    check_equal(judge(&program, &image), -ENOEXEC);
}

SELFTEST(elf, only_independent_files_move, "a position-independent file is moved by the base as a whole, another stays")
{
    struct program program = good_program();
    struct elf_image image, moved;

    check_equal(judge(&program, &image), 0);
    program = good_program();
    program.header.e_type = ET_DYN;
    check_equal(judge(&program, &moved), 0);
    check_equal(moved.end, image.end + limits.base);
    check_equal(moved.header_address, image.header_address + limits.base);
}

SELFTEST(elf, moved_out_of_memory, "a file that would be moved beyond the end of memory is refused, also if its address wraps round")
{
    struct program program = good_program();
    struct elf_image image;

    program.header.e_type = ET_DYN;
    program.segments[DATA].p_vaddr = 0xfc001010u;
    check_equal(judge(&program, &image), -ENOMEM);
    program = good_program();
    program.header.e_type = ET_DYN;
    program.segments[DATA].p_vaddr = TOP - limits.base + 0x10;
    check_equal(judge(&program, &image), -ENOMEM);
}

SELFTEST(elf, dynamic_linker, "the dynamic linker's name lies inside the file and is no longer than a path")
{
    struct program program = good_program();
    struct elf_image image;

    check_equal(judge(&program, &image), 0);
    check_true(image.linker == NULL);
    program.segments[STACK] = (Elf32_Phdr){.p_type = PT_INTERP, .p_offset = 0x100, .p_filesz = 0x20};
    check_equal(judge(&program, &image), 0);
    check_true(image.linker == &program.segments[STACK]);
    program.segments[STACK].p_filesz = 1;
    check_equal(judge(&program, &image), -ENOEXEC);
    program.segments[STACK].p_filesz = PATH_MAX + 1;
    check_equal(judge(&program, &image), -ENOEXEC);
    program.segments[STACK] = (Elf32_Phdr){.p_type = PT_INTERP, .p_offset = FILE_BYTES - 2, .p_filesz = 3};
    check_equal(judge(&program, &image), -ENOEXEC);
    program.segments[STACK].p_offset = 0xffffffffu;
    check_equal(judge(&program, &image), -ENOEXEC);
}
