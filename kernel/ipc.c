/*
 * What System V's shared memory and semaphores have in common, and the old door to both.
 */
#include "kernel/ipc.h"

#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/syscall_file.h"
#include "mm/user.h"

#include <asm/errno.h>

#define IPC_PERMISSIONS 0777u

/* Results between this, negated, and -1 are errors; others may be addresses. */
#define ERRNO_MAXIMUM 4095

struct ipc_object *
ipc_find(const struct ipc_table *table, s32 id)
{
    struct ipc_object *object;

    LIST_FOREACH(object, &table->objects, link) {
        if (object->id == id)
            return object;
    }
    return NULL;
}

/* The object at a place, from 0 on, or NULL. */
static const struct ipc_object *
ipc_at(const struct ipc_table *table, u32 place)
{
    const struct ipc_object *object = LIST_FIRST(&table->objects);

    while (object != NULL && place-- > 0)
        object = LIST_NEXT(object, link);
    return object;
}

u32
ipc_count(const struct ipc_table *table)
{
    const struct ipc_object *object;
    u32 count = 0;

    LIST_FOREACH(object, &table->objects, link)
        count++;
    return count;
}

s32
ipc_last(const struct ipc_table *table)
{
    u32 count = ipc_count(table);

    return count == 0 ? 0 : (s32)count - 1;
}

s32
ipc_status_at(const struct ipc_table *table, s32 place, u32 address, ipc_status_t *status)
{
    const struct ipc_object *object = ipc_at(table, (u32)place);
    s32 id, result;

    if (object == NULL)
        return -EINVAL;
    id = object->id;        /* copying may sleep, and the object be removed meanwhile */
    result = status(object, address);
    return result < 0 ? result : id;
}

int
ipc_find_key(const struct ipc_table *table, s32 key, u32 flags, struct ipc_object **object)
{
    *object = NULL;
    if (key == IPC_PRIVATE)
        return 0;
    LIST_FOREACH(*object, &table->objects, link) {
        if ((*object)->permission.key == key)
            return (flags & IPC_CREAT) && (flags & IPC_EXCL) ? -EEXIST : 0;
    }
    return flags & IPC_CREAT ? 0 : -ENOENT;
}

void
ipc_add(struct ipc_table *table, struct ipc_object *object, s32 key, u32 flags)
{
    const struct identity *own = &current_process()->identity;
    struct ipc64_perm *permission = &object->permission;

    object->id = table->next_id;
    table->next_id = (table->next_id + 1) & INT32_MAX;
    permission->key = key;
    permission->uid = permission->cuid = own->user.effective;
    permission->gid = permission->cgid = own->group.effective;
    permission->mode = flags & IPC_PERMISSIONS;
    LIST_INSERT_HEAD(&table->objects, object, link);
}

void
ipc_remove(struct ipc_object *object)
{
    LIST_REMOVE(object, link);
}

bool
ipc_permits(const struct ipc_object *object, u32 wanted)
{
    const struct identity *own = &current_process()->identity;
    const struct ipc64_perm *permission = &object->permission;
    u32 mode = permission->mode;

    if (own->user.effective == IDENTITY_ROOT)
        return true;
    if (own->user.effective == permission->uid || own->user.effective == permission->cuid)
        mode >>= PERMISSION_OWNER_SHIFT;
    else if (own->group.effective == permission->gid || own->group.effective == permission->cgid
             || identity_has_supplementary(own, permission->gid))
        mode >>= PERMISSION_GROUP_SHIFT;
    return (mode & wanted) == wanted;
}

bool
ipc_permits_get(const struct ipc_object *object, u32 flags)
{
    u32 wanted = flags >> PERMISSION_OWNER_SHIFT | flags >> PERMISSION_GROUP_SHIFT | flags;

    return ipc_permits(object, wanted & PERMISSION_ALL);
}

bool
ipc_is_own(const struct ipc_object *object)
{
    u32 user = current_process()->identity.user.effective;

    return user == IDENTITY_ROOT || user == object->permission.uid || user == object->permission.cuid;
}

int
ipc_change(struct ipc_object *object, const struct ipc64_perm *permission)
{
    if (!ipc_is_own(object))
        return -EPERM;
    object->permission.uid = permission->uid;
    object->permission.gid = permission->gid;
    object->permission.mode = permission->mode & IPC_PERMISSIONS;
    return 0;
}

/* ---- The old door ---- */

static s32
ipc_shmat(s32 id, u32 address, u32 flags, u32 result_address)
{
    s32 result = sys_shmat(id, address, flags);

    if (result < 0 && result >= -ERRNO_MAXIMUM)
        return result;
    return user_write_word(result_address, (u32)result);
}

static s32
ipc_semctl(s32 id, s32 number, u32 command, u32 pointer)
{
    u32 argument;

    if (pointer == 0)
        return -EINVAL;
    return user_read_word(&argument, pointer) < 0 ? -EFAULT : sys_semctl(id, number, command, argument);
}

/* Which call, then its arguments in an order of its own. */
s32
sys_ipc(u32 call, u32 first, u32 second, u32 third, u32 pointer, u32 fifth)
{
    switch (call & 0xffff) {
    case SEMOP:
        return sys_semtimedop((s32)first, pointer, second, 0);
    case SEMTIMEDOP:
        return sys_semtimedop((s32)first, pointer, second, fifth);
    case SEMGET:
        return sys_semget((s32)first, (s32)second, third);
    case SEMCTL:
        return ipc_semctl((s32)first, (s32)second, third, pointer);
    case SHMGET:
        return sys_shmget((s32)first, second, third);
    case SHMAT:
        return ipc_shmat((s32)first, pointer, second, third);
    case SHMDT:
        return sys_shmdt(pointer);
    case SHMCTL:
        return sys_shmctl((s32)first, second, pointer);
    default:
        return -ENOSYS;
    }
}
