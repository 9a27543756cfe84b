/*
 * Who a process acts as: user and group numbers as Linux keeps them. Everything starts as root; permission.h says
 * what those may who are not.
 */
#pragma once

#include "kernel/types.h"

#define IDENTITY_ROOT 0u

struct inode;

/* Supplementary groups; shared by fork, never changed. */
struct identity_groups {
    u32 references;
    u32 count;
    u32 numbers[];
};

struct identity {
    u32 user, effective_user, saved_user;
    u32 group, effective_group, saved_group;
    struct identity_groups *groups;        /* NULL: none; held */
};

/* A copy for a child, and its end. */
struct identity identity_copy(const struct identity *identity);
void identity_release(struct identity *identity);

/* Whether a group is one of the supplementary ones. */
bool identity_has_supplementary(const struct identity *identity, u32 group);

/*
 * Who a process will be after it runs a file: set-user-id and set-group-id change that, unless it may not gain by
 * them. The groups are not held.
 */
struct identity identity_after_exec(const struct identity *identity, const struct inode *executable, bool no_new_privileges);
