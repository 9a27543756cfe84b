/*
 * The page fault handler.
 */
#pragma once

#include "kernel/types.h"
#include "mm/aspace.h"

/* What a refused fault means to the process: the fields of its siginfo. */
struct fault_verdict {
    int signal;         /* SIGSEGV, SIGBUS, or SIGKILL when memory is exhausted */
    int code;           /* SEGV_MAPERR, SEGV_ACCERR, BUS_ADRERR */
    u32 address;
};

/* What the program tries to do. */
#define FAULT_READ    0u
#define FAULT_WRITE   1u
#define FAULT_EXECUTE 2u

/* Resolves the page fault at CR2 address cr2, raised by the instruction whose registers
 * and error code stand in frame. 0: go back and run the instruction again.
 * -EFAULT: refused, and verdict says how. May sleep and evict. */
int fault_handle(struct aspace *aspace, u32 cr2, const struct trap_frame *frame, bool from_user,
                 struct fault_verdict *verdict);

/* The same once the access (FAULT_*) is known, also for an aspace that is not active.
 * After 0 the page need not be mapped: a fault that slept maps nothing, and an entry may
 * be lost whenever somebody sleeps. The caller looks, and asks again. */
int fault_resolve(struct aspace *aspace, u32 address, u32 access, struct fault_verdict *verdict);
