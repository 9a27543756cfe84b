/* Who a process is: its numbers, its family, its users and groups. */
#include "kernel/identity.h"

#include "kernel/inode.h"
#include "kernel/permission.h"
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

/* ---- Users and groups ---- */

static struct identity_numbers *
own_users(void)
{
    return &current_process()->identity.user;
}

static struct identity_numbers *
own_groups(void)
{
    return &current_process()->identity.group;
}

s32
sys_getuid32(void)
{
    return (s32)own_users()->real;
}

s32
sys_geteuid32(void)
{
    return (s32)own_users()->effective;
}

s32
sys_getgid32(void)
{
    return (s32)own_groups()->real;
}

s32
sys_getegid32(void)
{
    return (s32)own_groups()->effective;
}

static s32
numbers_write(const struct identity_numbers *own, u32 real_address, u32 effective_address, u32 saved_address)
{
    if (user_write_word(real_address, own->real) < 0 || user_write_word(effective_address, own->effective) < 0
        || user_write_word(saved_address, own->saved) < 0)
        return -EFAULT;
    return 0;
}

s32
sys_getresuid32(u32 user, u32 effective, u32 saved)
{
    return numbers_write(own_users(), user, effective, saved);
}

s32
sys_getresgid32(u32 group, u32 effective, u32 saved)
{
    return numbers_write(own_groups(), group, effective, saved);
}

/* A number that the process may take: root any, others only one of those that they have. */
static bool
may_become(const struct identity_numbers *own, u32 wanted)
{
    return wanted == UNCHANGED || permission_is_root() || wanted == own->real || wanted == own->effective
        || wanted == own->saved;
}

/* Who thereby ceases to be root in every way keeps what root may have, if that was asked for. */
static s32
numbers_set(struct identity_numbers *own, u32 real, u32 effective, u32 saved)
{
    struct identity *identity = &current_process()->identity;
    bool was_root = identity_is_root_in_any_way(identity);

    if (!may_become(own, real) || !may_become(own, effective) || !may_become(own, saved))
        return -EPERM;
    if (real != UNCHANGED)
        own->real = real;
    if (effective != UNCHANGED)
        own->effective = effective;
    if (saved != UNCHANGED)
        own->saved = saved;
    own->file = own->effective;
    if (was_root && !identity_is_root_in_any_way(identity))
        identity->kept_capabilities = identity->keeps_capabilities;
    return 0;
}

s32
sys_setresuid32(u32 user, u32 effective, u32 saved)
{
    return numbers_set(own_users(), user, effective, saved);
}

s32
sys_setresgid32(u32 group, u32 effective, u32 saved)
{
    return numbers_set(own_groups(), group, effective, saved);
}

static s32
numbers_set_one(struct identity_numbers *own, u32 number)
{
    if (number == UNCHANGED)
        return -EINVAL;
    if (permission_is_root())
        return numbers_set(own, number, number, number);
    return numbers_set(own, UNCHANGED, number, UNCHANGED);
}

s32
sys_setuid32(u32 user)
{
    return numbers_set_one(own_users(), user);
}

s32
sys_setgid32(u32 group)
{
    return numbers_set_one(own_groups(), group);
}

/*
 * The real number may become the effective one, but not the saved one. Setting the real number, or an effective one
 * that differs from it, makes the effective one the saved one too.
 */
static s32
numbers_set_two(struct identity_numbers *own, u32 real, u32 effective)
{
    bool saves = real != UNCHANGED || (effective != UNCHANGED && effective != own->real);
    u32 saved = effective != UNCHANGED ? effective : own->effective;

    if (real != UNCHANGED && !permission_is_root() && real != own->real && real != own->effective)
        return -EPERM;
    return numbers_set(own, real, effective, saves ? saved : UNCHANGED);
}

s32
sys_setreuid32(u32 user, u32 effective)
{
    return numbers_set_two(own_users(), user, effective);
}

s32
sys_setregid32(u32 group, u32 effective)
{
    return numbers_set_two(own_groups(), group, effective);
}

/* Says what it was, and nothing of whether it changed. */
static s32
numbers_set_file(struct identity_numbers *own, u32 number)
{
    u32 old = own->file;

    if (number != UNCHANGED && (number == old || may_become(own, number)))
        own->file = number;
    return (s32)old;
}

s32
sys_setfsuid32(u32 user)
{
    return numbers_set_file(own_users(), user);
}

s32
sys_setfsgid32(u32 group)
{
    return numbers_set_file(own_groups(), group);
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

    if (other == own || permission_is_root())
        return true;
    return identity_numbers_are(&other->user, own->user.effective)
        && identity_numbers_are(&other->group, own->group.effective);
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

    if (!permission_is_root())
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
        after.user.effective = executable->user;
    /* Without the group's execute bit, set-group-id means something else. */
    if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
        after.group.effective = executable->group;
    after.user.saved = after.user.file = after.user.effective;
    after.group.saved = after.group.file = after.group.effective;
    after.keeps_capabilities = after.kept_capabilities = false;
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
    if (data_address == 0)
        return 0;
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
