/*
 * Signals: handlers and their context, masks, pending ones, default actions,
 * interrupted calls, the alternate stack, both kinds of return, and what fork and
 * exec leave of it all.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/ucontext.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/check.h"

enum { NAP_MICROSECONDS = 20000 };

static volatile sig_atomic_t caught, last, depth, deepest;
static volatile uintptr_t handler_frame;
static siginfo_t seen;

static void
signal_note(int signal)
{
    caught++;
    last = signal;
}

static void
signal_note_all(int signal, siginfo_t *information, void *context)
{
    char here;
    (void) context;
    signal_note(signal);
    seen = *information;
    handler_frame = (uintptr_t) &here;
}

static void
handler_set(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags };
    sigaction(signal, &action, NULL);
}

/* As the kernel has it, without a restorer. */
static void
handler_set_bare(int signal, void *handler, unsigned long flags)
{
    struct {
        void *handler;
        unsigned long flags;
        void (*restorer)(void);
        uint64_t mask;
    } action = { .handler = handler, .flags = flags };
    syscall(SYS_rt_sigaction, signal, &action, NULL, sizeof action.mask);
}

static void
return_check(void)
{
    pid_t child;

    caught = 0;
    handler_set_bare(SIGUSR1, signal_note, 0);
    raise(SIGUSR1);
    check_that(caught == 1, "a handler without a restorer returns");
    handler_set_bare(SIGUSR1, signal_note_all, SA_SIGINFO);
    raise(SIGUSR1);
    check_that(caught == 2 && seen.si_signo == SIGUSR1, "with SA_SIGINFO as well");
    child = check_fork();
    if (child == 0) {
        raise(SIGUSR1);
        _exit(caught);
    }
    int status = check_wait(child);
    check_that(WIFEXITED(status) && WEXITSTATUS(status) == 3, "and in a child");
    signal(SIGUSR1, SIG_DFL);
}

static void
signal_mask(int how, int signal)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    sigprocmask(how, &set, NULL);
}

static void
delivery_check(void)
{
    handler_set(SIGUSR1, signal_note_all, 0);
    caught = 0;
    kill(getpid(), SIGUSR1);
    check_that(caught == 1 && last == SIGUSR1, "a signal to oneself is delivered before kill returns");
    check_that(seen.si_signo == SIGUSR1 && seen.si_code == SI_USER && seen.si_pid == getpid(), "it says who sent it");
    raise(SIGUSR1);
    check_that(caught == 2 && seen.si_code == SI_TKILL, "raise says that it was sent to a thread");
    signal(SIGUSR1, signal_note);
    raise(SIGUSR1);
    check_that(caught == 3, "a handler without SA_SIGINFO returns as well");
    signal(SIGUSR1, SIG_IGN);
    raise(SIGUSR1);
    check_that(caught == 3, "an ignored signal is not delivered");
    check_that(kill(getpid(), 0) == 0 && kill(getpid(), 65) == -1 && errno == EINVAL, "signals 0 and 65");
    check_that(kill(0x3ffffff, SIGUSR1) == -1 && errno == ESRCH, "a process that does not exist");
    struct sigaction action = { .sa_handler = signal_note };
    check_that(sigaction(SIGKILL, &action, NULL) == -1 && errno == EINVAL, "SIGKILL cannot be caught");
}

