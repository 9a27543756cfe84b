/*
 * What the stages of one page fault share. For mm/fault.c and mm/fault_room.c only.
 */
#pragma once

#include <asm/errno.h>

#include "kernel/assert.h"
#include "mm/fault.h"
#include "mm/trace_form.h"

/* One fault, as the stages hand it on. */
struct fault {
    struct aspace *aspace;
    u32 address;
    page_t page;
    u16 access;                 /* FAULT_READ, FAULT_WRITE, FAULT_EXECUTE */
    u16 tries;                  /* that starved */
    struct region *region;
    struct fault_verdict *verdict;
};

#define COUNT(fault, name) ASPACE_COUNT((fault)->aspace, name)

static inline int
fault_refuse(struct fault *fault, int signal, int code)
{
    *fault->verdict = (struct fault_verdict){signal, code, fault->address};
    return -EFAULT;
}

/* A write to this anon must copy it first: others refer to it, or to its chunk. (amap_is_shared, written out: every
 * fault on an anon asks, and the compiler makes fewer instructions of it.) */
static inline bool
fault_is_shared(const struct fault *fault, const struct anon *anon)
{
    return anon->references > 1 || amap_chunk(fault->region->amap, fault->page)->references > 1;
}

/* The page that holds the end of a program's data: what follows in the file is
 * not part of it and reads as zero. */
static inline bool
fault_is_tail(const struct region *region, u32 index)
{
    return region->data_end && ((u64)index + 1) << PAGE_SHIFT > region->data_end;
}

/* x86 cannot write or execute what it cannot read: any protection permits reading. */
static inline bool
fault_is_permitted(const struct fault *fault)
{
    static const u8 needed[] = {
        [FAULT_READ] = REGION_READ | REGION_WRITE | REGION_EXECUTE,
        [FAULT_WRITE] = REGION_WRITE,
        [FAULT_EXECUTE] = REGION_EXECUTE,
    };

    return fault->region->protection & needed[fault->access];
}

/* The access, as traces call it. */
static inline enum trace_event
fault_event(const struct fault *fault)
{
    static_assert(FAULT_READ == TRACE_READ && FAULT_WRITE == TRACE_WRITE && FAULT_EXECUTE == TRACE_EXECUTE,
                  "in the same order");
    return (enum trace_event)fault->access;
}

/* The stack that may grow down to the page, or NULL. */
struct region *fault_stack(const struct fault *fault);

/* Memory and swap are exhausted: refused, with SIGKILL. */
int fault_no_memory(struct fault *fault);

/* An allocation failed although memory was looked after: makes room and begins the fault anew.
 * After FAULT_TRIES the process is killed, since what it needs is not to be had by making room. */
#define FAULT_TRIES 8u
int fault_starved(struct fault *fault);

/* The fault as a whole. The instruction is the one that faults, by its registers; NULL: there is
 * none, or the fault has been tried before. */
int fault_run(struct fault *fault, const struct trap_frame *instruction);

/* Memory is short, or processes have quotas: makes room for what the fault can need. A
 * full quota gives up a page of its own for the one that is to come. False if there is
 * no memory to be had. May sleep and evict. */
bool fault_make_room(struct fault *fault, const struct trap_frame *instruction);
