/*
 * The tree of /proc. What stands in it is said by one table, proc_entries. How its files are read and written is in
 * proc_file.c; who prints their texts is proc_process.c and proc_memory.c, for one process, and proc_system.c.
 *
 *     /proc ──► the system's files, self ──► PID
 *           └─► PID ──► the process's files, fd ──► one link for each descriptor
 *                                            task ──► TID ──► a thread's files
 *
 * A lookup makes an inode that remembers the process's number only: the process is looked for again at each use, and
 * is gone with -ESRCH when it has ended.
 */
#include "kernel/proc.h"

#include "kernel/control.h"
#include "kernel/file.h"
#include "kernel/inode.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/path.h"
#include "kernel/pid.h"
#include "kernel/proc_node.h"
#include "kernel/proc_print.h"
#include "kernel/process.h"
#include "mm/failslab.h"
#include "mm/kmem.h"
#include "mm/reclaim.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/stat.h>

#define PROC_FIRST_POSITION 2u          /* of a listing: 0 and 1 are "." and ".." */
#define PROC_DYNAMIC_POSITION 256u      /* where the numbers (processes, descriptors) begin in a listing */
#define PROC_DESCRIPTOR_BYTES 64u       /* what Linux says is the length of every descriptor's link */
#define PROC_NUMBERS_PER_PROCESS 65536u /* inode numbers: entries of the table, then descriptors */

static struct inode *proc_target_executable(struct process *process);
static struct inode *proc_target_directory(struct process *process);
static struct inode *proc_target_root(struct process *process);

/* Where an entry stands, what it is called, and what is behind it. */
#define PROC_FILE(in, called, printer) {.parent = in, .name = called, .mode = S_IFREG | 0444, .print = printer}
#define PROC_FILE_WRITTEN(in, called, printer, writer) \
    {.parent = in, .name = called, .mode = S_IFREG | 0644, .print = printer, .write = writer}
#define PROC_THREAD_FILE(in, called, printer) \
    {.parent = in, .name = called, .mode = S_IFREG | 0444, .print_thread = printer}
#define PROC_THREAD_FILE_WRITTEN(in, called, printer, writer) \
    {.parent = in, .name = called, .mode = S_IFREG | 0644, .print_thread = printer, .write = writer}
#define PROC_DIRECTORY(in, called, which) {.parent = in, .name = called, .mode = S_IFDIR | 0555, .directory = which}
#define PROC_LINK(in, called, leads_to) {.parent = in, .name = called, .mode = S_IFLNK | 0777, .target = leads_to}
#define PROC_SETTING(in, called, applier) \
    {.parent = in, .name = called, .mode = S_IFREG | 0644, .setting = {called, applier, false}}
#define PROC_TOGGLE(in, called, applier) \
    {.parent = in, .name = called, .mode = S_IFREG | 0644, .setting = {called, applier, true}}

/* What only who may inspect the process may open. */
#define PROC_INSPECTED(in, called, permissions, printer) \
    {.parent = in, .name = called, .mode = S_IFREG | permissions, .print = printer, .inspects = true}

static const struct proc_entry proc_root_entry = PROC_DIRECTORY(PROC_NONE, "proc", PROC_ROOT);
static const struct proc_entry proc_process_entry = PROC_DIRECTORY(PROC_ROOT, NULL, PROC_PROCESS);
static const struct proc_entry proc_descriptor_entry = PROC_LINK(PROC_DESCRIPTORS, NULL, NULL);
static const struct proc_entry proc_task_entry = PROC_DIRECTORY(PROC_TASKS, NULL, PROC_TASK);

