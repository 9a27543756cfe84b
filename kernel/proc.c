/*
 * The tree of /proc. What stands in it is said by one table, proc_entries; who prints a file's text is
 * proc_process.c, for one process, and proc_system.c.
 *
 *     /proc ──► the system's files, self ──► PID
 *           └─► PID ──► the process's files, fd ──► one link for each descriptor
 *
 * A lookup makes an inode that remembers the process's number only: the process is looked for again at each use, and
 * is gone with -ESRCH when it has ended.
 */
#include "kernel/proc.h"

#include "kernel/file.h"
#include "kernel/inode.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/mutex.h"
#include "kernel/panic.h"
#include "kernel/path.h"
#include "kernel/proc_print.h"
#include "kernel/proc_setting.h"
#include "kernel/process.h"
#include "kernel/regular.h"
#include "mm/aspace.h"
#include "mm/kmem.h"
#include "mm/reclaim.h"
#include "mm/report.h"

#include <asm/errno.h>
#include <linux/magic.h>
#include <linux/stat.h>

#define PROC_NUMBER_DIGITS 11u          /* a process or descriptor number in decimal, with its NUL */
#define PROC_FIRST_POSITION 2u          /* of a listing: 0 and 1 are "." and ".." */
#define PROC_DYNAMIC_POSITION 256u      /* where the numbers (processes, descriptors) begin in a listing */
#define PROC_NUMBERS_PER_PROCESS 65536u /* inode numbers: entries of the table, then descriptors */

/* The directories. */
enum proc_directory { PROC_NONE, PROC_ROOT, PROC_SYS, PROC_SYS_KERNEL, PROC_SYS_VM, PROC_PROCESS, PROC_DESCRIPTORS };

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
};

struct proc_node {
    const struct proc_entry *entry;
    u32 process;                        /* its number; 0: the system */
    u32 descriptor;                     /* of a link in PROC_DESCRIPTORS */
    char number[PROC_NUMBER_DIGITS];    /* the name of an entry that has none of its own */
};

static struct inode *proc_target_executable(struct process *process);
static struct inode *proc_target_directory(struct process *process);
static struct inode *proc_target_root(struct process *process);

#define PROC_NO_SETTING {NULL, NULL, false}
#define PROC_FILE(parent, name, print) {parent, name, S_IFREG | 0444, PROC_NONE, print, NULL, PROC_NO_SETTING}
#define PROC_DIRECTORY(parent, name, directory) {parent, name, S_IFDIR | 0555, directory, NULL, NULL, PROC_NO_SETTING}
#define PROC_LINK(parent, name, target) {parent, name, S_IFLNK | 0777, PROC_NONE, NULL, target, PROC_NO_SETTING}
#define PROC_SETTING(parent, name, apply) {parent, name, S_IFREG | 0644, PROC_NONE, NULL, NULL, {name, apply, false}}
#define PROC_TOGGLE(parent, name, apply) {parent, name, S_IFREG | 0644, PROC_NONE, NULL, NULL, {name, apply, true}}

static const struct proc_entry proc_root_entry = PROC_DIRECTORY(PROC_NONE, "proc", PROC_ROOT);
static const struct proc_entry proc_process_entry = PROC_DIRECTORY(PROC_ROOT, NULL, PROC_PROCESS);
static const struct proc_entry proc_descriptor_entry = PROC_LINK(PROC_DESCRIPTORS, NULL, NULL);