static void
mask_check(void)
{
    sigset_t pending;

    handler_set(SIGUSR2, signal_note_all, 0);
    caught = 0;
    signal_mask(SIG_BLOCK, SIGUSR2);
    raise(SIGUSR2);
    raise(SIGUSR2);
    sigpending(&pending);
    check_that(caught == 0 && sigismember(&pending, SIGUSR2), "a blocked signal is pending");
    signal_mask(SIG_UNBLOCK, SIGUSR2);
    check_that(caught == 1, "it is delivered once when it is unblocked");

    sigset_t none;
    sigemptyset(&none);
    signal_mask(SIG_BLOCK, SIGUSR2);
    raise(SIGUSR2);
    check_that(sigsuspend(&none) == -1 && errno == EINTR && caught == 2, "sigsuspend lets it in");
    sigprocmask(SIG_BLOCK, NULL, &pending);
    check_that(sigismember(&pending, SIGUSR2), "and restores the mask");

    sigset_t only;
    struct timespec moment = { 0, 1000 };
    sigemptyset(&only);
    sigaddset(&only, SIGUSR2);
    raise(SIGUSR2);
    check_that(sigtimedwait(&only, NULL, &moment) == SIGUSR2 && caught == 2, "sigtimedwait takes it without a handler");
    check_that(sigtimedwait(&only, NULL, &moment) == -1 && errno == EAGAIN, "sigtimedwait ends after its time");
    signal_mask(SIG_UNBLOCK, SIGUSR2);
}

/* Raises the same signal from inside its handler. */
static void
signal_nest(int signal, siginfo_t *information, void *context)
{
    (void) information;
    (void) context;
    if (++depth > deepest)
        deepest = depth;
    if (++caught < 3)
        raise(signal);
    depth--;
}

static void
nesting_check(void)
{
    handler_set(SIGUSR1, signal_nest, 0);
    caught = depth = deepest = 0;
    raise(SIGUSR1);
    check_that(caught == 3 && deepest == 1, "a signal waits while its handler runs");
    handler_set(SIGUSR1, signal_nest, SA_NODEFER);
    caught = depth = deepest = 0;
    raise(SIGUSR1);
    check_that(caught == 3 && deepest == 3, "with SA_NODEFER it does not");
    handler_set(SIGUSR1, signal_note_all, SA_RESETHAND);
    raise(SIGUSR1);
    struct sigaction action;
    sigaction(SIGUSR1, NULL, &action);
    check_that(action.sa_handler == SIG_DFL, "with SA_RESETHAND it runs once");
}

static void
registers_change(int signal, siginfo_t *information, void *context)
{
    (void) signal;
    (void) information;
    ((ucontext_t *) context)->uc_mcontext.gregs[REG_EAX] = 42;
}

static void
registers_check(void)
{
    int all_kept, changed;

    handler_set(SIGUSR1, signal_note_all, 0);
    /* kill(getpid(), SIGUSR1) with marked registers, which the handler and its return must leave alone. */
    __asm__ volatile("push %%ebp; mov $0x12345678, %%ebp; mov $0x23456789, %%esi; mov $0x3456789a, %%edi\n"
                     "mov $37, %%eax; int $0x80\n"
                     "cmp $0x12345678, %%ebp; jne 1f; cmp $0x23456789, %%esi; jne 1f; cmp $0x3456789a, %%edi; jne 1f\n"
                     "pop %%ebp; push %%ebp; inc %%eax; 1: pop %%ebp"
                     : "=a"(all_kept) : "b"(getpid()), "c"(SIGUSR1) : "esi", "edi", "memory", "cc");
    check_that(all_kept == 1, "registers survive a handler");
    handler_set(SIGUSR1, registers_change, 0);
    __asm__ volatile("int $0x80" : "=a"(changed) : "a"(37), "b"(getpid()), "c"(SIGUSR1) : "memory");
    check_that(changed == 42, "a handler can change them");
}

static volatile int levels;
static volatile uintptr_t level_frame[2];

/* Sends the signal again from within, `levels` times. */
static void
signal_descend(int signal, siginfo_t *information, void *context)
{
    char here;
    (void) information;
    (void) context;
    level_frame[levels % 2] = (uintptr_t) &here;
    if (levels-- > 0)
        raise(signal);
}

