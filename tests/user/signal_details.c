/*
 * What handlers rely on without thinking of it: where their frame lies, that segment registers come back, a stack that
 * disarms itself; what a parent is told of its child; timers' old values; and the order and values of queued signals.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/ucontext.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/check.h"

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif

enum { STACK = 16384, ODD = 16, GENEROUS_SECONDS = 20 };

static sigjmp_buf after_trap;

static void
catch(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
    sigaction(signal, &(struct sigaction){ .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags }, NULL);
}

/* ---- The trap ---- */

static volatile long trap_number, trap_error;

static void
note_trap(int signal, siginfo_t *info, void *context)
{
    const greg_t *registers = ((ucontext_t *) context)->uc_mcontext.gregs;

    (void) signal;
    (void) info;
    trap_number = registers[REG_TRAPNO];
    trap_error = registers[REG_ERR];
    siglongjmp(after_trap, 1);
}

/* What a handler finds of the instruction's trap: the processor's number, and its error code. */
#define TRAP_CHECK(text, number, error)                                                                                     \
    do {                                                                                                                    \
        trap_number = trap_error = -1;                                                                                      \
        if (sigsetjmp(after_trap, 1) == 0)                                                                                  \
            __asm__ volatile(text : : : "eax", "ecx", "edx", "memory");                                                     \
        check_that(trap_number == (number) && trap_error == (error), "%s: trap %d, error %#x", text, number, error);        \
    } while (0)

static void
trap_check(void)
{
    const int signals[] = { SIGFPE, SIGTRAP, SIGSEGV, SIGILL };

    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        catch(signals[i], note_trap, 0);
    TRAP_CHECK("xor %%ecx, %%ecx; div %%ecx", 0, 0);
    TRAP_CHECK("int3", 3, 0);
    TRAP_CHECK("mov $0x7f, %%al; add $1, %%al; into", 4, 0);
    TRAP_CHECK("ud2", 6, 0);
    TRAP_CHECK("int $0x20", 13, 0x20 * 8 + 2);
    TRAP_CHECK("xor %%eax, %%eax; mov (%%eax), %%eax", 14, 4);
    TRAP_CHECK("xor %%eax, %%eax; mov %%eax, (%%eax)", 14, 6);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal(signals[i], SIG_DFL);
}

/* A fault cannot wait until its signal is let in. */
static void
fault_blocked(void)
{
    sigset_t set;

    catch(SIGSEGV, note_trap, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGSEGV);
    sigprocmask(SIG_BLOCK, &set, NULL);
    alarm(GENEROUS_SECONDS);
    __asm__ volatile("xor %%eax, %%eax; mov %%eax, (%%eax)" : : : "eax", "memory");
}

static void
blocked_check(void)
{
    int status = check_child(fault_blocked);

    check_that(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "a fault whose signal is blocked ends the process, whatever handler there is");
}

/* ---- The frame ---- */

static volatile uintptr_t frame;
static volatile int count;

static void
note_frame(int signal, siginfo_t *info, void *context)
{
    (void) signal;
    (void) info;
    (void) context;
    frame = (uintptr_t) __builtin_frame_address(0);
    count++;
}

static void
note_frame_plain(int signal)
{
    (void) signal;
    frame = (uintptr_t) __builtin_frame_address(0);
}

/* As after any call: below the arguments lies an address that is a multiple of 16. The frame pointer is 8 below it. */
static bool
is_aligned(void)
{
    return (frame + 8) % 16 == 0;
}

static void
alignment_check(void)
{
    char *memory = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool aligned = true, plain = true;

    for (int odd = 0; odd < ODD; odd++) {
        stack_t stack = { .ss_sp = memory, .ss_size = (size_t) (STACK - odd) };
        sigaltstack(&stack, NULL);
        catch(SIGUSR1, note_frame, SA_ONSTACK);
        raise(SIGUSR1);
        aligned &= is_aligned();
        sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = note_frame_plain, .sa_flags = SA_ONSTACK }, NULL);
        raise(SIGUSR1);
        plain &= is_aligned();
    }
    check_that(aligned, "the stack is aligned for a handler with SA_SIGINFO, whatever it was");
    check_that(plain, "and for one without");
    sigaltstack(&(stack_t){ .ss_flags = SS_DISABLE }, NULL);
    munmap(memory, STACK);
}

static void
drop_gs(int signal, siginfo_t *info, void *context)
{
    (void) signal;
    (void) info;
    (void) context;
    __asm__ volatile("mov %0, %%gs" : : "r"(0));
}

