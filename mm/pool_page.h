/*
 * Pages by name: which page came in with which frame.
 *
 * Policies that remember pages which are out (2q, arc), and traces, must know a page
 * again when it comes back in another frame. A page's name is its address space and its
 * number there, as in the fault that brought it in. A file's page, which many may use, is
 * named by file and index; but not in a process that is traced.
 *
 *     fault ── pool_expect ──> room is made ── pool_announce ──> frame ──> pool_insert
 *              the policy                      what comes next             takes its name
 *
 * All of this costs only while somebody wants to know: pool_watchful.
 */
#pragma once

#include "mm/frame.h"
#include "mm/pool.h"
#include "mm/trace_form.h"

/* Whether faults and frames must take the long way: pools with a limited capacity, names,
 * or traces are in use. */
extern bool pool_watchful;

/* The page that a fault is about to bring in. */
struct pool_arrival {
    u32 owner;                  /* the address space's number; 0: nothing is coming */
    u32 page;
    enum trace_event access;    /* of the fault */
    struct trace *trace;        /* of the process, or NULL */
};

/* Owner of pages that came in by no fault. Their numbers, which count up, are beyond
 * those of any address. Address spaces have higher numbers. */
#define POOL_NAMELESS 1u
#define POOL_NAMELESS_PAGE 0x100000u

/* Names for policies. */
static inline policy_page_t
pool_page(u32 owner, u32 page)
{
    return (policy_page_t)owner << 32 | page;
}

static inline policy_page_t
pool_object_page(const void *object, u32 index)
{
    return pool_page((u32)(usize)object, index);
}

/* The policy of the pool in use hears that this page is about to come in. */
void pool_expect(policy_page_t page);

/* The frame that is taken next is for this page, and gets its name; until then nobody may sleep. */
void pool_announce(const struct pool_arrival *arrival);

/* A frame is about to be filled by a device, which takes time: it gets its name now. */
void pool_begin(struct frame *frame);

/* The number of the page in a frame that is charged to a pool, within its owner. */
u32 pool_frame_page(const struct frame *frame);
u32 pool_frame_owner(const struct frame *frame);

/* Gives a frame's page another name. */
void pool_rename(struct frame *frame, u32 owner, u32 page);

/* From now on frames get names. False without memory for them. */
bool pool_keep_names(void);

/* pool.c: sets pool_watchful anew, when something has changed that it depends on. */
void pool_watch(void);

/* For pool_insert while pool_watchful: the pool that the frame is charged to, and whether
 * the fault that brought it in has been recorded as a reference. */
struct pool *pool_admit(struct frame *frame, bool *recorded);

/* The name of the page in a frame, for policies. */
policy_page_t pool_name(const struct pool *pool, const struct frame *frame);