/* On its stack already, a handler goes on where the interrupted one is; and where the stack ends, so does the program. */
static void
nested_stack_check(void)
{
    enum { ROOM = 16384, PAINT = 0x5a, NEVER_ENDING = 1000 };
    unsigned char *memory = check_shared(2 * ROOM);
    stack_t stack = { .ss_sp = memory + ROOM, .ss_size = ROOM };
    bool untouched = true;

    memset(memory, PAINT, ROOM);
    sigaltstack(&stack, NULL);
    handler_set(SIGUSR1, signal_descend, SA_ONSTACK | SA_NODEFER);
    levels = 1;
    raise(SIGUSR1);
    check_that(level_frame[0] < level_frame[1] && level_frame[0] >= (uintptr_t) stack.ss_sp,
               "a handler that interrupts one on the alternate stack lies below it");
    pid_t child = check_fork();
    if (child == 0) {
        levels = NEVER_ENDING;
        raise(SIGUSR1);
        _exit(EXIT_SUCCESS);
    }
    int status = check_wait(child);
    check_that(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "handlers that use the stack up: SIGSEGV");
    for (int i = 0; i < ROOM / 2; i++)
        untouched &= memory[i] == PAINT;
    check_that(untouched, "and nothing is written below it");
    stack = (stack_t) { .ss_flags = SS_DISABLE };
    sigaltstack(&stack, NULL);
}

static volatile sig_atomic_t direction_in_handler;

static void
direction_note(int signal)
{
    unsigned flags;

    (void) signal;
    __asm__ volatile("pushf; pop %0" : "=r"(flags));
    direction_in_handler = flags >> 10 & 1;
}

/* C code relies on the direction flag being clear. */
static void
direction_check(void)
{
    unsigned flags;
    int result;

    signal(SIGUSR1, direction_note);
    direction_in_handler = -1;
    __asm__ volatile("std; int $0x80; pushf; pop %1; cld" : "=a"(result), "=r"(flags)
                     : "a"(SYS_kill), "b"(getpid()), "c"(SIGUSR1) : "memory");
    check_that(result == 0 && direction_in_handler == 0, "a handler starts with the direction flag clear");
    check_that(flags >> 10 & 1, "and the program gets back its own");
}

static void
stack_check(void)
{
    static char memory[16384];
    stack_t stack = { .ss_sp = memory, .ss_size = sizeof memory }, old;

    check_that(sigaltstack(&stack, NULL) == 0, "an alternate stack");
    handler_set(SIGUSR1, signal_note_all, SA_ONSTACK);
    raise(SIGUSR1);
    check_that(handler_frame - (uintptr_t) memory < sizeof memory, "a handler with SA_ONSTACK runs on it");
    handler_set(SIGUSR1, signal_note_all, 0);
    raise(SIGUSR1);
    check_that(handler_frame - (uintptr_t) memory >= sizeof memory, "a handler without does not");
    check_that(sigaltstack(NULL, &old) == 0 && old.ss_sp == memory && old.ss_flags == 0, "it can be asked for");
    stack.ss_size = 16;
    check_that(sigaltstack(&stack, NULL) == -1 && errno == ENOMEM, "a tiny one is refused");
    stack = (stack_t) { .ss_flags = SS_DISABLE };
    check_that(sigaltstack(&stack, NULL) == 0, "it can be given up");
}

/* Sends `signal` to the parent after a nap. */
static pid_t
signal_later(int signal)
{
    pid_t child = check_fork();
    if (child == 0) {
        usleep(NAP_MICROSECONDS);
        kill(getppid(), signal);
        _exit(EXIT_SUCCESS);
    }
    return child;
}

