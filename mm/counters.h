/*
 * What is counted, with the textbook's name for each event.
 *
 * COUNTERS lists every counter once; the system has one set of them and each
 * address space another, so that /proc/vmstat and /proc/PID/vmstat show the
 * same names. Exactly one kind of fault is counted for each page fault (and
 * fault_stack_growth in addition, when the stack region was extended).
 * Names that Linux has too mean the same there.
 */
#pragma once

#include "kernel/types.h"

#define COUNTERS(X)                                                            \
    X(pgfault)             /* every page fault at a user address */            \
    X(pgmajfault)          /* of these, those that read a block device */      \
    X(fault_zero_fill)     /* a fresh frame of zeroes, for a write */          \
    X(fault_zero_map)      /* the shared frame of zeroes, for a read */        \
    X(fault_file)          /* a page of an object mapped */                    \
    X(fault_file_copy)     /* a private write to an object's page */           \
    X(fault_cow_copy)      /* a write to a shared anon: copied */              \
    X(fault_cow_reuse)     /* a write once the last sharer has gone */         \
    X(fault_swap_in)       /* an anon brought in from the swap area */         \
    X(fault_soft)          /* only the page-table entry was missing */         \
    X(fault_dirty)         /* first write, seen by dirty=software */           \
    X(fault_accessed)      /* first access, seen by accessed=software */       \
    X(fault_protection)    /* refused: the region forbids it */                \
    X(fault_execute)       /* refused: fetch from a page not executable */     \
    X(fault_unmapped)      /* refused: no region there */                      \
    X(fault_bus)           /* refused: beyond the end of the object */         \
    X(fault_no_memory)     /* refused: memory and swap are exhausted */        \
    X(fault_stack_growth)  /* the stack region was extended */                 \
    X(pswpin)              /* pages read from the swap area */                 \
    X(pswpout)             /* pages written to the swap area */                \
    X(device_read)         /* transfers that read pages (system only) */       \
    X(file_write_back)     /* pages of files written to their device (system only) */ \
    X(prefetch_read)       /* pages that came with one that was wanted */      \
    X(prefetch_useful)     /* of these, those that were used */                \
    X(prefetch_useless)    /* of these, those that went unused (system only) */ \
    X(zero_pool_hit)       /* zero fills from the pool (system only) */        \
    X(zero_pool_miss)      /* zero fills that had to clear (system only) */    \
    X(reclaim_clean_drop)  /* victims with a clean copy: no write */           \
    X(reclaim_write_back)  /* victims that were dirty: written */              \
    X(pgsteal)             /* victims in all */                                \
    X(fork_lazy)           /* forks that shared chunks */                      \
    X(fork_cow)            /* forks that copied every page reference */        \
    X(fork_copy)           /* forks that copied every page */                  \
    X(vfork)               /* forks that shared the address space */           \
    X(fork_page_copy)      /* pages copied by fork=copy */                     \
    X(chunk_split)         /* amap chunks split by a first write */            \
    X(table_alloc)         /* page-table pages allocated */                    \
    X(table_free)          /* page-table pages freed */                        \
    X(aspace_switch)       /* CR3 loaded: another address space runs */        \
    X(pages_moved)         /* pages sent through a pipe and mapped, not copied */ \
    X(pages_copied)        /* whole pages copied into or out of a pipe */      \
    X(process_suspend)     /* processes put out by load control */             \
    X(process_resume)      /* processes taken in again */                      \
    X(oom_kill)            /* processes killed for want of memory */         \
    X(failslab)            /* allocations that failslab= made fail (system only) */

struct counters {
#define COUNTER_FIELD(name) u32 name;
    COUNTERS(COUNTER_FIELD)
#undef COUNTER_FIELD
};

/* The system's set. Written by mm only, and by the process layer for vfork and
 * oom_kill. */
extern struct counters counters;
