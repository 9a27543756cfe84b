/* Who a process is: its numbers, its family, its users and groups. */
#include "kernel/identity.h"

#include "kernel/inode.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/thread.h"
#include "mm/kmem.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <linux/stat.h>

/* In the calls that set several numbers at once this one stands for "as it is". */
#define UNCHANGED UINT32_MAX

s32
sys_getpid(void)
{
    return (s32)current_process()->id;
}

s32
sys_getppid(void)
{
    return (s32)current_process()->parent->id;
}

s32
sys_gettid(void)
{
    return (s32)current_thread()->id;
}

s32
sys_set_tid_address(u32 address)
{
    current_thread()->clear_child_tid = address;
    return (s32)current_thread()->id;
}

s32
sys_getuid32(void)
{
    return (s32)current_process()->identity.user;
}

s32
sys_geteuid32(void)
{
    return (s32)current_process()->identity.effective_user;
}

s32
sys_getgid32(void)
{
    return (s32)current_process()->identity.group;
}

s32
sys_getegid32(void)
{
    return (s32)current_process()->identity.effective_group;
}

static s32
write_three(u32 first_address, u32 first, u32 second_address, u32 second, u32 third_address, u32 third)
{
    if (user_write_word(first_address, first) < 0 || user_write_word(second_address, second) < 0
        || user_write_word(third_address, third) < 0)
        return -EFAULT;
    return 0;
}

s32
sys_getresuid32(u32 user, u32 effective, u32 saved)
{
    const struct identity *own = &current_process()->identity;

    return write_three(user, own->user, effective, own->effective_user, saved, own->saved_user);
}

s32
sys_getresgid32(u32 group, u32 effective, u32 saved)
{
    const struct identity *own = &current_process()->identity;

    return write_three(group, own->group, effective, own->effective_group, saved, own->saved_group);
}

/* A number that the process may take: root any, others only one of those that they have. */
static bool
may_become(u32 wanted, u32 first, u32 second, u32 third)
{
    return wanted == UNCHANGED || current_process()->identity.effective_user == IDENTITY_ROOT || wanted == first
        || wanted == second || wanted == third;
}

s32
sys_setresuid32(u32 user, u32 effective, u32 saved)
{
    struct identity *own = &current_process()->identity;

    if (!may_become(user, own->user, own->effective_user, own->saved_user)
        || !may_become(effective, own->user, own->effective_user, own->saved_user)
        || !may_become(saved, own->user, own->effective_user, own->saved_user))
        return -EPERM;
    if (user != UNCHANGED)
        own->user = user;
    if (effective != UNCHANGED)
        own->effective_user = effective;
    if (saved != UNCHANGED)
        own->saved_user = saved;
    own->file_user = own->effective_user;
    return 0;
}

s32
sys_setresgid32(u32 group, u32 effective, u32 saved)
{
    struct identity *own = &current_process()->identity;

    if (!may_become(group, own->group, own->effective_group, own->saved_group)
        || !may_become(effective, own->group, own->effective_group, own->saved_group)
        || !may_become(saved, own->group, own->effective_group, own->saved_group))
        return -EPERM;
    if (group != UNCHANGED)
        own->group = group;
    if (effective != UNCHANGED)
        own->effective_group = effective;
    if (saved != UNCHANGED)
        own->saved_group = saved;
    own->file_group = own->effective_group;
    return 0;
}

s32
sys_setuid32(u32 user)
{
    bool root = current_process()->identity.effective_user == IDENTITY_ROOT;

    if (user == UNCHANGED)
        return -EINVAL;
    return root ? sys_setresuid32(user, user, user) : sys_setresuid32(UNCHANGED, user, UNCHANGED);
}

s32
sys_setgid32(u32 group)
{
    bool root = current_process()->identity.effective_user == IDENTITY_ROOT;

    if (group == UNCHANGED)
        return -EINVAL;
    return root ? sys_setresgid32(group, group, group) : sys_setresgid32(UNCHANGED, group, UNCHANGED);
}

/*
 * The real number may become the effective one, but not the saved one. Setting the real number, or an effective one
 * that differs from it, makes the effective one the saved one too.
 */
s32
sys_setreuid32(u32 user, u32 effective)
{
    struct identity *own = &current_process()->identity;
    bool saves = user != UNCHANGED || (effective != UNCHANGED && effective != own->user);
    u32 saved = effective != UNCHANGED ? effective : own->effective_user;

    if (!may_become(user, own->user, own->effective_user, own->user))
        return -EPERM;
    return sys_setresuid32(user, effective, saves ? saved : UNCHANGED);
}

s32
sys_setregid32(u32 group, u32 effective)
{
    struct identity *own = &current_process()->identity;
    bool saves = group != UNCHANGED || (effective != UNCHANGED && effective != own->group);
    u32 saved = effective != UNCHANGED ? effective : own->effective_group;

    if (!may_become(group, own->group, own->effective_group, own->group))
        return -EPERM;
    return sys_setresgid32(group, effective, saves ? saved : UNCHANGED);
}

