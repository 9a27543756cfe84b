/*
 * A small program as a file of the Executable and Linkable Format, for the tests that damage one: it does nothing but
 * exit with ELF_IMAGE_STATUS. Headers, name and code are the first page, data the second.
 */
#pragma once

#include <elf.h>
#include <limits.h>

enum {
    ELF_IMAGE_STATUS = 200,
    ELF_IMAGE_SEGMENTS = 4,             /* a name, text, data, and what the stack may do */
    ELF_IMAGE_NAME_BYTES = 29,          /* room for an interpreter's path; a recording knows the number */
    ELF_IMAGE_CODE_BYTES = 12,
    ELF_IMAGE_HEAD_BYTES = sizeof(Elf32_Ehdr) + ELF_IMAGE_SEGMENTS * sizeof(Elf32_Phdr) + ELF_IMAGE_NAME_BYTES + ELF_IMAGE_CODE_BYTES,
};

struct elf_image {
    Elf32_Ehdr header;
    Elf32_Phdr segments[ELF_IMAGE_SEGMENTS];
    char name[ELF_IMAGE_NAME_BYTES];
    unsigned char code[ELF_IMAGE_CODE_BYTES];
    unsigned char padding[PAGE_SIZE - ELF_IMAGE_HEAD_BYTES];
    unsigned char data[PAGE_SIZE];
};

/* A program for the address `base`, or, where that is 0, for any. Its first segment, a PT_INTERP or a PT_NOTE, is `name`. */
void elf_image_make(struct elf_image *image, Elf32_Addr base, Elf32_Word name_type, const char *name);

/* Writes it to a new file that all may execute, in place of an older one of that name. */
void elf_image_write(const struct elf_image *image, const char *name);