static const struct proc_entry proc_entries[] = {
    PROC_LINK(PROC_ROOT, "self", NULL),
    PROC_LINK(PROC_ROOT, "thread-self", NULL),
    PROC_FILE(PROC_ROOT, "cmdline", proc_print_command_line),
    PROC_FILE(PROC_ROOT, "cpuinfo", proc_print_cpuinfo),
    PROC_FILE(PROC_ROOT, "filesystems", proc_print_filesystems),
    PROC_FILE(PROC_ROOT, "interrupts", proc_print_interrupts),
    PROC_FILE(PROC_ROOT, "loadavg", proc_print_loadavg),
    PROC_FILE(PROC_ROOT, "meminfo", proc_print_meminfo),
    PROC_FILE(PROC_ROOT, "mounts", proc_print_mounts),
    {.parent = PROC_ROOT, .name = "slabinfo", .mode = S_IFREG | 0400, .print = proc_print_slabinfo},
    PROC_FILE(PROC_ROOT, "stat", proc_print_system_stat),
    PROC_FILE(PROC_ROOT, "swaps", proc_print_swaps),
    PROC_FILE(PROC_ROOT, "uptime", proc_print_uptime),
    PROC_FILE(PROC_ROOT, "version", proc_print_version),
    PROC_FILE(PROC_ROOT, "vmstat", proc_print_vmstat),
    PROC_DIRECTORY(PROC_ROOT, "sys", PROC_SYS),
    PROC_DIRECTORY(PROC_SYS, "kernel", PROC_SYS_KERNEL),
    PROC_DIRECTORY(PROC_SYS, "vm", PROC_SYS_VM),
    PROC_FILE(PROC_SYS_KERNEL, "hostname", proc_print_hostname),
    PROC_FILE(PROC_SYS_KERNEL, "osrelease", proc_print_osrelease),
    PROC_FILE(PROC_SYS_KERNEL, "ostype", proc_print_ostype),
    PROC_SETTING(PROC_SYS_KERNEL, "pid_max", NULL),
    PROC_FILE(PROC_SYS_KERNEL, "threads-max", proc_print_threads_maximum),
    PROC_FILE(PROC_SYS_KERNEL, "version", proc_print_os_version),
    PROC_SETTING(PROC_SYS_VM, "chaos", NULL),
    PROC_SETTING(PROC_SYS_VM, "check", NULL),
    PROC_SETTING(PROC_SYS_VM, "control", control_apply),
    PROC_SETTING(PROC_SYS_VM, "control_patience", NULL),
    PROC_TOGGLE(PROC_SYS_VM, "explain", NULL),
    PROC_SETTING(PROC_SYS_VM, "failslab", failslab_apply),
    PROC_SETTING(PROC_SYS_VM, "max_map_count", NULL),
    PROC_FILE(PROC_SYS_VM, "overcommit_memory", proc_print_overcommit_memory),
    PROC_SETTING(PROC_SYS_VM, "pff_lower", NULL),
    PROC_SETTING(PROC_SYS_VM, "pff_upper", NULL),
    PROC_SETTING(PROC_SYS_VM, "policy", reclaim_switch_policy),
    PROC_SETTING(PROC_SYS_VM, "prefetch", NULL),
    PROC_SETTING(PROC_SYS_VM, "ramdisk.latency", NULL),
    PROC_SETTING(PROC_SYS_VM, "workingset_window", NULL),
    PROC_INSPECTED(PROC_PROCESS, "auxv", 0400, proc_print_auxiliary),
    PROC_FILE(PROC_PROCESS, "cmdline", proc_print_arguments),
    PROC_FILE_WRITTEN(PROC_PROCESS, "comm", proc_print_name, proc_write_name),
    PROC_LINK(PROC_PROCESS, "cwd", proc_target_directory),
    PROC_INSPECTED(PROC_PROCESS, "environ", 0400, proc_print_environment),
    PROC_LINK(PROC_PROCESS, "exe", proc_target_executable),
    {.parent = PROC_PROCESS, .name = "fd", .mode = S_IFDIR | 0500, .directory = PROC_DESCRIPTORS, .inspects = true},
    PROC_FILE(PROC_PROCESS, "limits", proc_print_limits),
    PROC_INSPECTED(PROC_PROCESS, "maps", 0444, proc_print_maps),
    PROC_FILE(PROC_PROCESS, "mountinfo", proc_print_mount_family),
    PROC_FILE(PROC_PROCESS, "mounts", proc_print_mounts),
    PROC_FILE(PROC_PROCESS, "oom_score", proc_print_oom_score),
    PROC_FILE_WRITTEN(PROC_PROCESS, "oom_score_adj", proc_print_oom_adjustment, proc_write_oom_adjustment),
    PROC_INSPECTED(PROC_PROCESS, "pagemap", 0400, NULL),
    PROC_FILE(PROC_PROCESS, "policy", proc_print_policy),
    PROC_LINK(PROC_PROCESS, "root", proc_target_root),
    PROC_INSPECTED(PROC_PROCESS, "smaps", 0444, proc_print_smaps),
    PROC_INSPECTED(PROC_PROCESS, "smaps_rollup", 0444, proc_print_smaps_rollup),
    PROC_FILE(PROC_PROCESS, "stat", proc_print_stat),
    PROC_FILE(PROC_PROCESS, "statm", proc_print_statm),
    PROC_FILE(PROC_PROCESS, "status", proc_print_status),
    PROC_DIRECTORY(PROC_PROCESS, "task", PROC_TASKS),
    PROC_FILE(PROC_PROCESS, "vmstat", proc_print_vmstat),
    PROC_FILE(PROC_PROCESS, "workingset", proc_print_working_set),
    PROC_THREAD_FILE_WRITTEN(PROC_TASK, "comm", proc_print_thread_name, proc_write_name),
    PROC_INSPECTED(PROC_TASK, "maps", 0444, proc_print_maps),
    PROC_THREAD_FILE(PROC_TASK, "stat", proc_print_thread_stat),
    PROC_THREAD_FILE(PROC_TASK, "status", proc_print_thread_status),
};