/* Says what it was, and nothing of whether it changed. */
s32
sys_setfsuid32(u32 user)
{
    struct identity *own = &current_process()->identity;
    u32 old = own->file_user;

    if (user != UNCHANGED && (user == old || may_become(user, own->user, own->effective_user, own->saved_user)))
        own->file_user = user;
    return (s32)old;
}

s32
sys_setfsgid32(u32 group)
{
    struct identity *own = &current_process()->identity;
    u32 old = own->file_group;

    if (group != UNCHANGED && (group == old || may_become(group, own->group, own->effective_group, own->saved_group)))
        own->file_group = group;
    return (s32)old;
}

/* ---- Supplementary groups ---- */

#define GROUPS_MAXIMUM 65536u      /* NGROUPS_MAX */

struct identity
identity_copy(const struct identity *identity)
{
    if (identity->groups != NULL)
        identity->groups->references++;
    return *identity;
}

void
identity_release(struct identity *identity)
{
    if (identity->groups != NULL && --identity->groups->references == 0)
        kmem_free(identity->groups);
    identity->groups = NULL;
}

bool
identity_has_supplementary(const struct identity *identity, u32 group)
{
    const struct identity_groups *groups = identity->groups;

    for (u32 i = 0; groups != NULL && i < groups->count; i++) {
        if (groups->numbers[i] == group)
            return true;
    }
    return false;
}

bool
identity_may_inspect(const struct identity *other)
{
    const struct identity *own = &current_process()->identity;
    u32 user = own->effective_user, group = own->effective_group;

    if (other == own || user == IDENTITY_ROOT)
        return true;
    return other->user == user && other->effective_user == user && other->saved_user == user
        && other->group == group && other->effective_group == group && other->saved_group == group;
}

s32
sys_getgroups32(u32 size, u32 list)
{
    const struct identity_groups *groups = current_process()->identity.groups;
    u32 count = groups == NULL ? 0 : groups->count;

    if ((s32)size < 0 || (size > 0 && size < count))
        return -EINVAL;
    if (size > 0 && count > 0 && user_copy_out(list, groups->numbers, count * sizeof(groups->numbers[0])) < 0)
        return -EFAULT;
    return (s32)count;
}

s32
sys_setgroups32(u32 size, u32 list)
{
    struct identity *own = &current_process()->identity;
    struct identity_groups *groups;
    u32 bytes = size * sizeof(groups->numbers[0]);

    if (own->effective_user != IDENTITY_ROOT)
        return -EPERM;
    if (size > GROUPS_MAXIMUM)
        return -EINVAL;
    groups = kmem_allocate(sizeof(*groups) + bytes);
    if (groups == NULL)
        return -ENOMEM;
    *groups = (struct identity_groups){.references = 1, .count = size};
    if (user_copy_in(groups->numbers, list, bytes) < 0) {
        kmem_free(groups);
        return -EFAULT;
    }
    identity_release(own);
    own->groups = groups;
    return 0;
}

/* ---- exec ---- */

struct identity
identity_after_exec(const struct identity *identity, const struct inode *executable, bool no_new_privileges)
{
    struct identity after = *identity;
    u32 mode = no_new_privileges ? 0 : executable->mode;

    if (mode & S_ISUID)
        after.effective_user = executable->user;
    /* Without the group's execute bit, set-group-id means something else. */
    if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
        after.effective_group = executable->group;
    after.saved_user = after.file_user = after.effective_user;
    after.saved_group = after.file_group = after.effective_group;
    return after;
}

/* ---- Capabilities: root has all, others none ---- */

#define CAPABILITY_WORDS _LINUX_CAPABILITY_U32S_3

/* Words that a version of the structure has; 0 where there is no such version. */
static u32
capability_words(u32 version)
{
    if (version == _LINUX_CAPABILITY_VERSION_1)
        return _LINUX_CAPABILITY_U32S_1;
    return version == _LINUX_CAPABILITY_VERSION_2 || version == _LINUX_CAPABILITY_VERSION_3 ? CAPABILITY_WORDS : 0;
}

s32
sys_capget(u32 header_address, u32 data_address)
{
    struct __user_cap_header_struct header;
    struct __user_cap_data_struct data[CAPABILITY_WORDS] = {0};
    const struct process *process = current_process();
    u64 effective, permitted;
    u32 words;

    if (user_copy_in(&header, header_address, sizeof(header)) < 0)
        return -EFAULT;
    words = capability_words(header.version);
    if (words == 0) {
        header.version = _LINUX_CAPABILITY_VERSION_3;
        if (user_copy_out(header_address, &header, sizeof(header)) < 0)
            return -EFAULT;
        return data_address == 0 ? 0 : -EINVAL;
    }
    if (header.pid < 0)
        return -EINVAL;
    if (header.pid != 0)
        process = process_find(header.pid);
    if (process == NULL)
        return -ESRCH;
    effective = identity_effective_capabilities(&process->identity);
    permitted = identity_permitted_capabilities(&process->identity);
    for (u32 i = 0; i < words; i++) {
        data[i].effective = (u32)(effective >> 32 * i);
        data[i].permitted = (u32)(permitted >> 32 * i);
    }
    return user_copy_out(data_address, data, words * sizeof(data[0]));
}
