/*
 * Signals: what each does by default, in which order they come, what masks and flags change,
 * what siginfo says, and which calls they interrupt.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/outcome.h"

enum { PAGE = 4096, SIGNALS = 64, ALTERNATE_BYTES = 16384, DELAY_MICROSECONDS = 50000 };

static int raised;              /* by a child that tries one signal */
static char *forbidden;         /* a page without any access */

/* ---- Defaults ------------------------------------------------------------------------------------------------------------ */

static void
raise_it(void)
{
    raise(raised);
}

static void
defaults_show(void)
{
    for (raised = 1; raised <= SIGNALS; raised++)
        if (raised != SIGSTOP && (raised < 32 || raised > 34))      /* 32 to 34 belong to the library */
            outcome_of_child(raise_it, "signal %s", signal_name(raised));
}

/* ---- Order, masks, flags ------------------------------------------------------------------------------------------------- */

static void
note(int signal, siginfo_t *information, void *context)
{
    (void) context;
    tell("  %s, code %d, value %d", signal_name(signal), information->si_code,
         information->si_code == SI_QUEUE ? information->si_value.sival_int : 0);
}

static void
note_nested(int signal, siginfo_t *information, void *context)
{
    static int depth;

    note(signal, information, context);
    if (depth++ == 0) {
        raise(signal);
        raise(SIGUSR2);
        tell("  leaving the first handler");
    }
}

static void
handle(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags };
    sigaction(signal, &action, NULL);
}

static void
queue(int signal, int value)
{
    outcome(sigqueue(getpid(), signal, (union sigval){ .sival_int = value }), "sigqueue %s", signal_name(signal));
}

static void
order_show(void)
{
    sigset_t all, pending;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    for (int signal = 1; signal <= SIGNALS; signal++)
        handle(signal, note, 0);
    queue(SIGRTMIN + 2, 1);
    queue(SIGRTMIN, 2);
    queue(SIGRTMIN + 2, 3);
    queue(SIGUSR2, 4);
    queue(SIGUSR2, 5);
    kill(getpid(), SIGHUP);
    raise(SIGTERM);
    raise(SIGUSR1);
    raise(SIGWINCH);
    sigpending(&pending);
    for (int signal = 1; signal <= SIGNALS; signal++)
        if (sigismember(&pending, signal) == 1)
            tell("pending: %s", signal_name(signal));
    tell("unblocked, they come, the last begun first finished:");
    sigemptyset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
}

static void
nested_show(int flags, const char *what)
{
    tell("a handler raises its own signal and another: %s", what);
    handle(SIGUSR1, note_nested, flags);
    handle(SIGUSR2, note, 0);
    raise(SIGUSR1);
}

static void
nested_plain(void)
{
    nested_show(0, "no flags");
}

static void
nested_nodefer(void)
{
    nested_show(SA_NODEFER, "SA_NODEFER");
}

static void
nested_resethand(void)
{
    nested_show(SA_RESETHAND, "SA_RESETHAND");
}

static void
nested_masked(void)
{
    struct sigaction action = { .sa_sigaction = note_nested, .sa_flags = SA_SIGINFO };

    tell("a handler raises its own signal and another: both in sa_mask");
    sigaddset(&action.sa_mask, SIGUSR2);
    handle(SIGUSR2, note, 0);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
}

/* ---- What siginfo says of a fault ------------------------------------------------------------------------------------------ */

static void
note_fault(int signal, siginfo_t *information, void *context)
{
    long place = (char *) information->si_addr - forbidden;

    (void) context;
    tell("%s, code %d, %s", signal_name(signal), information->si_code,
         place >= 0 && place < PAGE ? "in the forbidden page" : information->si_addr == NULL ? "at 0" : "elsewhere");
    _exit(EXIT_SUCCESS);
}

static void
fault_read(void)
{
    (void) *(volatile char *) forbidden;
}

static void
fault_write(void)
{
    *(volatile char *) forbidden = 1;
}

static void
fault_fetch(void)
{
    ((void (*)(void)) (long) forbidden)();
}

static void
fault_unmapped(void)
{
    munmap(forbidden, PAGE);
    *(volatile char *) forbidden = 1;
}

static void
fault_kernel(void)
{
    *(volatile char *) 0xc0001000 = 1;
}

static void
fault_divide(void)
{
    __asm__ volatile("xor %%edx, %%edx; div %0" : : "r" (0) : "eax", "edx");
}

static void
fault_overflow(void)
{
    __asm__ volatile("div %0" : : "r" (1), "a" (0), "d" (5));
}

static void
fault_illegal(void)
{
    __asm__ volatile("ud2");
}

static void
fault_privileged(void)
{
    __asm__ volatile("cli");
}

static void
fault_breakpoint(void)
{
    __asm__ volatile("int3");
}

static void
fault_interrupt(void)
{
    __asm__ volatile("int $0x21");
}

static void
fault_step(void)
{
    __asm__ volatile("pushfl; orl $0x100, (%esp); popfl; nop");
}

static void
faults_show(void)
{
    static const struct {
        const char *what;
        void (*commit)(void);
    } faults[] = {
        { "read", fault_read }, { "write", fault_write }, { "instruction fetch", fault_fetch }, { "unmapped", fault_unmapped },
        { "kernel memory", fault_kernel }, { "division by zero", fault_divide }, { "division overflow", fault_overflow },
        { "illegal instruction", fault_illegal }, { "privileged instruction", fault_privileged }, { "int3", fault_breakpoint },
        { "software interrupt", fault_interrupt }, { "single step", fault_step },
    };

    for (int signal = 1; signal < 32; signal++)
        if (signal != SIGCHLD)
            handle(signal, note_fault, 0);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        outcome_of_child(faults[i].commit, "%s", faults[i].what);
}

