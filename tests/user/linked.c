/*
 * How exec lays out a program, whichever way it was linked. The Makefile links
 * this one three times:
 *
 *     linked            static, at its own address
 *     linked_pie        static and position-independent: moved as a whole, and
 *                       relocates itself
 *     linked_dynamic    position-independent, with the C library in a file of its
 *                       own, which the dynamic linker maps
 */
#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "user/lib/check.h"

extern const char __executable_start[], end[];
extern void _start(void);

static int datum = 7, bss;
static int *const pointers[] = { &datum, &bss };
static _Thread_local int in_thread = 77;
static int constructed;

__attribute__((constructor)) static void
construct(void)
{
    constructed = 1;
}

static const Elf32_Phdr *
segment_find(uint32_t type)
{
    const Elf32_Phdr *segments = (const Elf32_Phdr *) getauxval(AT_PHDR);

    for (unsigned i = 0; i < getauxval(AT_PHNUM); i++)
        if (segments[i].p_type == type)
            return &segments[i];
    return NULL;
}

int
main(void)
{
    const Elf32_Ehdr *header = (const Elf32_Ehdr *) __executable_start;
    const Elf32_Phdr *linker = segment_find(PT_INTERP);
    uintptr_t base = header->e_type == ET_DYN ? (uintptr_t) __executable_start : 0;

    check_that(memcmp(header->e_ident, ELFMAG, SELFMAG) == 0, "the file's first page lies where the linker's symbols say");
    check_that(*pointers[0] == 7 && *pointers[1] == 0 && pointers[0] == &datum, "pointers in data lead to what they name");
    check_that(constructed == 1, "constructors have run");
    check_that(in_thread == 77, "thread-local storage is initialised");
    check_that(getauxval(AT_ENTRY) == (uintptr_t) _start, "AT_ENTRY is the program's first instruction, also behind a dynamic linker");
    check_that(getauxval(AT_PHDR) == (uintptr_t) __executable_start + header->e_phoff, "AT_PHDR is where the program headers are");
    check_that(getauxval(AT_PHENT) == sizeof(Elf32_Phdr) && getauxval(AT_PHNUM) == header->e_phnum, "AT_PHENT and AT_PHNUM measure them");
    check_that((linker != NULL) == (getauxval(AT_BASE) != 0), "AT_BASE is set where there is a dynamic linker, and only there");
    if (linker != NULL) {
        const char *name = (const char *) (base + linker->p_vaddr);

        check_that(memcmp((const void *) getauxval(AT_BASE), ELFMAG, SELFMAG) == 0, "at AT_BASE the dynamic linker begins");
        check_that(name[linker->p_filesz - 1] == '\0' && access(name, X_OK) == 0, "%s is the one that the program names", name);
    }
    check_that((uintptr_t) sbrk(0) >= (uintptr_t) end || (uintptr_t) sbrk(0) < (uintptr_t) __executable_start,
               "the heap lies outside the program");
    return check_end();
}