static const struct proc_entry proc_entries[] = {
    PROC_LINK(PROC_ROOT, "self", NULL),
    PROC_FILE(PROC_ROOT, "cmdline", proc_print_command_line),
    PROC_FILE(PROC_ROOT, "cpuinfo", proc_print_cpuinfo),
    PROC_FILE(PROC_ROOT, "filesystems", proc_print_filesystems),
    PROC_FILE(PROC_ROOT, "interrupts", proc_print_interrupts),
    PROC_FILE(PROC_ROOT, "loadavg", proc_print_loadavg),
    PROC_FILE(PROC_ROOT, "meminfo", proc_print_meminfo),
    PROC_FILE(PROC_ROOT, "mounts", proc_print_mounts),
    PROC_FILE(PROC_ROOT, "stat", proc_print_system_stat),
    PROC_FILE(PROC_ROOT, "swaps", proc_print_swaps),
    PROC_FILE(PROC_ROOT, "uptime", proc_print_uptime),
    PROC_FILE(PROC_ROOT, "version", proc_print_version),
    PROC_FILE(PROC_ROOT, "vmstat", proc_print_vmstat),
    PROC_DIRECTORY(PROC_ROOT, "sys", PROC_SYS),
    PROC_DIRECTORY(PROC_SYS, "kernel", PROC_SYS_KERNEL),
    PROC_DIRECTORY(PROC_SYS, "vm", PROC_SYS_VM),
    PROC_SETTING(PROC_SYS_KERNEL, "pid_max", NULL),
    PROC_SETTING(PROC_SYS_VM, "chaos", NULL),
    PROC_SETTING(PROC_SYS_VM, "check", NULL),
    PROC_TOGGLE(PROC_SYS_VM, "explain", NULL),
    PROC_SETTING(PROC_SYS_VM, "max_map_count", NULL),
    PROC_FILE(PROC_SYS_VM, "overcommit_memory", proc_print_overcommit_memory),
    PROC_SETTING(PROC_SYS_VM, "policy", reclaim_switch_policy),
    PROC_SETTING(PROC_SYS_VM, "prefetch", NULL),
    PROC_SETTING(PROC_SYS_VM, "ramdisk.latency", NULL),
    PROC_SETTING(PROC_SYS_VM, "workingset_window", NULL),
    PROC_FILE(PROC_PROCESS, "cmdline", proc_print_arguments),
    PROC_FILE(PROC_PROCESS, "comm", proc_print_name),
    PROC_LINK(PROC_PROCESS, "cwd", proc_target_directory),
    PROC_LINK(PROC_PROCESS, "exe", proc_target_executable),
    PROC_DIRECTORY(PROC_PROCESS, "fd", PROC_DESCRIPTORS),
    PROC_FILE(PROC_PROCESS, "maps", proc_print_maps),
    PROC_FILE(PROC_PROCESS, "mounts", proc_print_mounts),
    PROC_FILE(PROC_PROCESS, "pagemap", NULL),
    PROC_LINK(PROC_PROCESS, "root", proc_target_root),
    PROC_FILE(PROC_PROCESS, "stat", proc_print_stat),
    PROC_FILE(PROC_PROCESS, "statm", proc_print_statm),
    PROC_FILE(PROC_PROCESS, "status", proc_print_status),
    PROC_FILE(PROC_PROCESS, "vmstat", proc_print_vmstat),
    PROC_FILE(PROC_PROCESS, "workingset", proc_print_working_set),
};

static const struct inode_operations proc_operations;

/* ---- nodes ---- */

/* The process that a node is about, or NULL if it has ended. */
static struct process *
proc_process(const struct inode *inode)
{
    return process_find(inode->proc->process);
}

/* The number that stat and listings show: the same at each lookup. */
static u32
proc_inode_number(const struct proc_entry *entry, u32 process, u32 descriptor)
{
    u32 within = ARRAY_SIZE(proc_entries) + 1;

    if (entry >= proc_entries && entry < proc_entries + ARRAY_SIZE(proc_entries))
        within = (u32)(entry - proc_entries) + 1;
    else if (entry == &proc_descriptor_entry)
        within += 1 + descriptor;
    return (process + 1) * PROC_NUMBERS_PER_PROCESS + within;
}

/* A process's files are its user's; all others root's. */
static void
proc_set_owner(struct inode *inode, const struct process *process)
{
    inode->user = process == NULL ? IDENTITY_ROOT : process->identity.effective_user;
    inode->group = process == NULL ? IDENTITY_ROOT : process->identity.effective_group;
}