static void
gs_check(void)
{
    unsigned before, after;

    catch(SIGUSR1, drop_gs, 0);
    __asm__ volatile("mov %%gs, %0" : "=r"(before));
    kill(getpid(), SIGUSR1);
    __asm__ volatile("mov %%gs, %0" : "=r"(after));
    check_that(before != 0 && before == after, "gs is what it was before the handler");
}

static stack_t inside;

static void
look_at_stack(int signal, siginfo_t *info, void *context)
{
    note_frame(signal, info, context);
    sigaltstack(NULL, &inside);
}

static void
disarm_check(void)
{
    char *memory = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stack_t stack = { .ss_sp = memory, .ss_size = STACK, .ss_flags = (int) SS_AUTODISARM }, after;

    catch(SIGUSR1, look_at_stack, SA_ONSTACK);
    check_that(sigaltstack(&stack, NULL) == 0, "a stack with SS_AUTODISARM");
    raise(SIGUSR1);
    check_that(frame - (uintptr_t) memory < STACK && inside.ss_flags == SS_DISABLE, "a handler runs on it and finds none");
    sigaltstack(NULL, &after);
    check_that(after.ss_sp == memory && after.ss_flags == (int) SS_AUTODISARM, "afterwards it is there again");
    stack.ss_flags = 0;
    sigaltstack(&stack, NULL);
    raise(SIGUSR1);
    check_that(inside.ss_sp == memory && inside.ss_flags == SS_ONSTACK, "without it the handler finds itself on it");
    sigaltstack(&(stack_t){ .ss_flags = SS_DISABLE }, NULL);
    munmap(memory, STACK);
}

/* ---- What a parent is told ---- */

enum { PATIENCE = 1000 };       /* ms for news to come */

static volatile int told;
static siginfo_t news;

static void
note_news(int signal, siginfo_t *info, void *context)
{
    (void) signal;
    (void) context;
    news = *info;
    told++;
}

/* wait may have its answer before the signal comes. */
static bool
told_of(pid_t child, int code, int status)
{
    for (int i = 0; i < PATIENCE && told == 0; i++)
        usleep(1000);
    return told == 1 && news.si_signo == SIGCHLD && news.si_code == code && news.si_pid == child && news.si_status == status &&
           news.si_uid == getuid();
}

static void
child_check(void)
{
    int status;
    pid_t child;

    catch(SIGCHLD, note_news, SA_RESTART);
    child = check_fork();
    if (child == 0) {
        for (;;)
            pause();
    }
    told = 0;
    kill(child, SIGSTOP);
    waitpid(child, &status, WUNTRACED);
    check_that(told_of(child, CLD_STOPPED, SIGSTOP), "a child that stops: CLD_STOPPED and the signal");
    told = 0;
    kill(child, SIGCONT);
    waitpid(child, &status, WCONTINUED);
    check_that(told_of(child, CLD_CONTINUED, SIGCONT), "that goes on: CLD_CONTINUED");
    catch(SIGCHLD, note_news, SA_RESTART | SA_NOCLDSTOP);
    told = 0;
    kill(child, SIGSTOP);
    check_that(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status), "with SA_NOCLDSTOP it stops");
    kill(child, SIGCONT);
    check_that(waitpid(child, &status, WCONTINUED) == child && told == 0, "and goes on, and there is no SIGCHLD");
    kill(child, SIGKILL);
    check_that(waitpid(child, &status, 0) == child && told_of(child, CLD_KILLED, SIGKILL), "its end is told: CLD_KILLED");
}

static void
no_wait_check(void)
{
    pid_t child;

    catch(SIGCHLD, note_news, SA_RESTART | SA_NOCLDWAIT);
    told = 0;
    child = check_fork();
    if (child == 0)
        _exit(5);
    check_that(waitpid(child, NULL, 0) == -1 && errno == ECHILD, "with SA_NOCLDWAIT there is nothing to wait for: ECHILD");
    check_that(told_of(child, CLD_EXITED, 5), "but SIGCHLD tells how it ended");
    signal(SIGCHLD, SIG_DFL);
}

/* ---- Timers ---- */