static void
interruption_check(void)
{
    char byte = 0;
    int ends[2];

    pipe(ends);
    handler_set(SIGUSR1, signal_note_all, 0);
    pid_t child = signal_later(SIGUSR1);
    check_that(read(ends[0], &byte, 1) == -1 && errno == EINTR, "a read is interrupted by a handler");
    check_wait(child);

    handler_set(SIGUSR1, signal_note_all, SA_RESTART);
    caught = 0;
    child = check_fork();
    if (child == 0) {
        usleep(NAP_MICROSECONDS);
        kill(getppid(), SIGUSR1);
        usleep(NAP_MICROSECONDS);
        _exit(write(ends[1], "x", 1) != 1);
    }
    check_that(read(ends[0], &byte, 1) == 1 && byte == 'x' && caught == 1, "with SA_RESTART it begins again");
    check_wait(child);

    struct timespec long_time = { 10, 0 }, rest = { 0, 0 };
    child = signal_later(SIGUSR1);
    check_that(nanosleep(&long_time, &rest) == -1 && errno == EINTR && rest.tv_sec >= 9,
               "a nap is interrupted all the same, and says what is left");
    check_wait(child);
    child = signal_later(SIGUSR1);
    check_that(pause() == -1 && errno == EINTR, "pause ends");
    check_wait(child);
    close(ends[0]);
    close(ends[1]);
}

static void
alarm_check(void)
{
    struct itimerval timer = { .it_value = { 0, NAP_MICROSECONDS } };

    handler_set(SIGALRM, signal_note_all, 0);
    caught = 0;
    if (setitimer(ITIMER_REAL, &timer, NULL) == -1 && errno == ENOSYS) {
        check_skip("an alarm");
        return;
    }
    pause();
    check_that(caught == 1 && last == SIGALRM, "an alarm arrives");
}

static void ignore_and_die(void) { signal(SIGTERM, SIG_IGN); raise(SIGTERM); raise(SIGKILL); }
static void default_terminate(void) { signal(SIGTERM, SIG_DFL); raise(SIGTERM); }
static void default_ignore(void) { raise(SIGCHLD); raise(SIGURG); raise(SIGWINCH); raise(SIGCONT); _exit(3); }
static void blocked_fault(void) { signal_mask(SIG_BLOCK, SIGSEGV); *(volatile char *) NULL = 1; }
static void ignored_fault(void) { signal(SIGSEGV, SIG_IGN); *(volatile char *) NULL = 1; }

/* The fault happens again each time the handler returns without repair; the third time it gives up. */
static void
fault_count(int signal, siginfo_t *information, void *context)
{
    signal_note_all(signal, information, context);
    if (caught == 3)
        _exit(caught);
}

static void
repeated_fault(void)
{
    handler_set(SIGSEGV, fault_count, 0);
    caught = 0;
    *(volatile char *) NULL = 1;
}

static void
default_check(void)
{
    int status = check_child(ignore_and_die);
    check_that(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "SIGTERM can be ignored, SIGKILL cannot");
    status = check_child(default_terminate);
    check_that(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "SIGTERM terminates");
    status = check_child(default_ignore);
    check_that(WIFEXITED(status) && WEXITSTATUS(status) == 3, "SIGCHLD, SIGURG, SIGWINCH, SIGCONT do nothing");
    status = check_child(blocked_fault);
    check_that(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "a fault kills even if SIGSEGV is blocked");
    status = check_child(ignored_fault);
    check_that(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "or ignored");
    status = check_child(repeated_fault);
    check_that(WIFEXITED(status) && WEXITSTATUS(status) == 3, "a fault that is not repaired happens again");
}

static void
child_signal_check(void)
{
    handler_set(SIGCHLD, signal_note_all, 0);
    caught = 0;
    pid_t child = check_fork();
    if (child == 0)
        _exit(5);
    check_wait(child);
    check_that(caught == 1 && seen.si_signo == SIGCHLD && seen.si_code == CLD_EXITED && seen.si_pid == child
               && seen.si_status == 5, "SIGCHLD says who exited, and how");
    signal(SIGCHLD, SIG_DFL);
}

int
main(void)
{
    delivery_check();
    return_check();
    mask_check();
    nesting_check();
    registers_check();
    stack_check();
    nested_stack_check();
    direction_check();
    interruption_check();
    alarm_check();
    default_check();
    child_signal_check();
    return check_end();
}
