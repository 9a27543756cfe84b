/*
 * What System V's shared memory and semaphores have in common: objects that are found by a number or a key, with an
 * owner and permissions. An object is the first member of a larger structure.
 */
#pragma once

#include <bsd/sys/queue.h>

#include "kernel/permission.h"
#include "kernel/types.h"

#include <linux/ipc.h>

struct ipc_object {
    LIST_ENTRY(ipc_object) link;
    s32 id;                             /* never used again */
    struct ipc64_perm permission;       /* key IPC_PRIVATE: found by its number alone */
};

struct ipc_table {
    LIST_HEAD(, ipc_object) objects;    /* newest first */
    s32 next_id;
};

/* The object of a number, or NULL. */
struct ipc_object *ipc_find(const struct ipc_table *table, s32 id);

/* How many there are, and the last place that has one, from 0 on, or 0: for those who list them all (ipcs). */
u32 ipc_count(const struct ipc_table *table);
s32 ipc_last(const struct ipc_table *table);

/* Copies out what an object is: 0 or -errno. May sleep. */
typedef s32 ipc_status_t(const struct ipc_object *object, u32 address);

/* Does so for the object at a place: its number; -EINVAL: there is none. */
s32 ipc_status_at(const struct ipc_table *table, s32 place, u32 address, ipc_status_t *status);

/* For the get calls: the key's object; 0 and NULL, a new one is to be made; -ENOENT or -EEXIST. */
int ipc_find_key(const struct ipc_table *table, s32 key, u32 flags, struct ipc_object **object);

/* Gives an object that is zeroed its number, key and owner, and puts it into the table. */
void ipc_add(struct ipc_table *table, struct ipc_object *object, s32 key, u32 flags);
void ipc_remove(struct ipc_object *object);

/* Whether the current process may do this: PERMISSION_READ and so on. */
bool ipc_permits(const struct ipc_object *object, u32 wanted);

/* Whether it may do what a get call's flags ask for. */
bool ipc_permits_get(const struct ipc_object *object, u32 flags);

/* Whether the object is its own, to change or remove. */
bool ipc_is_own(const struct ipc_object *object);

/* IPC_SET: takes over owner, group and mode: 0 or -EPERM. */
int ipc_change(struct ipc_object *object, const struct ipc64_perm *permission);
