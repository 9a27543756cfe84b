/*
 * Floating-point and SSE state belongs to a process: it survives switches to
 * others that use it too, fork, and signal handlers that use it; exec starts with
 * a fresh one; and an unmasked exception is a SIGFPE.
 */
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"

enum {
    PROCESSES = 4,
    TURNS = 200,          /* of each of them */
    REGISTERS = 8,        /* xmm0 to xmm7 */
    WORDS = 4,            /* in each */
};

static bool
sse_present(void)
{
    unsigned a, b, c, d;
    /* Before CPUID there was no SSE; the i686 that these programs are compiled for has it. */
    __asm__ volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(1));
    return d & (1 << 25);
}

/* Fills all SSE registers with words made from `seed`, lets `between` happen, and looks whether they are the same. */
static bool
vector_kept(uint32_t seed, void (*between)(void))
{
    uint32_t before[REGISTERS][WORDS], after[REGISTERS][WORDS];

    for (int i = 0; i < REGISTERS; i++)
        for (int j = 0; j < WORDS; j++)
            before[i][j] = seed * 2654435761U + i * WORDS + j;
    __asm__ volatile("movups (%0), %%xmm0; movups 16(%0), %%xmm1; movups 32(%0), %%xmm2; movups 48(%0), %%xmm3\n"
                     "movups 64(%0), %%xmm4; movups 80(%0), %%xmm5; movups 96(%0), %%xmm6; movups 112(%0), %%xmm7"
                     :: "r"(before) : "memory");
    between();
    __asm__ volatile("movups %%xmm0, (%0); movups %%xmm1, 16(%0); movups %%xmm2, 32(%0); movups %%xmm3, 48(%0)\n"
                     "movups %%xmm4, 64(%0); movups %%xmm5, 80(%0); movups %%xmm6, 96(%0); movups %%xmm7, 112(%0)"
                     :: "r"(after) : "memory");
    return memcmp(before, after, sizeof before) == 0;
}

/* Leaves three numbers on the x87 stack meanwhile, and looks at them afterwards. */
static bool
stack_kept(int seed, void (*between)(void))
{
    double values[] = { seed, seed + 0.5, seed * 3.0 }, after[3];

    __asm__ volatile("fldl %0; fldl %1; fldl %2" :: "m"(values[0]), "m"(values[1]), "m"(values[2]));
    between();
    __asm__ volatile("fstpl %2; fstpl %1; fstpl %0" : "=m"(after[0]), "=m"(after[1]), "=m"(after[2]));
    return memcmp(values, after, sizeof values) == 0;
}

/* Both kinds of state at once, or what of it there is. */
static bool has_sse;
static uint32_t current_seed;
static void (*current_between)(void);
static bool inner_kept;

static void
vector_around(void)
{
    if (has_sse)
        inner_kept = vector_kept(current_seed, current_between);
    else
        current_between();
}

static bool
state_kept(uint32_t seed, void (*between)(void))
{
    current_seed = seed;
    current_between = between;
    inner_kept = true;
    return stack_kept(seed, vector_around) && inner_kept;
}

static void
others_run(void)
{
    sched_yield();
}

static void
time_pass(void)
{
    for (volatile int i = 0; i < 100000; i++)
        ;
}

static void
switch_check(void)
{
    pid_t children[PROCESSES];
    bool kept = true;

    for (int i = 0; i < PROCESSES; i++) {
        children[i] = check_fork();
        if (children[i] != 0)
            continue;
        for (int turn = 0; turn < TURNS; turn++)
            kept &= state_kept(i * TURNS + turn, turn % 10 == 0 ? time_pass : others_run);
        _exit(!kept);
    }
    for (int i = 0; i < PROCESSES; i++)
        kept &= check_wait(children[i]) == 0;
    check_that(kept, "the state survives switches among %d processes", PROCESSES);
}

static volatile double product = 1;

static void
state_overwrite(int signal)
{
    double values[] = { 7, 8, 9, 10, 11 };
    (void) signal;
    for (int i = 0; i < 5; i++)
        product *= values[i];
    if (has_sse)
        __asm__ volatile("pcmpeqd %%xmm0, %%xmm0; movaps %%xmm0, %%xmm1; movaps %%xmm0, %%xmm7" ::: "memory");
}

static void
signal_arrive(void)
{
    raise(SIGUSR1);
}

static pid_t forked;

static void
fork_now(void)
{
    forked = check_fork();
}

static void
fork_check(void)
{
    bool kept = state_kept(77, fork_now);
    if (forked == 0)
        _exit(!kept);
    check_that(kept, "the state survives fork in the parent");
    check_that(check_wait(forked) == 0, "the child has it too");
}

