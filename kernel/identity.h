/*
 * Who a process acts as: user and group numbers as Linux keeps them. Everything starts as root; permission.h says
 * what those may who are not.
 */
#pragma once

#include "kernel/types.h"

#include <linux/capability.h>

#define IDENTITY_ROOT 0u

struct inode;

/* Supplementary groups; shared by fork, never changed. */
struct identity_groups {
    u32 references;
    u32 count;
    u32 numbers[];
};

/* The users, or the groups, that a process is or may be. */
struct identity_numbers {
    u32 real, effective, saved;
    u32 file;                              /* for access to files: the effective one, unless setfsuid said otherwise */
};

struct identity {
    struct identity_numbers user, group;
    struct identity_groups *groups;        /* NULL: none; held */
    bool keeps_capabilities;               /* prctl, until exec: who ceases to be root may still have root's */
    bool kept_capabilities;                /* and has ceased so; but nothing puts them into effect, there is no capset */
};

/* Linux's capabilities, a bit for each: root has all in effect, and who can become root again may have them. */
#define CAPABILITIES_ALL ((2ull << CAP_LAST_CAP) - 1)

static inline u64
identity_effective_capabilities(const struct identity *identity)
{
    return identity->user.effective == IDENTITY_ROOT ? CAPABILITIES_ALL : 0;
}

static inline bool
identity_is_root_in_any_way(const struct identity *identity)
{
    const struct identity_numbers *user = &identity->user;

    return user->real == IDENTITY_ROOT || user->effective == IDENTITY_ROOT || user->saved == IDENTITY_ROOT;
}

static inline u64
identity_permitted_capabilities(const struct identity *identity)
{
    return identity_is_root_in_any_way(identity) || identity->kept_capabilities ? CAPABILITIES_ALL : 0;
}

/* A copy, which holds the groups as well; and the end of one. */
struct identity identity_copy(const struct identity *identity);
void identity_release(struct identity *identity);

/* Whether the real, the effective and the saved one are all this number. */
static inline bool
identity_numbers_are(const struct identity_numbers *numbers, u32 number)
{
    return numbers->real == number && numbers->effective == number && numbers->saved == number;
}

/* Whether a group is one of the supplementary ones. */
bool identity_has_supplementary(const struct identity *identity, u32 group);

/*
 * Whether the current process may look into the memory and the files of one with this identity, as Linux's ptrace would
 * decide it: its own, or root, or all numbers of the other are what the current one acts as.
 */
bool identity_may_inspect(const struct identity *other);

/*
 * Who a process will be after it runs a file: set-user-id and set-group-id change that, unless it may not gain by
 * them. The groups are not held.
 */
struct identity identity_after_exec(const struct identity *identity, const struct inode *executable,
                                    bool no_new_privileges);