static const struct inode_operations proc_operations, proc_descriptor_operations;

/* ---- Nodes ---- */

/* The number that stat and listings show: the same at each lookup. */
static u32
proc_inode_number(const struct proc_entry *entry, u32 process, u32 member)
{
    u32 within = ARRAY_SIZE(proc_entries) + 1;

    /* Threads have numbers like processes. */
    if (entry->parent == PROC_TASK || entry->parent == PROC_TASKS)
        process = member;
    if (entry >= proc_entries && entry < proc_entries + ARRAY_SIZE(proc_entries))
        within = (u32)(entry - proc_entries) + 1;
    else if (entry == &proc_descriptor_entry)
        within += 1 + member;
    return (process + 1) * PROC_NUMBERS_PER_PROCESS + within;
}

/* A process's files are its user's; all others root's. */
static void
proc_set_owner(struct inode *inode, const struct process *process)
{
    inode->user = process == NULL ? IDENTITY_ROOT : process->identity.user.effective;
    inode->group = process == NULL ? IDENTITY_ROOT : process->identity.group.effective;
}

static const struct file_system proc_file_system = {"proc", DEVICE_PROC, PROC_SUPER_MAGIC, false};

/* The mode of a descriptor's link says what the file is open for. */
static u32
proc_descriptor_mode(u32 process, u32 descriptor)
{
    static const u32 modes[] = {
        [O_RDONLY] = S_IRUSR | S_IXUSR,
        [O_WRONLY] = S_IWUSR | S_IXUSR,
        [O_RDWR] = S_IRWXU,
        [O_ACCMODE] = S_IXUSR,
    };
    u32 flags = process_find(process)->files->descriptors[descriptor].file->flags;

    return S_IFLNK | (flags & O_PATH ? (u32)S_IXUSR : modes[flags & O_ACCMODE]);
}