/* The control words are part of the state. */
static void
control_check(void)
{
    uint16_t control, changed = 0x0e7f, after;

    __asm__ volatile("fnstcw %0" : "=m"(control));
    check_that(control == 0x37f, "a program starts with the control word 0x37f");
    __asm__ volatile("fldcw %0" :: "m"(changed));
    sched_yield();
    fork_now();
    __asm__ volatile("fnstcw %0" : "=m"(after));
    if (forked == 0)
        _exit(after != changed);
    check_that(after == changed && check_wait(forked) == 0, "the control word survives, and is inherited");
    __asm__ volatile("fldcw %0" :: "m"(control));
}

static volatile uint16_t control_in_handler;

static void
control_note(int signal)
{
    uint16_t control;

    (void) signal;
    __asm__ volatile("fnstcw %0" : "=m"(control));
    control_in_handler = control;
}

/* As on Linux a handler finds what a new program finds, whatever it interrupted. */
static void
handler_check(void)
{
    uint16_t control, changed = 0x0e7f, after;

    signal(SIGUSR2, control_note);
    __asm__ volatile("fnstcw %0" : "=m"(control));
    __asm__ volatile("fldcw %0" :: "m"(changed));
    raise(SIGUSR2);
    __asm__ volatile("fnstcw %0" : "=m"(after));
    __asm__ volatile("fldcw %0" :: "m"(control));
    check_that(control_in_handler == 0x37f, "a handler starts with a clean state");
    check_that(after == changed, "and leaves the interrupted one as it was");
}

static sigjmp_buf excepted;
static siginfo_t seen;

static void
exception_note(int signal, siginfo_t *information, void *context)
{
    (void) context;
    seen = *information;
    siglongjmp(excepted, signal);
}

static void
x87_divide(void)
{
    static const double zero = 0;
    static const uint16_t unmasked = 0x37b;
    __asm__ volatile("fninit; fldcw %0; fld1; fldl %1; fdivrp; fwait" :: "m"(unmasked), "m"(zero));
}

static void
sse_divide(void)
{
    static const float zero = 0, one = 1;
    static const uint32_t unmasked = 0x1d80;
    __asm__ volatile("ldmxcsr %0; movss %1, %%xmm0; divss %2, %%xmm0" :: "m"(unmasked), "m"(one), "m"(zero));
}

/* What each exception is called, with only that one unmasked: the bit in the control word is the one in the status word. */
static const struct { const char *what; unsigned bit; double first, second; int code; } exceptions[] = {
    { "an invalid operation", 1, 0, 0, FPE_FLTINV },      { "division by zero", 4, 1, 0, FPE_FLTDIV },
    { "an overflow", 8, 1e300, 1e-300, FPE_FLTOVF },     { "an underflow", 16, 1e-300, 1e300, FPE_FLTUND },
    { "an inexact result", 32, 1, 3, FPE_FLTRES },
};

/* The quotient goes to memory, which has less room than a register. */
static void
codes_check(void)
{
    sigaction(SIGFPE, &(struct sigaction) { .sa_sigaction = exception_note, .sa_flags = SA_SIGINFO }, NULL);
    for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++) {
        double quotient;
        uint16_t control = 0x37f & ~exceptions[i].bit;

        memset(&seen, 0, sizeof seen);
        if (sigsetjmp(excepted, 1) == 0)
            __asm__ volatile("fninit; fldcw %1; fldl %2; fldl %3; fdivrp; fstpl %0; fwait"
                             : "=m"(quotient) : "m"(control), "m"(exceptions[i].first), "m"(exceptions[i].second));
        check_that(seen.si_signo == SIGFPE && seen.si_code == exceptions[i].code, "%s, unmasked", exceptions[i].what);
        __asm__ volatile("fninit");
    }
}

static void
exception_check(const char *what, void (*divide)(void))
{
    struct sigaction action = { .sa_sigaction = exception_note, .sa_flags = SA_SIGINFO };

    memset(&seen, 0, sizeof seen);
    sigaction(SIGFPE, &action, NULL);
    if (sigsetjmp(excepted, 1) == 0)
        divide();
    if (seen.si_signo == 0 && divide == sse_divide)
        check_skip("SSE division by zero: this processor does not notice"); /* so it is with QEMU's TCG */
    else
        check_that(seen.si_signo == SIGFPE && seen.si_code == FPE_FLTDIV,
                   "%s by zero, unmasked: SIGFPE, FPE_FLTDIV", what);
    __asm__ volatile("fninit");
    if (has_sse) {
        static const uint32_t masked = 0x1f80;
        __asm__ volatile("ldmxcsr %0" :: "m"(masked));
    }
}

int
main(void)
{
    has_sse = sse_present();
    check_note("SSE is %s", has_sse ? "there" : "not there");
    control_check();
    handler_check();
    signal(SIGUSR1, state_overwrite);
    check_that(state_kept(5, others_run), "the state survives a system call");
    check_that(state_kept(6, signal_arrive), "the state survives a handler that uses it");
    fork_check();
    switch_check();
    codes_check();
    exception_check("x87 division", x87_divide);
    if (has_sse)
        exception_check("SSE division", sse_divide);
    else
        check_skip("SSE division by zero");
    return check_end();
}