static void
timer_check(int which, int signal, const char *name)
{
    struct itimerval long_time = { .it_value = { 100, 0 }, .it_interval = { 7, 0 } }, short_time = { .it_value = { 0, 20000 } }, old, now;

    catch(signal, note_frame, 0);
    count = 0;
    check_that(setitimer(which, &long_time, &old) == 0 && old.it_value.tv_sec == 0 && old.it_value.tv_usec == 0, "%s: there was none", name);
    check_that(getitimer(which, &now) == 0 && now.it_interval.tv_sec == 7 && now.it_value.tv_sec >= 98 && now.it_value.tv_sec <= 100, "%s: getitimer tells what is left, and the interval", name);
    check_that(setitimer(which, &short_time, &old) == 0 && old.it_interval.tv_sec == 7 && old.it_value.tv_sec >= 98 && old.it_value.tv_sec <= 100, "%s: setitimer tells the same of the old one", name);
    while (count == 0)      /* most of the time in user mode, for whose time the kernel looks at each tick */
        for (volatile int i = 0; i < 1000; i++)
            ;
    getitimer(which, &now);
    check_that(count == 1 && now.it_value.tv_sec == 0 && now.it_value.tv_usec == 0, "%s: it goes off once, and is over", name);
}

/* ---- The queue ---- */

static bool
next_is(int signal, int value)
{
    siginfo_t info;
    sigset_t all;

    sigfillset(&all);
    return sigtimedwait(&all, &info, &(struct timespec){ 1, 0 }) == signal && info.si_code == SI_QUEUE && info.si_value.sival_int == value &&
           info.si_pid == getpid() && info.si_uid == getuid();
}

static void
queue_check(void)
{
    int first = SIGRTMIN, second = SIGRTMIN + 1;
    sigset_t set, pending;

    sigemptyset(&set);
    sigaddset(&set, first);
    sigaddset(&set, second);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (int value = 1; value <= 3; value++) {
        sigqueue(getpid(), second, (union sigval){ .sival_int = value + 10 });
        sigqueue(getpid(), first, (union sigval){ .sival_int = value });
        sigqueue(getpid(), SIGUSR2, (union sigval){ .sival_int = value + 20 });
    }
    check_that(next_is(SIGUSR2, 21), "standard signals come first, once, with the first value");
    check_that(next_is(first, 1) && next_is(first, 2) && next_is(first, 3), "then the lower real-time signal, as often as it was sent, in order");
    check_that(next_is(second, 11) && next_is(second, 12), "then the next one");
    sigpending(&pending);
    check_that(sigismember(&pending, second) && !sigismember(&pending, first), "the last of it is still pending");
    check_that(next_is(second, 13) && sigpending(&pending) == 0 && !sigismember(&pending, second), "until it is taken");
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void
flags_check(void)
{
    struct sigaction action = { .sa_handler = SIG_IGN, .sa_flags = SA_RESTART | SA_NODEFER | 0x400 | 0x20 };

    sigaction(SIGUSR2, &action, NULL);
    sigaction(SIGUSR2, NULL, &action);
    check_that((action.sa_flags & ~0x04000000) == (SA_RESTART | SA_NODEFER), "flags that there are not are not kept");
    signal(SIGUSR2, SIG_DFL);
}

static volatile sig_atomic_t second;

static void
second_count(int signal)
{
    (void) signal;
    second++;
}

/* A wait with another mask lets a signal in only where the signal is what ends it. */
static void
wait_mask_check(void)
{
    struct timespec long_time = { 100, 0 };
    struct pollfd ready = { open("/dev/null", O_RDONLY), POLLIN, 0 };
    sigset_t none, blocked;

    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    signal(SIGUSR2, second_count);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    raise(SIGUSR2);
    check_that(ppoll(&ready, 1, &long_time, &none) == 1 && second == 0, "ppoll that need not wait leaves a pending signal blocked");
    check_that(ppoll(NULL, 0, &long_time, &none) == -1 && errno == EINTR && second == 1, "one that has to wait lets it in");
    raise(SIGUSR2);
    check_that(pselect(0, NULL, NULL, NULL, &(struct timespec) { 0, 0 }, &none) == -1 && errno == EINTR && second == 2,
               "and so does one that finds nothing, though it would not wait");
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);
    close(ready.fd);
    signal(SIGUSR2, SIG_DFL);
}

static void
kill_check(void)
{
    check_that(kill(getpid(), 65) == -1 && errno == EINVAL, "what is no signal cannot be sent: EINVAL");
    check_that(kill(0x3fffffff, 65) == -1 && errno == ESRCH, "but to nobody: ESRCH");
}

int
main(void)
{
    trap_check();
    blocked_check();
    alignment_check();
    gs_check();
    disarm_check();
    child_check();
    no_wait_check();
    timer_check(ITIMER_REAL, SIGALRM, "ITIMER_REAL");
    timer_check(ITIMER_VIRTUAL, SIGVTALRM, "ITIMER_VIRTUAL");
    timer_check(ITIMER_PROF, SIGPROF, "ITIMER_PROF");
    queue_check();
    flags_check();
    wait_mask_check();
    kill_check();
    return check_end();
}
