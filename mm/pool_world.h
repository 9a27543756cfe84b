/*
 * What the files of pools share: for mm/pool.c, mm/pool_policy.c, mm/pool_world.c and
 * mm/pool_trace.c. The list is of the first of these, world_* of the third, all other
 * functions of the second.
 */
#pragma once

#include "mm/pool.h"

/* All pools but the global one. */
LIST_HEAD(pool_list, pool);
extern struct pool_list pool_list;

/* The tables that all instances of policies share. Panics without memory for them. */
void world_start(void);

/* A pool's environment, of a capacity of so many frames. */
struct policy_environment world_create(u32 capacity);

/* wsclock's window in a traced process, in references; in others it is half a second. */
#define WORLD_WINDOW_REFERENCES 50u

/* The pool belongs to this traced process from now on: time, window and future are those
 * of its trace. */
void world_follow(struct pool *pool, struct trace *trace);

/* policy_capacity, for no more frames than there are. */
u32 pool_capacity(u32 now, u32 frames);

/* The policy that policy= names starts in the global pool; if it cannot, clock does, and
 * the log says why. */
void pool_start_policy(void);

/* Starts a new pool's policy; false if there is no memory. */
bool pool_begin_policy(struct pool *pool);

/* Another policy for one pool, with room for so many frames; what it has is handed over.
 * False if there is no memory, and then nothing has changed. */
bool pool_renew(struct pool *pool, const struct policy *policy, u32 capacity);

/* A new instance of the policy in force, as of a new pool, for one that has no frames at
 * the moment. False if there is no memory, and then nothing has changed. */
bool pool_begin_anew(struct pool *pool);

/* So many frames from now on, or fewer if there is no memory for the policy's tables. */
void pool_set_quota(struct pool *pool, u32 quota);