static struct inode *
proc_create(struct inode *parent, const struct proc_entry *entry, u32 process, u32 descriptor)
{
    struct inode *inode = inode_create(&proc_operations, entry->mode);
    struct proc_node *node = kmem_allocate_zeroed(sizeof(*node));

    if (inode == NULL || node == NULL) {
        kmem_free(node);
        inode_release(inode);
        return NULL;
    }
    *node = (struct proc_node){.entry = entry, .process = process, .descriptor = descriptor};
    format(node->number, sizeof(node->number), "%u", entry == &proc_descriptor_entry ? descriptor : process);
    inode->proc = node;
    inode->number = proc_inode_number(entry, process, descriptor);
    inode->links = inode_is(inode, S_IFDIR) ? 2 : 1;
    proc_set_owner(inode, process_find(process));
    if (parent != NULL)
        inode->parent = inode_hold(parent);
    return inode;
}

static void
proc_destroy(struct inode *inode)
{
    kmem_free(inode->proc);
    /*
     * A directory's hold on its parent is given back by inode_release; here other nodes have one too, since nothing
     * else keeps parents.
     */
    if (!inode_is(inode, S_IFDIR))
        inode_release(inode->parent);
}

static const char *
proc_node_name(const struct proc_node *node)
{
    return node->entry->name == NULL ? node->number : node->entry->name;
}

static const char *
proc_name(struct inode *directory, struct inode *child)
{
    (void)directory;
    return proc_node_name(child->proc);
}

/* ---- lookup ---- */

/* The number that a name is, without sign or leading zeroes; false if it is none. */
static bool
proc_parse_number(const char *name, u32 *number)
{
    char again[PROC_NUMBER_DIGITS];
    const char *rest = name;
    u64 value;

    if (!string_read_number(&rest, &value) || *rest != '\0' || value > INT32_MAX)
        return false;
    *number = (u32)value;
    format(again, sizeof(again), "%u", *number);
    return strcmp(again, name) == 0;
}

static bool
proc_has_descriptor(const struct process *process, u32 descriptor)
{
    return process != NULL && process->files != NULL && file_descriptor(process->files, descriptor) != NULL;
}

/* The entry of a directory that a name stands for, or NULL; numbers become *process or *descriptor. */
static const struct proc_entry *
proc_find(const struct inode *directory, const char *name, u32 *process, u32 *descriptor)
{
    enum proc_directory which = directory->proc->entry->directory;

    for (u32 i = 0; i < ARRAY_SIZE(proc_entries); i++) {
        if (proc_entries[i].parent == which && strcmp(proc_entries[i].name, name) == 0)
            return &proc_entries[i];
    }
    if (which == PROC_ROOT && proc_parse_number(name, process) && *process != 0 && process_find(*process) != NULL)
        return &proc_process_entry;
    if (which == PROC_DESCRIPTORS && proc_parse_number(name, descriptor) &&
        proc_has_descriptor(proc_process(directory), *descriptor))
        return &proc_descriptor_entry;
    return NULL;
}

static int
proc_lookup(struct inode *directory, const char *name, struct inode **result)
{
    u32 process = directory->proc->process;
    u32 descriptor = 0;
    const struct proc_entry *entry = proc_find(directory, name, &process, &descriptor);

    if (entry == NULL || (process != 0 && process_find(process) == NULL))
        return -ENOENT;
    *result = proc_create(directory, entry, process, descriptor);
    return *result == NULL ? -ENOMEM : 0;
}

/* ---- listing ---- */

/* Emits an entry that is a number; false if the sink is full. */
static bool
proc_list_number(struct directory_sink *sink, const struct proc_entry *entry, u32 process, u32 number)
{
    char name[PROC_NUMBER_DIGITS];

    format(name, sizeof(name), "%u", number);
    return sink->entry(sink, name, proc_inode_number(entry, process, number), entry->mode,
                       (u64)PROC_DYNAMIC_POSITION + number + 1);
}

/* The smallest process number from `number` on, or 0 if there is none. */
static u32
proc_next_process(u32 number)
{
    struct process *process;
    u32 next = 0;

    process_for_each(process) {
        if (process->id >= number && process->id != 0 && (next == 0 || process->id < next))
            next = process->id;
    }
    return next;
}

static void
proc_list_processes(u32 number, struct directory_sink *sink)
{
    for (number = proc_next_process(number); number != 0; number = proc_next_process(number + 1)) {
        if (!proc_list_number(sink, &proc_process_entry, number, number))
            return;
    }
}