static struct inode *
proc_create(struct inode *parent, const struct proc_entry *entry, u32 process, u32 member)
{
    struct inode *inode = inode_create(&proc_operations, &proc_file_system, entry->mode);
    struct proc_node *node = kmem_allocate_zeroed(sizeof(*node));

    if (inode == NULL || node == NULL) {
        kmem_free(node);
        inode_release(inode);
        return NULL;
    }
    if (entry == &proc_descriptor_entry)
        inode->operations = &proc_descriptor_operations;
    *node = (struct proc_node){.entry = entry, .process = process, .member = member};
    format(node->number, sizeof(node->number), "%u", entry == &proc_process_entry ? process : member);
    inode->proc = node;
    inode->number = proc_inode_number(entry, process, member);
    inode->links = inode_is(inode, S_IFDIR) ? 2 : 1;
    proc_set_owner(inode, process_find(process));
    if (entry == &proc_descriptor_entry)
        inode->mode = proc_descriptor_mode(process, member);
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

/* ---- Lookup ---- */

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

struct process *
proc_process(const struct inode *inode)
{
    return process_find(inode->proc->process);
}

struct thread *
proc_thread(u32 process, u32 number)
{
    struct thread *thread = thread_find(number);

    return thread != NULL && thread->process->id == process ? thread : NULL;
}

static bool
proc_has_descriptor(const struct process *process, u32 descriptor)
{
    return process != NULL && process->files != NULL && file_descriptor(process->files, descriptor) != NULL;
}

/* The entry of a directory that a name stands for, or NULL; numbers become *process or *member. */
static const struct proc_entry *
proc_find(const struct inode *directory, const char *name, u32 *process, u32 *member)
{
    enum proc_directory which = directory->proc->entry->directory;

    for (u32 i = 0; i < ARRAY_SIZE(proc_entries); i++) {
        if (proc_entries[i].parent == which && strcmp(proc_entries[i].name, name) == 0)
            return &proc_entries[i];
    }
    if (which == PROC_ROOT && proc_parse_number(name, process) && *process != 0 && process_find(*process) != NULL)
        return &proc_process_entry;
    if (which == PROC_DESCRIPTORS && proc_parse_number(name, member)
        && proc_has_descriptor(proc_process(directory), *member))
        return &proc_descriptor_entry;
    if (which == PROC_TASKS && proc_parse_number(name, member) && proc_thread(*process, *member) != NULL)
        return &proc_task_entry;
    return NULL;
}

static int
proc_lookup(struct inode *directory, const char *name, struct inode **result)
{
    u32 process = directory->proc->process;
    u32 member = directory->proc->member;
    const struct proc_entry *entry = proc_find(directory, name, &process, &member);

    if (entry == NULL || (process != 0 && process_find(process) == NULL))
        return -ENOENT;
    *result = proc_create(directory, entry, process, member);
    return *result == NULL ? -ENOMEM : 0;
}

/* ---- Listing ---- */

/* Emits an entry that is a number; false if the sink is full. */
static bool
proc_list_number(struct directory_sink *sink, const struct proc_entry *entry, u32 process, u32 number)
{
    char name[PROC_NUMBER_DIGITS];

    format(name, sizeof(name), "%u", number);
    return sink->entry(sink, name, proc_inode_number(entry, process, number), entry->mode,
                       (u64)PROC_DYNAMIC_POSITION + number + 1);
}

/* The smallest process number from `number` on, or 0: threads, groups and sessions have numbers, too. */
static u32
proc_next_process(u32 number)
{
    do {
        number = pid_next(number);
        if (number == 0 || process_find(number) != NULL)
            return number;
    } while (++number < pid_limit);
    return 0;
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

/* The smallest thread number from `number` on, or 0 if there is none. */
static u32
proc_next_thread(const struct process *process, u32 number)
{
    struct thread *thread;
    u32 next = 0;

    TAILQ_FOREACH(thread, &process->threads, process_link) {
        if (thread->id >= number && (next == 0 || thread->id < next))
            next = thread->id;
    }
    return next;
}

static void
proc_list_threads(const struct inode *directory, u32 number, struct directory_sink *sink)
{
    struct process *process = proc_process(directory);

    if (process == NULL)
        return;
    for (number = proc_next_thread(process, number); number != 0; number = proc_next_thread(process, number + 1)) {
        if (!proc_list_number(sink, &proc_task_entry, process->id, number))
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
        u32 inode_number = proc_inode_number(entry, directory->proc->process, directory->proc->member);

        if (entry->parent != which)
            continue;
        if (!sink->entry(sink, entry->name, inode_number, entry->mode, PROC_FIRST_POSITION + i + 1))
            return 0;
    }
    if (which == PROC_ROOT)
        proc_list_processes(number, sink);
    else if (which == PROC_DESCRIPTORS)
        proc_list_descriptors(directory, number, sink);
    else if (which == PROC_TASKS)
        proc_list_threads(directory, number, sink);
    return 0;
}

/* ---- Links ---- */

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
    if (!identity_may_inspect(&process->identity))
        return -EACCES;
    if (node->entry->target != NULL)
        target = node->entry->target(process);
    else if (proc_has_descriptor(process, node->member))
        target = process->files->descriptors[node->member].file->inode;
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
        if (strcmp(proc_node_name(link->proc), "thread-self") == 0)
            text_print(text, "/task/%u", current_thread()->id);
        return text->failed ? -ENOMEM : 0;
    }
    if (error < 0)
        return error;
    error = inode_path(target, text);
    inode_release(target);
    /* A path that ends in " (deleted)" is shown, not refused. */
    return error == -ENOMEM ? error : 0;
}

/* ---- The file system ---- */

static const struct inode_operations proc_operations = {
    .lookup = proc_lookup,
    .list = proc_list,
    .name = proc_name,
    .read_link = proc_read_link,
    .follow = proc_follow,
    .open = proc_open,
    .destroy = proc_destroy,
};

static u64
proc_descriptor_size(const struct inode *link)
{
    (void)link;
    return PROC_DESCRIPTOR_BYTES;
}

static const struct inode_operations proc_descriptor_operations = {
    .size = proc_descriptor_size,
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
