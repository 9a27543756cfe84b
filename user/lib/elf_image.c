/* A small program as a file. See elf_image.h. */
#include "user/lib/elf_image.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* mov $1, %eax; mov $ELF_IMAGE_STATUS, %ebx; int $0x80 */
static const unsigned char code[ELF_IMAGE_CODE_BYTES] = { 0xb8, 1, 0, 0, 0, 0xbb, ELF_IMAGE_STATUS, 0, 0, 0, 0xcd, 0x80 };

void
elf_image_make(struct elf_image *image, Elf32_Addr base, Elf32_Word name_type, const char *name)
{
    Elf32_Off name_offset = offsetof(struct elf_image, name);

    *image = (struct elf_image) {
        .header = {
            .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB, EV_CURRENT },
            .e_type = base == 0 ? ET_DYN : ET_EXEC, .e_machine = EM_386, .e_version = EV_CURRENT,
            .e_entry = base + offsetof(struct elf_image, code), .e_phoff = offsetof(struct elf_image, segments),
            .e_ehsize = sizeof(Elf32_Ehdr), .e_phentsize = sizeof(Elf32_Phdr), .e_phnum = ELF_IMAGE_SEGMENTS, .e_shentsize = sizeof(Elf32_Shdr),
        },
        .segments = {
            { name_type, name_offset, 0, 0, ELF_IMAGE_NAME_BYTES, ELF_IMAGE_NAME_BYTES, PF_R, 1 },
            { PT_LOAD, 0, base, base, PAGE_SIZE, PAGE_SIZE, PF_R | PF_X, PAGE_SIZE },
            { PT_LOAD, PAGE_SIZE, base + PAGE_SIZE, base + PAGE_SIZE, PAGE_SIZE, 2 * PAGE_SIZE, PF_R | PF_W, PAGE_SIZE },
            { PT_GNU_STACK, 0, 0, 0, 0, 0, PF_R | PF_W, 4 },
        },
    };
    memcpy(image->code, code, sizeof code);
    snprintf(image->name, sizeof image->name, "%s", name);
}

void
elf_image_write(const struct elf_image *image, const char *name)
{
    unlink(name);
    int file = open(name, O_WRONLY | O_CREAT | O_EXCL, 0755);
    if (write(file, image, sizeof *image) != sizeof *image)
        perror(name);
    close(file);
}
