/*
 * Bugs on request. Unlike all other code of the kernel, this is wrong on purpose. The bug strikes in a clock tick that
 * interrupts a user program, so that the report has a process to name; or wherever it is, if no program is interrupted
 * for long.
 */
#include "kernel/bug.h"

#include "drivers/timer.h"
#include "kernel/assert.h"
#include "kernel/command_line.h"
#include "kernel/selftest.h"
#include "kernel/types.h"
#include "kernel/x86/cpu.h"
#include "mm/kmem.h"

enum bug { BUG_NONE, BUG_NULL, BUG_STACK, BUG_ASSERT, BUG_FREE };

static unsigned bug = BUG_NONE;
BOOT_CHOICE(bug, bug, "provoke a bug of the kernel, to see what a panic looks like",
            "none", "null", "stack", "assert", "free");

#define PATIENCE_TICKS 100
#define OBJECT_BYTES 64
#define BLOCK_BYTES 256

static void
follow_null(void)
{
    volatile u32 *volatile pointer = NULL;

    (*pointer)++;
}

/*
 * Calls itself until the stack ends, long before the count does. The block is used after the call, so that this cannot
 * become a loop.
 */
static u32 __attribute__((noinline))
fill_stack(volatile u32 *outer)
{
    volatile u32 block[BLOCK_BYTES / sizeof(u32)];

    if (outer[0] == UINT32_MAX)
        return 0;
    block[0] = outer[0] + 1;
    return fill_stack(block) + block[0];
}

static void
free_twice(void)
{
    void *object = kmem_allocate(OBJECT_BYTES);

    kmem_free(object);
    kmem_free(object);
}

static void
provoke(void)
{
    volatile u32 depth = 0;

    switch (bug) {
    case BUG_NULL: follow_null(); break;
    case BUG_STACK: fill_stack(&depth); break;
    case BUG_ASSERT: assert(bug == BUG_NONE); break;
    case BUG_FREE: free_twice(); break;
    }
}

static void
provoke_in_program(void)
{
    static u32 waited;

    if (cpu()->interrupted_user || ++waited > PATIENCE_TICKS)
        provoke();
}

void
bug_start(void)
{
    if (bug == BUG_NONE)
        return;
    /* Tests run without any program. */
    if (selftest_wanted())
        provoke();
    timer_on_tick(provoke_in_program);
}
