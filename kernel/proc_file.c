/*
 * The files of /proc: of text, which is generated at the first read and stays with the open file; settings, and others
 * that can be written; and pagemap, whose numbers are looked up as they are read.
 */
#include "kernel/file.h"
#include "kernel/mutex.h"
#include "kernel/proc_node.h"
#include "kernel/process.h"
#include "kernel/regular.h"
#include "mm/aspace.h"
#include "mm/kmem.h"
#include "mm/report.h"

#include <asm/errno.h>
#include <linux/stat.h>

/* Prints a file's text into the open file's buffer. */
static int
proc_generate(const struct inode *inode, struct text_buffer *text)
{
    const struct proc_node *node = inode->proc;
    struct process *process = node->process == 0 ? NULL : proc_process(inode);
    struct thread *thread = node->entry->parent == PROC_TASK ? proc_thread(node->process, node->member) : NULL;

    text_free(text);
    if ((node->process != 0 && process == NULL) || (node->entry->parent == PROC_TASK && thread == NULL))
        return -ESRCH;
    if (node->entry->setting.name != NULL)
        proc_setting_print(&node->entry->setting, text);
    else if (node->entry->print_thread != NULL)
        node->entry->print_thread(thread, text);
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
    if (*offset == 0 || content->text.data == NULL)
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

/* As on Linux, settings are files of no length, and other texts have no end before they are read. */
static u64
proc_text_size(struct file *file)
{
    return file->inode->proc->entry->setting.name != NULL ? 0 : FILE_NO_END;
}

static s32
proc_text_write(struct file *file, struct transfer *transfer, u64 *offset)
{
    const struct proc_entry *entry = file->inode->proc->entry;
    char value[PROC_VALUE_BYTES];
    struct process *process;
    s32 bytes;
    int error;

    (void)offset;
    if (entry->setting.name != NULL)
        return proc_setting_write(&entry->setting, transfer);
    if (entry->write == NULL)
        return file->inode->proc->process == 0 ? -EIO : -EINVAL;
    bytes = proc_value_take(transfer, value);
    if (bytes < 0)
        return bytes;
    process = proc_process(file->inode);
    error = process == NULL ? -ESRCH : entry->write(process, file->inode->proc->member, value);
    return error < 0 ? error : bytes;
}

static const struct file_operations proc_text_operations = {
    .read = proc_text_read, .write = proc_text_write, .size = proc_text_size, .release = proc_text_release,
    .splice_read = true, .splice_write = true,
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

static u64
proc_pagemap_size(struct file *file)
{
    (void)file;
    return FILE_NO_END;
}

static const struct file_operations proc_pagemap_operations = {.read = proc_pagemap_read, .size = proc_pagemap_size};

/* ---- Opening ---- */

static bool
proc_is_control(const struct proc_entry *entry)
{
    return entry->parent == PROC_SYS_KERNEL || entry->parent == PROC_SYS_VM;
}

int
proc_open(struct inode *inode, struct file *file)
{
    const struct proc_entry *entry = inode->proc->entry;
    const struct process *process = proc_process(inode);

    if (entry->inspects && process != NULL && !identity_may_inspect(&process->identity))
        return -EACCES;
    /* Of /proc/sys not even root may write what nobody may. */
    if (proc_is_control(entry) && !(inode->mode & S_IWUSR) && file_may_write(file))
        return -EACCES;
    if (inode_is(inode, S_IFDIR)) {
        file->operations = &directory_operations;
        return 0;
    }
    if (entry->print == NULL && entry->print_thread == NULL && entry->setting.name == NULL) {
        file->operations = &proc_pagemap_operations;
        return 0;
    }
    file->data = kmem_allocate_zeroed(sizeof(struct proc_text));
    if (file->data == NULL)
        return -ENOMEM;
    file->operations = &proc_text_operations;
    return 0;
}
