/*
 * exec: give the current process a new program. The new address space is built completely before anything of
 * the old is touched, so every failure leaves the caller as it was. No page of the program is read but its
 * header: text and data are regions on the file's object, and running faults them in.
 *
 *     exec.c           the order of things: open, load, stack, commit
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

/* A new program as it is being put together; what is set belongs to it until the commit. */
struct exec_program {
    const char *path;                      /* as the caller named it */
    struct inode *inode;                   /* the ELF file (of a script: its interpreter's), held */
    struct elf_layout layout;
    struct elf_image image;
    Elf32_Phdr *segments;                  /* kmem_allocate'd, layout.header_count */
    struct aspace *aspace;
    struct signal_actions *actions;
    struct file_table *files;              /* a table of its own where the caller shares one; else NULL */
    u32 stack_pointer;                     /* user address */
};

/*
 * Run the program (or #! script) at `path`, relative to the current directory, with these strings. On success
 * the current thread's trap frame holds the new program's start. 0, -ENOENT, -EACCES, -ENOEXEC, -ENOMEM,
 * -E2BIG, -ELOOP ... Sleeps.
 */
int exec_run(const char *path, struct exec_strings *strings);

/*
 * exec_stack.c: map the stack of program->aspace and put strings, pointers and the auxiliary vector on it; sets
 * stack_pointer. 0 or a negative errno.
 */
int exec_stack_build(struct exec_program *program, const struct exec_strings *strings);
