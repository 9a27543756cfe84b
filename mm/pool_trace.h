/*
 * A traced process's pool: whatever its policy hears is in the trace, in the same order.
 *
 * So the simulator, which has the same policies, comes to the same victims. The game is
 * played in a pool of the process's own, that is under a limit (RLIMIT_RSS, alloc=);
 * pages that are charged to others, or locked, take no part in it, and the references to
 * them are remarks. Without such a pool every reference is recorded, but for locked pages.
 */
#pragma once

#include "mm/pool.h"
#include "mm/trace.h"
#include "mm/trace_form.h"

/* From now on the trace tells what happens in the pool, which gets a new instance of its
 * policy. Owner is the address space's number. */
void pool_follow(struct pool *pool, struct trace *trace, u32 owner);

/* The process ends, or goes on in another address space: nothing more of this pool is told. */
void pool_unfollow(struct pool *pool);

/* What the pool may have, or by which policy, is other than before. */
void pool_trace_frames(const struct pool *pool);
void pool_trace_policy(const struct pool *pool);

/* A fault is about to bring this page in. Where the process departs from the run that was
 * recorded, its policy=opt ends here. */
void pool_trace_expect(struct trace *trace, page_t page);

/* A process uses this frame: if it is charged to a traced one, which is another, it leaves
 * that one's game and is everybody's. */
void pool_trace_share(struct frame *frame);

/* A fault of a traced process was resolved and its entry maps frame: records the access,
 * unless it has been recorded when the page came in. */
void pool_record(struct trace *trace, u32 owner, page_t page, struct frame *frame, enum trace_event access,
                 bool locked);

/* The page is unmapped or discarded; the frame that it is in, or NULL, is not the pool's
 * any more. The pool is the process's own, or NULL. */
void pool_trace_unmap(struct pool *pool, struct trace *trace, page_t page, struct frame *frame);

/* Of pool.c and pool_page.c: a page comes in by a fault; the policy learns of one that is
 * in memory, or forgets it; a victim goes. */
void pool_trace_arrival(struct trace *trace, const struct pool *pool, struct frame *frame, page_t page,
                        enum trace_event access);
void pool_trace_return(struct pool *pool, struct frame *frame);
void pool_trace_leave(const struct pool *pool, const struct frame *frame);
void pool_trace_evict(const struct pool *pool, const struct frame *frame);