static void
proc_list_descriptors(const struct inode *directory, u32 number, struct directory_sink *sink)
{
    struct process *process = proc_process(directory);

    if (process == NULL || process->files == NULL)
        return;
    for (; number < process->files->used; number++) {
        if (!proc_has_descriptor(process, number))
            continue;
        if (!proc_list_number(sink, &proc_descriptor_entry, process->id, number))
            return;
    }
}

static int
proc_list(struct inode *directory, u64 position, struct directory_sink *sink)
{
    enum proc_directory which = directory->proc->entry->directory;
    u32 first = position < PROC_DYNAMIC_POSITION ? (u32)position - PROC_FIRST_POSITION : ARRAY_SIZE(proc_entries);
    u32 number = position < PROC_DYNAMIC_POSITION ? 0 : (u32)(position - PROC_DYNAMIC_POSITION);

    static_assert(PROC_FIRST_POSITION + ARRAY_SIZE(proc_entries) < PROC_DYNAMIC_POSITION, "the table comes first");
    for (u32 i = first; i < ARRAY_SIZE(proc_entries); i++) {
        const struct proc_entry *entry = &proc_entries[i];
        u32 inode_number = proc_inode_number(entry, directory->proc->process, 0);

        if (entry->parent != which)
            continue;
        if (!sink->entry(sink, entry->name, inode_number, entry->mode, PROC_FIRST_POSITION + i + 1))
            return 0;
    }
    if (which == PROC_ROOT)
        proc_list_processes(number, sink);
    else if (which == PROC_DESCRIPTORS)
        proc_list_descriptors(directory, number, sink);
    return 0;
}

/* ---- links ---- */

static struct inode *
proc_target_executable(struct process *process)
{
    return process->executable;
}

static struct inode *
proc_target_directory(struct process *process)
{
    return process->directory;
}

static struct inode *
proc_target_root(struct process *process)
{
    (void)process;
    return path_root;
}

/* -EINVAL for a link that says a path (self). */
static int
proc_follow(struct inode *link, struct inode **result)
{
    const struct proc_node *node = link->proc;
    struct process *process = proc_process(link);
    struct inode *target = NULL;

    if (node->entry != &proc_descriptor_entry && node->entry->target == NULL)
        return -EINVAL;
    if (process == NULL)
        return -ENOENT;
    if (node->entry->target != NULL)
        target = node->entry->target(process);
    else if (proc_has_descriptor(process, node->descriptor))
        target = process->files->descriptors[node->descriptor].file->inode;
    if (target == NULL)
        return -ENOENT;
    *result = inode_hold(target);
    return 0;
}

static int
proc_read_link(struct inode *link, struct text_buffer *text)
{
    struct inode *target;
    int error = proc_follow(link, &target);

    if (error == -EINVAL) {
        text_print(text, "%u", current_process()->id);
        return text->failed ? -ENOMEM : 0;
    }
    if (error < 0)
        return error;
    error = inode_path(target, text);
    inode_release(target);
    /* A path that ends in " (deleted)" is shown, not refused. */
    return error == -ENOMEM ? error : 0;
}

/* ---- files of text ---- */

/* Prints a file's text into the open file's buffer. */
static int
proc_generate(const struct inode *inode, struct text_buffer *text)
{
    const struct proc_node *node = inode->proc;
    struct process *process = node->process == 0 ? NULL : proc_process(inode);

    text_free(text);
    if (node->process != 0 && process == NULL)
        return -ESRCH;
    if (node->entry->setting.name != NULL)
        proc_setting_print(&node->entry->setting, text);
    else
        node->entry->print(process, text);
    return text->failed ? -ENOMEM : 0;
}

/* The text that stays with an open file. Copying it out may sleep, and nobody may generate it anew meanwhile. */
struct proc_text {
    struct text_buffer text;
    struct mutex busy;
};

static s32
proc_text_copy(const struct text_buffer *text, struct transfer *transfer, u64 *offset)
{
    u32 rest, wanted, done;

    if (*offset >= text->length)
        return 0;
    rest = text->length - (u32)*offset;
    wanted = transfer->remaining < rest ? transfer->remaining : rest;
    done = transfer_out(transfer, text->data + (u32)*offset, wanted);
    *offset += done;
    return done == 0 && wanted > 0 ? -EFAULT : (s32)done;
}