/* ---- Interrupted calls ------------------------------------------------------------------------------------------------------- */

static void
nothing(int signal)
{
    (void) signal;
}

static void
alarm_soon(int flags)
{
    struct sigaction action = { .sa_handler = nothing, .sa_flags = flags };

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &(struct itimerval){ .it_value.tv_usec = DELAY_MICROSECONDS }, NULL);
}

static void
interrupted_show(void)
{
    sigset_t alarm_set, empty;
    siginfo_t information;
    int ends[2];
    char byte;

    sigemptyset(&empty);
    sigemptyset(&alarm_set);
    sigaddset(&alarm_set, SIGALRM);
    pipe(ends);
    alarm_soon(0);
    outcome(read(ends[0], &byte, 1), "read from an empty pipe, interrupted");
    alarm_soon(0);
    outcome(pause(), "pause");
    alarm_soon(SA_RESTART);
    outcome(pause(), "pause, SA_RESTART");
    alarm_soon(SA_RESTART);
    outcome(nanosleep(&(struct timespec){ 100, 0 }, NULL), "nanosleep, SA_RESTART");
    alarm_soon(SA_RESTART);
    outcome(sigsuspend(&empty), "sigsuspend, SA_RESTART");
    sigprocmask(SIG_BLOCK, &alarm_set, NULL);
    alarm_soon(0);
    outcome(sigwaitinfo(&alarm_set, &information) == SIGALRM && information.si_code == SI_KERNEL, "sigwaitinfo");
    outcome(sigtimedwait(&alarm_set, NULL, &(struct timespec){ 0, 1000 }), "sigtimedwait in vain");
    alarm_soon(0);
    outcome(read(ends[0], &byte, 0), "a read of nothing does not wait");
    outcome(sigsuspend(&empty), "sigsuspend takes the pending one");
}

/* ---- The alternate stack, and what is refused -------------------------------------------------------------------------------- */

static char alternate[ALTERNATE_BYTES];

static void
note_stack(int signal)
{
    stack_t stack;
    char here;

    sigaltstack(NULL, &stack);
    tell("  %s on the alternate stack: %d, flags %d", signal_name(signal), &here >= alternate && &here < alternate + sizeof alternate,
         stack.ss_flags);
    outcome(sigaltstack(&(stack_t){ .ss_flags = SS_DISABLE }, NULL), "  changing it meanwhile");
}

static void
stack_show(void)
{
    struct sigaction action = { .sa_handler = note_stack, .sa_flags = SA_ONSTACK };
    stack_t stack = { .ss_sp = alternate, .ss_size = sizeof alternate };

    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    outcome(sigaltstack(&stack, NULL), "sigaltstack");
    raise(SIGUSR1);
    stack.ss_size = 100;
    outcome(sigaltstack(&stack, NULL), "one that is too small");
    stack.ss_flags = 77;
    outcome(sigaltstack(&stack, NULL), "wrong flags");
}

static void
refusals_show(void)
{
    struct sigaction action = { .sa_handler = SIG_IGN };

    outcome(sigaction(SIGKILL, &action, NULL), "ignoring SIGKILL");
    outcome(sigaction(SIGSTOP, &action, NULL), "ignoring SIGSTOP");
    outcome(sigaction(SIGKILL, NULL, &action), "asking for SIGKILL's action");
    outcome(syscall(SYS_rt_sigaction, 65, NULL, NULL, 8), "rt_sigaction of 65");
    outcome(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4), "rt_sigaction with a wrong size");
    outcome(syscall(SYS_rt_sigprocmask, 7, &(long long){ 0 }, NULL, 8), "rt_sigprocmask with a wrong how");
    outcome(syscall(SYS_rt_sigprocmask, 7, NULL, NULL, 8), "rt_sigprocmask with a wrong how, unused");
    outcome(kill(getpid(), 65), "kill with 65");
    outcome(kill(getpid(), 0), "kill with 0");
    outcome(kill(99999, 0), "kill of nobody");
    outcome(syscall(SYS_tgkill, getpid(), 99999, 0), "tgkill of no thread");
    outcome(syscall(SYS_tgkill, -1, getpid(), 0), "tgkill in no process");
    outcome(syscall(SYS_tkill, 0, 0), "tkill of 0");
    outcome(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &(siginfo_t){ .si_code = SI_USER }), "rt_sigqueueinfo that says kill, to itself");
    outcome(syscall(SYS_rt_sigqueueinfo, 1, 0, &(siginfo_t){ .si_code = SI_USER }), "and to another");
    outcome(syscall(SYS_signal, SIGKILL, SIG_IGN), "the old signal call, SIGKILL");
    outcome(alarm(100), "alarm");
    outcome(alarm(0) > 90, "what was left");
}

int
main(void)
{
    forbidden = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    defaults_show();
    outcome_of_child(order_show, "order");
    outcome_of_child(nested_plain, "nested");
    outcome_of_child(nested_nodefer, "nested");
    outcome_of_child(nested_resethand, "nested");
    outcome_of_child(nested_masked, "nested");
    outcome_of_child(faults_show, "faults");
    outcome_of_child(interrupted_show, "interrupted calls");
    outcome_of_child(stack_show, "alternate stack");
    outcome_of_child(refusals_show, "refusals");
    return EXIT_SUCCESS;
}
