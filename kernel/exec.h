/*
 * exec: give the current process a new program. The new address space is built completely before anything of
 * the old is touched, so every failure leaves the caller as it was. No page of the program is read but its
 * header: text and data are regions on the file's object, and running faults them in.
 *
 *     exec.c           the order of things: open, load, stack, commit
 *     exec_load.c      regions for the program, and for the dynamic linker if it names one
 *     elf.c            what the file says, checked
 *     exec_strings.c   argument and environment strings
 *     exec_stack.c     what the new program finds on its stack
 */
#pragma once

#include "kernel/elf.h"
#include "kernel/exec_strings.h"
#include "kernel/types.h"

struct aspace;
struct file_table;
struct inode;
struct signal_actions;

/* One ELF file of a program. */
struct exec_file {
    struct inode *inode;                   /* held, and running; NULL: there is no such file */
    struct elf_layout layout;
    struct elf_image image;
    Elf32_Phdr *segments;                  /* kmem_allocate'd, layout.header_count */
};

/* A new program as it is being put together; what is set belongs to it until the commit. */
struct exec_program {
    const char *path;                      /* as the caller named it */
    bool path_is_closed;                   /* leads through a descriptor that exec closes */
    struct exec_file file;                 /* the program (of a script: its interpreter) */
    struct exec_file linker;               /* the dynamic linker that it names, which runs first */
    struct aspace *aspace;
    struct signal_actions *actions;
    struct file_table *files;              /* a table of its own where the caller shares one; else NULL */
    u32 stack_pointer;                     /* user address */
};

/*
 * Run the program (or #! script) at `path`, relative to the current directory, with these strings. On success
 * the current thread's trap frame holds the new program's start. 0, -ENOENT, -EACCES, -ENOEXEC, -ENOMEM,
 * -E2BIG, -ELOOP, -ETXTBSY ... Sleeps.
 */
int exec_run(const char *path, struct exec_strings *strings);

/* As much of a file as is looked at to see what it is: Linux's BINPRM_BUF_SIZE. */
#define EXEC_HEADER_BYTES 256u

/*
 * exec_load.c: take another file, that of an inode, or at a path, as this one; the caller's hold on the inode is taken
 * over. Its first bytes go to header, which is one longer for a terminator. Returns how many, or a negative errno.
 */
int exec_file_open_inode(struct exec_file *file, struct inode *inode, char *header);
int exec_file_open(struct exec_file *file, const char *path, char *header);

/*
 * exec_load.c: check the header, and what it says stands where; a position-independent file will be moved to `base`.
 * 0 or -ENOEXEC.
 */
int exec_file_check(struct exec_file *file, const char *header, u32 bytes, u32 base);

/*
 * exec_load.c: read and check the rest of the file and of the dynamic linker that it names, and map both into a new
 * address space, program->aspace. 0, -ENOEXEC, -ENOMEM; -ENOENT if there is no such linker, -ELIBBAD if it is none.
 */
int exec_load(struct exec_program *program);

/* exec_load.c: give back what is set of it. */
void exec_file_release(struct exec_file *file);

/*
 * exec_stack.c: map the stack of program->aspace and put strings, pointers and the auxiliary vector on it; sets
 * stack_pointer. 0 or a negative errno.
 */
int exec_stack_build(struct exec_program *program, const struct exec_strings *strings);