static s32
proc_text_read(struct file *file, struct transfer *transfer, u64 *offset)
{
    struct proc_text *content = file->data;
    s32 result = 0;

    mutex_lock(&content->busy);
    if (*offset == 0)
        result = proc_generate(file->inode, &content->text);
    if (result == 0)
        result = proc_text_copy(&content->text, transfer, offset);
    mutex_unlock(&content->busy);
    return result;
}

static void
proc_text_release(struct file *file)
{
    struct proc_text *content = file->data;

    text_free(&content->text);
    kmem_free(content);
}

static u64
proc_size(struct file *file)
{
    (void)file;
    return 0;
}

static s32
proc_text_write(struct file *file, struct transfer *transfer, u64 *offset)
{
    const struct proc_setting *setting = &file->inode->proc->entry->setting;

    (void)offset;
    return setting->name == NULL ? -EINVAL : proc_setting_write(setting, transfer);
}

static const struct file_operations proc_text_operations = {
    .read = proc_text_read, .write = proc_text_write, .size = proc_size, .release = proc_text_release,
};

/* ---- pagemap ---- */

#define PROC_PAGEMAP_ENTRIES 32u        /* looked up at a time */

static s32
proc_pagemap_copy(struct aspace *aspace, struct transfer *transfer, u64 *offset)
{
    u64 entries[PROC_PAGEMAP_ENTRIES];
    u32 end = user_top() / PAGE_SIZE;
    s32 done = 0;

    if (*offset >= (u64)end * sizeof(u64))
        return 0;
    for (u32 page = (u32)*offset / sizeof(u64); transfer->remaining > 0 && page < end;) {
        u32 count = 0;
        u32 copied;

        while (count < ARRAY_SIZE(entries) && count * sizeof(u64) < transfer->remaining && page < end)
            entries[count++] = report_pagemap(aspace, page++);
        copied = transfer_out(transfer, entries, count * sizeof(u64));
        done += copied;
        if (copied < count * sizeof(u64))
            break;
    }
    *offset += done;
    return done == 0 && transfer->remaining > 0 ? -EFAULT : done;
}

static s32
proc_pagemap_read(struct file *file, struct transfer *transfer, u64 *offset)
{
    struct process *process = proc_process(file->inode);
    struct aspace *aspace = process == NULL ? NULL : process->aspace;
    s32 result;

    if (*offset % sizeof(u64) != 0 || transfer->remaining % sizeof(u64) != 0)
        return -EINVAL;
    if (aspace == NULL)
        return 0;
    /* Copying out may sleep, and the process may end meanwhile. */
    aspace_hold(aspace);
    result = proc_pagemap_copy(aspace, transfer, offset);
    aspace_release(aspace);
    return result;
}

static const struct file_operations proc_pagemap_operations = {.read = proc_pagemap_read, .size = proc_size};

/* ---- opening ---- */

static int
proc_open(struct inode *inode, struct file *file)
{
    if (inode_is(inode, S_IFDIR)) {
        file->operations = &directory_operations;
        return 0;
    }
    if (inode->proc->entry->print == NULL && inode->proc->entry->setting.name == NULL) {
        file->operations = &proc_pagemap_operations;
        return 0;
    }
    file->data = kmem_allocate_zeroed(sizeof(struct proc_text));
    if (file->data == NULL)
        return -ENOMEM;
    file->operations = &proc_text_operations;
    return 0;
}

static const struct file_system proc_file_system = {"proc", 3, PROC_SUPER_MAGIC};

static const struct inode_operations proc_operations = {
    .file_system = &proc_file_system,
    .lookup = proc_lookup,
    .list = proc_list,
    .name = proc_name,
    .read_link = proc_read_link,
    .follow = proc_follow,
    .open = proc_open,
    .destroy = proc_destroy,
};

struct inode *
proc_create_tree(void)
{
    struct inode *root = proc_create(NULL, &proc_root_entry, 0, 0);

    if (root != NULL)
        root->links = 2;
    return root;
}
