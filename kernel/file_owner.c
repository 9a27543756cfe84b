/*
 * Signals for news of open files.
 *
 *     pipe, socket, terminal: wait queue ──► entry of the file's owner ──► SIGIO to a process, thread or group
 *
 * A file has an owner from the first command that says something about it on. While O_ASYNC is set, its entry is in the
 * queue that poll would wait in.
 */
#include "kernel/file_owner.h"

#include "kernel/file.h"
#include "kernel/pid.h"
#include "kernel/poll.h"
#include "kernel/process.h"
#include "kernel/signal.h"
#include "kernel/thread.h"
#include "kernel/x86/cpu.h"
#include "mm/kmem.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <asm/siginfo.h>
#include <linux/fcntl.h>

struct file_owner {
    struct wait_entry entry;    /* in a queue while O_ASYNC is set */
    struct file *file;
    struct pid *pid;            /* held; NULL: nobody is told */
    s32 type;                   /* F_OWNER_PID, F_OWNER_TID, F_OWNER_PGRP */
    u32 signal;                 /* 0: SIGIO, which tells nothing more */
    s32 descriptor;             /* that the signal names */
    u32 real, effective;        /* users of who set it, and may signal those that are told */
};

/* ---- News ---- */

static bool
owner_may_signal(const struct file_owner *owner, const struct process *process)
{
    const struct identity_numbers *user = &process->identity.user;

    return owner->effective == IDENTITY_ROOT || owner->effective == user->real || owner->effective == user->saved
        || owner->real == user->real || owner->real == user->saved;
}

/*
 * A real-time signal needs memory, which is not to be had in an interrupt handler, where the terminal's news come from:
 * then it is SIGIO, as on Linux where there is none.
 */
static void
owner_tell(const struct file_owner *owner, struct process *process, struct thread *thread, u32 events)
{
    bool plain = owner->signal == 0 || (owner->signal > SIGNAL_STANDARD_COUNT && inode_is(owner->file->inode, S_IFCHR));
    struct signal_info info = {.code = events & POLLIN ? POLL_IN : POLL_OUT};
    int signal = plain ? SIGIO : (int)owner->signal;

    if (!owner_may_signal(owner, process))
        return;
    info.fields._sigpoll._band = (long)events;
    info.fields._sigpoll._fd = owner->descriptor;
    if (thread != NULL)
        signal_send_thread(thread, signal, plain ? NULL : &info);
    else
        signal_send(process, signal, plain ? NULL : &info);
}

static void
owner_notify(struct wait_entry *entry, u32 events)
{
    const struct file_owner *owner = container_of(entry, struct file_owner, entry);
    const struct pid *pid = owner->pid;
    struct process *member;

    events &= (file_may_read(owner->file) ? POLL_READABLE : 0) | (file_may_write(owner->file) ? POLL_WRITABLE : 0);
    if (pid == NULL || events == 0)
        return;
    if (owner->type == F_OWNER_PGRP) {
        LIST_FOREACH(member, &pid->group, group_link)
            owner_tell(owner, member, NULL, events);
    } else if (owner->type == F_OWNER_TID && pid->thread != NULL) {
        owner_tell(owner, pid->thread->process, pid->thread, events);
    } else if (owner->type == F_OWNER_PID && pid->process != NULL) {
        owner_tell(owner, pid->process, NULL, events);
    }
}

/* The file's owner, which is made when there is none; NULL if memory is short. */
static struct file_owner *
owner_of(struct file *file)
{
    if (file->owner == NULL)
        file->owner = kmem_allocate_zeroed(sizeof(*file->owner));
    if (file->owner != NULL) {
        file->owner->file = file;
        file->owner->entry.notify = owner_notify;
    }
    return file->owner;
}

