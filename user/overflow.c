/*
 * The stack grows, then ends: each page that a recursion reaches is added to the
 * stack's region by a fault, until the limit (RLIMIT_STACK). The next fault is
 * SIGSEGV, and its handler needs a stack of its own to run on.
 *
 *     high   main
 *              |  recursion: one page after another
 *              v
 *            ---- limit ----
 *     low    nothing mapped: SIGSEGV
 */
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "user/lib/story.h"

enum {
    LIMIT = 1 << 20,                /* bytes of stack allowed */
    SLACK = 128 << 10,              /* of them, what arguments and environment and the steps of growth may take */
    FRAME = 1024,                   /* bytes that each call of the recursion puts on the stack */
    HANDLER_STACK = 4 * PAGE_SIZE,
};

static sigjmp_buf overflowed;
static siginfo_t overflow;          /* what the kernel said */
static volatile uintptr_t deepest;  /* the lowest stack address that was written */
static volatile uintptr_t handler_frame;
static char handler_stack[HANDLER_STACK];

static void
overflow_note(int signal, siginfo_t *information, void *context)
{
    char here;

    (void) context;
    overflow = *information;
    handler_frame = (uintptr_t) &here;
    siglongjmp(overflowed, signal);
}

/* Goes down as long as there is stack. Not a tail call: each level's array is read again after the next. */
__attribute__((noinline)) static unsigned
stack_descend(unsigned depth)
{
    volatile char array[FRAME];

    array[0] = depth;
    deepest = (uintptr_t) array;
    return depth == UINT_MAX ? 0 : stack_descend(depth + 1) + array[0];
}

static void
handler_set(void)
{
    stack_t stack = { .ss_sp = handler_stack, .ss_size = sizeof handler_stack };
    struct sigaction action = { .sa_sigaction = overflow_note, .sa_flags = SA_SIGINFO | SA_ONSTACK };

    expect(sigaltstack(&stack, NULL) == 0 && sigaction(SIGSEGV, &action, NULL) == 0,
           "the handler has a stack of its own");
}

int
main(void)
{
    struct rlimit limit;
    char here;

    story_begin("overflow", "The stack grows by page faults, then ends at its limit. The program survives, for its "
                "handler runs on another stack.");
    getrlimit(RLIMIT_STACK, &limit);
    limit.rlim_cur = LIMIT;
    expect(setrlimit(RLIMIT_STACK, &limit) == 0, "the stack may have %d KiB", LIMIT >> 10);
    handler_set();

    story_tell("Recursion without end, %d bytes a call:", FRAME);
    story_count();
    if (sigsetjmp(overflowed, true) == 0)
        stack_descend(0);
    story_counted();

    long used = (uintptr_t) &here - deepest;
    expect(overflow.si_signo == SIGSEGV, "the end of the stack is a SIGSEGV");
    expect(handler_frame - (uintptr_t) handler_stack < sizeof handler_stack, "the handler ran on its own stack");
    expect(used > LIMIT - SLACK && used <= LIMIT + SLACK, "the stack had grown to %ld KiB of %d", used >> 10,
           LIMIT >> 10);
    expect((uintptr_t) overflow.si_addr <= deepest && deepest - (uintptr_t) overflow.si_addr <= 2 * PAGE_SIZE,
           "the fault was right below the deepest frame");
    expect_counter("fault_stack_growth", 1, NO_LIMIT, "the kernel extended the stack on the way");
    expect_counter("fault_zero_fill", (LIMIT - SLACK) / PAGE_SIZE, NO_LIMIT, "each of its pages was zero-filled");
    return story_end();
}
