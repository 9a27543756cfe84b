/*
 * Programs with one field of their headers wrong: a row is a field of the ELF header, or of one of the program headers,
 * and then what exec of that file comes to, with the values for which it does. "runs" is a program that ends as it should. Of the ELF
 * header's fields the errno is told. A wrong program header may be found out only when the old program is gone, so of
 * those it is told only that the new one "fails": by an errno, by a signal, or by doing something else.
 *
 * The second program has an interpreter, the third is one for which any address is right. Not here is where Linux sees
 * no mistake and Belady does: EI_CLASS and EI_DATA; segments that lie over each other; and ones beyond the file's end.
 * What may be executed is the subject of others.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/elf_image.h"
#include "user/lib/outcome.h"

#define PLACE "/tmp/bad_headers"
#define INTERPRETER "/tmp/bad_headers/interpreter"

enum { BASE = 0x08048000, INTERPRETER_BASE = 0x20000000, SOMEBODY = 1000, KERNEL = 0xC0000000, TIME_LIMIT = 2 };

static struct elf_image image;

/* ---- Attempts ---- */

/* What a child comes to that execs the program. */
static const char *
attempt(bool exactly)
{
    char *const arguments[] = { "program", NULL }, *const environment[] = { NULL };
    int status;
    pid_t child = fork();

    if (child == 0) {
        alarm(TIME_LIMIT);
        execve("program", arguments, environment);
        _exit(errno);
    }
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == ELF_IMAGE_STATUS)
        return "runs";
    if (!exactly)
        return "fails";
    return WIFEXITED(status) ? error_name(WEXITSTATUS(status)) : "dies";
}

struct field {
    const char *name;
    size_t offset, bytes;
};

#define FIELD(name, type, structure, field) { name, offsetof(structure, field), sizeof(type) }
#define HEADER(field, type) FIELD(#field, type, struct elf_image, header.field)
#define SEGMENT(number, field) FIELD(#field " of " #number, Elf32_Word, struct elf_image, segments[number].field)
static const struct field header_fields[] = {
    HEADER(e_ident[EI_MAG0], char), HEADER(e_ident[EI_MAG3], char),
    HEADER(e_ident[EI_VERSION], char), HEADER(e_ident[EI_OSABI], char), HEADER(e_machine, Elf32_Half),
    HEADER(e_version, Elf32_Word), HEADER(e_shoff, Elf32_Off), HEADER(e_flags, Elf32_Word), HEADER(e_ehsize, Elf32_Half),
    HEADER(e_phentsize, Elf32_Half), HEADER(e_shentsize, Elf32_Half), HEADER(e_shnum, Elf32_Half), HEADER(e_shstrndx, Elf32_Half),
};

/* 0 is the name of the interpreter, or a note; 1 the text; 2 the data. */
static const struct field segment_fields[] = {
    HEADER(e_type, Elf32_Half), HEADER(e_entry, Elf32_Addr), HEADER(e_phoff, Elf32_Off), HEADER(e_phnum, Elf32_Half),
    SEGMENT(0, p_type), SEGMENT(0, p_offset), SEGMENT(0, p_vaddr), SEGMENT(0, p_paddr), SEGMENT(0, p_filesz), SEGMENT(0, p_memsz),
    SEGMENT(0, p_flags), SEGMENT(0, p_align),
    SEGMENT(1, p_type), SEGMENT(1, p_vaddr), SEGMENT(1, p_paddr), SEGMENT(1, p_align),
    SEGMENT(2, p_type), SEGMENT(2, p_vaddr), SEGMENT(2, p_paddr), SEGMENT(2, p_memsz), SEGMENT(2, p_flags), SEGMENT(2, p_align),
};

/* What was tried with a field; a value that came up already has no outcome. */
struct trial {
    uint32_t value;
    char outcome[16];
};

enum { VALUES = 17, STEPS = 6, TRIALS = VALUES + STEPS };