int
file_owner_watch(struct file *file, s32 descriptor, bool on)
{
    struct file_owner *owner;
    struct wait_queue *queue = NULL;
    u32 interrupts;

    if (((file->flags & FASYNC) != 0) == on)
        return 0;
    if (!file->operations->tells_by_signal)
        return -ENOTTY;
    owner = owner_of(file);
    if (owner == NULL)
        return -ENOMEM;
    interrupts = interrupts_save();
    if (on) {
        owner->descriptor = descriptor;
        file->operations->poll(file, &queue);
        wait_watch(queue, &owner->entry);
        file->flags |= FASYNC;
    } else {
        wait_delist(&owner->entry);
        file->flags &= ~(u32)FASYNC;
    }
    interrupts_restore(interrupts);
    return 0;
}

void
file_owner_release(struct file *file)
{
    struct file_owner *owner = file->owner;

    if (owner == NULL)
        return;
    file_owner_watch(file, 0, false);
    if (owner->pid != NULL)
        pid_release(owner->pid);
    kmem_free(owner);
    file->owner = NULL;
}

/* ---- Commands ---- */

static bool
owner_exists(const struct pid *pid, s32 type)
{
    if (type == F_OWNER_PGRP)
        return !LIST_EMPTY(&pid->group);
    return type == F_OWNER_TID ? pid->thread != NULL : pid->process != NULL;
}

/* Number 0: nobody. */
static int
owner_set(struct file *file, s32 type, s32 number)
{
    const struct identity_numbers *user = &current_process()->identity.user;
    struct pid *pid = number == 0 ? NULL : pid_find((u32)number);
    struct file_owner *owner;
    u32 interrupts;

    if (number != 0 && (pid == NULL || !owner_exists(pid, type)))
        return -ESRCH;
    owner = owner_of(file);
    if (owner == NULL)
        return -ENOMEM;
    interrupts = interrupts_save();
    if (pid != NULL)
        pid_hold(pid);
    if (owner->pid != NULL)
        pid_release(owner->pid);
    owner->pid = pid;
    owner->type = type;
    owner->real = user->real;
    owner->effective = user->effective;
    interrupts_restore(interrupts);
    return 0;
}

static struct f_owner_ex
owner_get(const struct file *file)
{
    const struct file_owner *owner = file->owner;
    struct f_owner_ex who = {.type = owner == NULL ? F_OWNER_TID : owner->type};

    if (owner != NULL && owner->pid != NULL && owner_exists(owner->pid, owner->type))
        who.pid = (s32)owner->pid->number;
    return who;
}

static s32
owner_set_from_user(struct file *file, u32 address)
{
    struct f_owner_ex who;

    if (user_copy_in(&who, address, sizeof(who)) < 0)
        return -EFAULT;
    if (who.type != F_OWNER_TID && who.type != F_OWNER_PID && who.type != F_OWNER_PGRP)
        return -EINVAL;
    return owner_set(file, who.type, who.pid);
}

static s32
owner_set_signal(struct file *file, u32 signal)
{
    struct file_owner *owner;

    if (signal > SIGNAL_COUNT)
        return -EINVAL;
    owner = owner_of(file);
    if (owner == NULL)
        return -ENOMEM;
    owner->signal = signal;
    return 0;
}

s32
file_owner_control(struct file *file, u32 command, u32 argument)
{
    struct f_owner_ex who = owner_get(file);
    s32 number = (s32)argument;

    switch (command) {
    case F_GETOWN:
        return who.type == F_OWNER_PGRP ? -who.pid : who.pid;
    case F_SETOWN:
        if (number == INT32_MIN)
            return -EINVAL;
        return owner_set(file, number < 0 ? F_OWNER_PGRP : F_OWNER_PID, number < 0 ? -number : number);
    case F_GETOWN_EX:
        return user_copy_out(argument, &who, sizeof(who));
    case F_SETOWN_EX:
        return owner_set_from_user(file, argument);
    case F_GETSIG:
        return file->owner == NULL ? 0 : (s32)file->owner->signal;
    default: /* F_SETSIG */
        return owner_set_signal(file, argument);
    }
}
