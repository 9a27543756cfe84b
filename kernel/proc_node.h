/*
 * What proc.c, the tree of /proc, and proc_file.c, its files, share.
 */
#pragma once

#include "kernel/inode.h"
#include "kernel/proc_setting.h"
#include "kernel/text.h"

struct file;
struct process;
struct thread;

#define PROC_NUMBER_DIGITS 11u          /* a process or descriptor number in decimal, with its NUL */

/* The directories. */
enum proc_directory {
    PROC_NONE, PROC_ROOT, PROC_SYS, PROC_SYS_KERNEL, PROC_SYS_VM, PROC_PROCESS, PROC_DESCRIPTORS, PROC_TASKS, PROC_TASK,
};

struct proc_entry {
    enum proc_directory parent;
    const char *name;                   /* NULL: a number */
    u32 mode;
    enum proc_directory directory;      /* S_IFDIR: which one it is */
    /* S_IFREG: process is NULL for the system's files. */
    void (*print)(struct process *process, struct text_buffer *text);
    /* S_IFLNK that leads to an inode: it, not held, or NULL. */
    struct inode *(*target)(struct process *process);
    /* S_IFREG that can be written, instead of print; else its name is NULL. */
    struct proc_setting setting;
    /*
     * S_IFREG that can be written besides: takes what is written, for a file of a thread with its number, else 0. 0 or
     * a negative errno. Else NULL.
     */
    int (*write)(struct process *process, u32 thread_number, char *value);
    /* S_IFREG about a thread, instead of print. */
    void (*print_thread)(struct thread *thread, struct text_buffer *text);
    bool inspects;                      /* it tells what is in the process's memory, or what it has open */
};

struct proc_node {
    const struct proc_entry *entry;
    u32 process;                        /* its number; 0: the system */
    u32 member;                         /* PROC_DESCRIPTORS: a descriptor; PROC_TASK and below: a thread's number */
    char number[PROC_NUMBER_DIGITS];    /* the name of an entry that has none of its own */
};

/* The process that a node is about, or NULL if it has ended. */
struct process *proc_process(const struct inode *inode);

/* A thread of a process by their numbers, or NULL. */
struct thread *proc_thread(u32 process, u32 number);

/* open for every node of /proc (proc_file.c): 0 or a negative errno. */
int proc_open(struct inode *inode, struct file *file);