/* No address between the ends of the smaller and the larger user space is among the values. */
static void
values_choose(const struct field *field, struct trial trials[TRIALS])
{
    static const uint32_t values[VALUES] = { 0, 1, 2, 3, 4, 31, 32, 33, 0x7f, PAGE_SIZE - 1, PAGE_SIZE, 3 * PAGE_SIZE, 0x30000000, KERNEL - 1,
                                             KERNEL, (uint32_t) -PAGE_SIZE, (uint32_t) -1 };
    static const int steps[STEPS] = { -PAGE_SIZE, -4, -1, 1, 4, PAGE_SIZE };
    uint32_t old = 0, mask = field->bytes < sizeof old ? (1u << 8 * field->bytes) - 1 : UINT32_MAX;

    memcpy(&old, (char *) &image + field->offset, field->bytes);
    for (int i = 0; i < TRIALS; i++)
        trials[i].value = (i < VALUES ? values[i] : old + (uint32_t) steps[i - VALUES]) & mask;
}

static bool
value_is_new(const struct trial trials[TRIALS], int trial)
{
    for (int i = 0; i < trial; i++)
        if (trials[i].value == trials[trial].value)
            return false;
    return true;
}

static void
value_try(const struct field *field, bool exactly, struct trial *trial)
{
    struct elf_image whole = image;

    memcpy((char *) &image + field->offset, &trial->value, field->bytes);
    elf_image_write(&image, "program");
    image = whole;
    snprintf(trial->outcome, sizeof trial->outcome, "%s", attempt(exactly));
}

/* Each outcome, and the values that have it. */
static void
field_show(const struct field *field, bool exactly)
{
    struct trial trials[TRIALS] = { 0 };
    char outcome[sizeof trials->outcome];

    values_choose(field, trials);
    for (int i = 0; i < TRIALS; i++)
        if (value_is_new(trials, i))
            value_try(field, exactly, &trials[i]);
    printf("%s:", field->name);
    for (int i = 0; i < TRIALS; i++) {
        if (*trials[i].outcome == '\0')
            continue;
        strcpy(outcome, trials[i].outcome);
        printf(" %s", outcome);
        for (int same = i; same < TRIALS; same++) {
            if (strcmp(trials[same].outcome, outcome) != 0)
                continue;
            printf(" %#x", trials[same].value);
            *trials[same].outcome = '\0';
        }
    }
    putchar('\n');
    fflush(stdout);
}

enum { FIELDS = sizeof segment_fields / sizeof *segment_fields, FIELDS_OF_0 = 12 };

/* With the first `count` of the fields above. */
static void
program_show(const char *what, int count)
{
    printf("-- %s\n", what);
    elf_image_write(&image, "program");
    printf("as it is: %s\n", attempt(true));
    for (size_t i = 0; i < sizeof header_fields / sizeof *header_fields; i++)
        field_show(&header_fields[i], true);
    for (int i = 0; i < count; i++)
        field_show(&segment_fields[i], false);
}

int
main(void)
{
    mkdir(PLACE, 0755);
    chown(PLACE, SOMEBODY, SOMEBODY);
    chdir(PLACE);
    setresuid(SOMEBODY, SOMEBODY, SOMEBODY);
    elf_image_make(&image, INTERPRETER_BASE, PT_NOTE, INTERPRETER);
    elf_image_write(&image, INTERPRETER);
    elf_image_make(&image, BASE, PT_NOTE, INTERPRETER);
    program_show("a program", FIELDS);
    elf_image_make(&image, BASE, PT_INTERP, INTERPRETER);
    program_show("a program with an interpreter", FIELDS_OF_0);
    elf_image_make(&image, 0, PT_NOTE, INTERPRETER);
    program_show("a program for any address", FIELDS);
    unlink("program");
    return unlink(INTERPRETER) == 0 ? 0 : 1;
}
