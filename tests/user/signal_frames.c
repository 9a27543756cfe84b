/*
 * What a handler finds in its frame and may leave there: the frame is the program's, so whatever it holds on return harms nobody but
 * the program, and gives it nothing that it may not have. And what is blocked, and set, after handlers of all kinds.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "user/lib/clone.h"
#include "user/lib/thread.h"

#define KERNEL_ADDRESS 0xfffff000u      /* no program runs there on any kernel */
#define KERNEL_PROGRAM 0xc0100000u
#define EFLAGS_INTERRUPTS (1u << 9)
#define EFLAGS_PRIVILEGE (3u << 12)
#define EFLAGS_CARRY 1u
#define MXCSR_RESERVED 0xffff0000u

enum { PAGE = 4096, HIGH = 50, FAULT_PRESENT = 1, FAULT_USER = 4 };

/* The floating-point state in a frame, after fninit and one push. */
enum {
    FPU_CONTROL = 0x37f, FPU_TOP_SHIFT = 11, FPU_ONE_TAG = 0x3fff, FPU_FXSAVE = 112, FPU_FXSAVE_REGISTERS = 32, FPU_ALIGNMENT = 64,
};

static bool fpu_right, fpu_aligned;

static greg_t *
registers_of(void *context)
{
    return ((ucontext_t *) context)->uc_mcontext.gregs;
}

static void
catch(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
    sigaction(signal, &(struct sigaction) { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags }, NULL);
}

/* ---- What a handler leaves there ---- */

static int changed;
static greg_t value;

static void
change(int signal, siginfo_t *info, void *context)
{
    (void) signal;
    (void) info;
    registers_of(context)[changed] = value;
}

/* How a child ends whose handler changes a register. */
static int
status_with(int which, greg_t to)
{
    pid_t child = check_fork();

    if (child == 0) {
        changed = which;
        value = to;
        catch(SIGUSR1, change, 0);
        kill(getpid(), SIGUSR1);
        _exit(0);
    }
    return check_wait(child);
}

static bool
is_segv(int status)
{
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

/* Where the processor refuses to return, Linux of 64 bits says SIGSEGV and that of 32 bits SIGILL. */
static bool
is_bad_return(int status)
{
    struct utsname name;

    uname(&name);
    return WIFSIGNALED(status) && WTERMSIG(status) == (strcmp(name.machine, "x86_64") == 0 ? SIGSEGV : SIGILL);
}

static void
jump_body(void)
{
    signal(SIGUSR1, (void (*)(int)) KERNEL_ADDRESS);
    kill(getpid(), SIGUSR1);
}

static void
change_flags(int signal, siginfo_t *info, void *context)
{
    (void) signal;
    (void) info;
    registers_of(context)[REG_EFL] |= EFLAGS_PRIVILEGE | EFLAGS_CARRY;
    registers_of(context)[REG_EFL] &= ~(greg_t) EFLAGS_INTERRUPTS;
}

static void
flags_check(void)
{
    unsigned flags;
    int result;

    catch(SIGUSR1, change_flags, 0);
    __asm__ volatile("clc; int $0x80; pushf; pop %1" : "=a"(result), "=r"(flags) : "a"(SYS_kill), "b"(getpid()), "c"(SIGUSR1) : "memory", "cc");
    check_that(flags & EFLAGS_CARRY, "a handler can change the carry flag");
    check_that((flags & EFLAGS_PRIVILEGE) == 0 && (flags & EFLAGS_INTERRUPTS) != 0, "but gets no privileges by others, nor interrupts disabled");
}

/* The image of fxsave lies behind that of fsave, 112 bytes long, and MXCSR 24 bytes into it. */
static void
change_mxcsr(int signal, siginfo_t *info, void *context)
{
    char *state = (char *) ((ucontext_t *) context)->uc_mcontext.fpregs;

    (void) signal;
    (void) info;
    memset(state + FPU_FXSAVE + 24, 0xff, sizeof(unsigned));
}

static void
mxcsr_body(void)
{
    unsigned mxcsr;

    catch(SIGUSR1, change_mxcsr, 0);
    kill(getpid(), SIGUSR1);
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    _exit((mxcsr & MXCSR_RESERVED) != 0);
}

static void
frame_check(void)
{
    check_that(is_segv(status_with(REG_EIP, (greg_t) KERNEL_ADDRESS)), "a handler that returns into the kernel: SIGSEGV");
    check_that(is_bad_return(status_with(REG_CS, 0)), "one without a code segment");
    check_that(is_bad_return(status_with(REG_SS, 0)), "or a stack segment");
    check_that(is_segv(check_child(jump_body)), "a handler in the kernel");
    flags_check();
    int status = check_child(mxcsr_body);
    check_that(status == 0 || is_segv(status), "reserved bits of MXCSR do not come back");
}

static void
survive(int signal)
{
    _exit(signal == SIGSEGV ? 0 : 1);
}

/* The alternate stack is a page that may not be touched. */
static void
homeless_body(void)
{
    char *nothing = mmap(NULL, SIGSTKSZ, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    sigaltstack(&(stack_t) { .ss_sp = nothing, .ss_size = SIGSTKSZ }, NULL);
    sigaction(SIGUSR1, &(struct sigaction) { .sa_handler = survive, .sa_flags = SA_ONSTACK }, NULL);
    kill(getpid(), SIGUSR1);
    _exit(1);
}

static void
told_body(void)
{
    signal(SIGSEGV, survive);
    homeless_body();
}

static void
untold_body(void)
{
    sigaction(SIGSEGV, &(struct sigaction) { .sa_handler = survive, .sa_flags = SA_ONSTACK }, NULL);
    homeless_body();
}

static void
homeless_check(void)
{
    check_that(is_segv(check_child(homeless_body)), "a frame for which the stack has no room: SIGSEGV");
    check_that(check_child(told_body) == 0, "which can be handled on another");
    check_that(is_segv(check_child(untold_body)), "but not on the same");
}

/* ---- What it finds ---- */

static volatile char *touched;

static void
compare_addresses(int signal, siginfo_t *info, void *context)
{
    (void) signal;
    _exit(info->si_addr != touched || (char *) ((ucontext_t *) context)->uc_mcontext.cr2 != touched);
}

static void
touch(volatile char *address, int signal)
{
    touched = address;
    catch(signal, compare_addresses, 0);
    _exit(*touched + 1);
}

static void
bus_body(void)
{
    int file = memfd_create("signal_frames", 0);
    char *memory = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);

    touch(memory + 10, SIGBUS);
}

static void
segv_body(void)
{
    touch((char *) 10, SIGSEGV);
}

static void
compare_error(int signal, siginfo_t *info, void *context)
{
    (void) signal;
    _exit(info->si_code != SEGV_MAPERR || ((ucontext_t *) context)->uc_mcontext.gregs[REG_ERR] != (FAULT_PRESENT | FAULT_USER));
}

/* A page of the kernel's own program, on every kernel that begins at 3 GiB, and one that hardly any has. */
static void
kernel_body(uintptr_t address)
{
    volatile char *secret = (volatile char *) address;

    catch(SIGSEGV, compare_error, 0);
    _exit(*secret + 1);
}

static void kernel_page_body(void) { kernel_body(KERNEL_PROGRAM); }
static void kernel_hole_body(void) { kernel_body(KERNEL_ADDRESS); }

/* What fsave would have stored, and behind it what fxsave did, from an address that fxrstor takes. */
static void
look_at_fpu(int signal, siginfo_t *info, void *context)
{
    static const unsigned char pi[10] = { 0x35, 0xc2, 0x68, 0x21, 0xa2, 0xda, 0x0f, 0xc9, 0x00, 0x40 };
    const struct _fpstate *state = ((ucontext_t *) context)->uc_mcontext.fpregs;

    (void) signal;
    (void) info;
    fpu_right = memcmp(&state->_st[0], pi, sizeof pi) == 0 && (state->cw & 0xffff) == FPU_CONTROL && (state->sw >> FPU_TOP_SHIFT & 7) == 7
        && (state->tag & 0xffff) == FPU_ONE_TAG && (state->status & 0xffff) == (state->sw & 0xffff)
        && memcmp((char *) state + FPU_FXSAVE + FPU_FXSAVE_REGISTERS, pi, sizeof pi) == 0;
    fpu_aligned &= ((uintptr_t) state + FPU_FXSAVE) % FPU_ALIGNMENT == 0;
}

/* With the stack pointer on each multiple of four. */
static void
fpu_check(void)
{
    catch(SIGUSR1, look_at_fpu, 0);
    fpu_aligned = true;
    for (unsigned below = 0; below < FPU_ALIGNMENT; below += 4) {
        int result;
        __asm__ volatile("fninit; fldpi; mov %%esp, %%esi; sub %4, %%esp; int $0x80; mov %%esi, %%esp; fstp %%st(0)"
                         : "=a"(result) : "a"(SYS_kill), "b"(getpid()), "c"(SIGUSR1), "d"(below) : "esi", "memory", "cc");
    }
    check_that(fpu_right, "a handler finds the floating-point registers in both layouts");
    check_that(fpu_aligned, "and the newer one where fxrstor can load it from");
}

/* ---- Which stack ---- */

static volatile uintptr_t handler_stack;

static void
note_stack(int signal, siginfo_t *info, void *context)
{
    (void) signal;
    (void) info;
    handler_stack = (uintptr_t) context;
}

/* Sends a signal with the stack pointer there: where the handler's frame came to lie. */
static uintptr_t
stack_from(char *pointer)
{
    int result;

    __asm__ volatile("mov %%esp, %%esi; mov %4, %%esp; int $0x80; mov %%esi, %%esp"
                     : "=a"(result) : "a"(SYS_kill), "b"(getpid()), "c"(SIGUSR1), "d"(pointer) : "esi", "memory", "cc");
    return handler_stack;
}

/* Two stacks, of which the upper is the alternate one: where the one ends, the other has its lowest address. */
static void
border_check(void)
{
    char *area = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *border = area + 4 * PAGE, *top = area + 8 * PAGE;

    sigaltstack(&(stack_t) { .ss_sp = border, .ss_size = 4 * PAGE }, NULL);
    catch(SIGUSR1, note_stack, SA_ONSTACK);
    check_that(stack_from(border) > (uintptr_t) top - PAGE, "who has pushed nothing on the stack below the alternate one is sent to that");
    check_that(stack_from(border - PAGE) > (uintptr_t) top - PAGE, "and who has");
    uintptr_t inside = stack_from(top - 2 * PAGE);
    check_that(inside < (uintptr_t) top - 2 * PAGE && inside > (uintptr_t) border, "who is on the alternate stack stays where it is");
    sigaltstack(&(stack_t) { .ss_flags = SS_DISABLE }, NULL);
    munmap(area, 8 * PAGE);
}

/* ---- What is blocked and set ---- */

static void
note(int signal)
{
    (void) signal;
}

static bool
is_blocked(int signal)
{
    sigset_t set;

    sigprocmask(SIG_BLOCK, NULL, &set);
    return sigismember(&set, signal);
}

static void
block(int signal)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, signal);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

static void
once_body(void)
{
    kill(getpid(), SIGUSR1);
}

static void
blocked_check(void)
{
    struct sigaction action;

    signal(SIGUSR1, note);
    block(HIGH);
    kill(getpid(), SIGUSR1);
    check_that(is_blocked(HIGH), "a handler without SA_SIGINFO leaves the upper 32 signals blocked");
    sigaction(SIGUSR1, &(struct sigaction) { .sa_handler = note, .sa_flags = SA_RESETHAND }, NULL);
    check_child(once_body);
    sigaction(SIGUSR1, NULL, &action);
    check_that(action.sa_handler == note, "a handler with SA_RESETHAND that ran in a child is there for its parent");
}

/* The child waits with nothing blocked, but for that time only, though it is stopped and goes on meanwhile. */
static void
suspended_check(void)
{
    sigset_t nothing;
    int status;

    sigemptyset(&nothing);
    signal(SIGUSR1, note);
    pid_t child = check_fork();
    if (child == 0) {
        block(SIGUSR1);
        sigsuspend(&nothing);
        _exit(!is_blocked(SIGUSR1));
    }
    thread_nap();
    kill(child, SIGSTOP);
    waitpid(child, &status, WUNTRACED);
    kill(child, SIGCONT);
    thread_nap();
    kill(child, SIGUSR1);
    check_that(check_wait(child) == 0, "what sigsuspend lets in is blocked again, though the process was stopped meanwhile");
}

static volatile bool kept;

/* Not raise(), which sets the mask itself. */
static void
stop_within(int signal)
{
    (void) signal;
    kill(getpid(), SIGSTOP);
    kept = is_blocked(SIGUSR2);
}

/* The mask from before sigsuspend comes back when the handler has ended, and not while it runs. */
static void
stopped_handler_check(void)
{
    struct sigaction action = { .sa_handler = stop_within };
    sigset_t nothing;
    int status;

    sigemptyset(&nothing);
    sigaddset(&action.sa_mask, SIGUSR2);
    pid_t child = check_fork();
    if (child == 0) {
        sigaction(SIGUSR1, &action, NULL);
        block(SIGUSR1);
        kill(getpid(), SIGUSR1);
        sigsuspend(&nothing);
        _exit(!kept);
    }
    waitpid(child, &status, WUNTRACED);
    kill(child, SIGCONT);
    check_that(check_wait(child) == 0, "a handler that sigsuspend lets in has its own mask, though it was stopped meanwhile");
}

static uint64_t thread_blocked;
static volatile pid_t thread_number = 1;

/* The C library's threads set theirs themselves. */
static int
thread_blocks(void *unused)
{
    (void) unused;
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &thread_blocked, sizeof thread_blocked);
    return 0;
}

static void
thread_check(void)
{
    static char stack[4 * PAGE];
    int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_CHILD_CLEARTID;

    clone_bare(thread_blocks, stack + sizeof stack, flags, &thread_number);
    while (thread_number != 0)
        sched_yield();
    check_that(thread_blocked >> (HIGH - 1) & 1, "a thread has its creator's signals blocked");
}

int
main(int count, char **arguments)
{
    stack_t stack;

    if (count > 1) {
        sigaltstack(NULL, &stack);
        return !(stack.ss_flags & SS_DISABLE);
    }
    frame_check();
    homeless_check();
    check_that(check_child(segv_body) == 0, "after SIGSEGV cr2 is the address that was used");
    check_that(check_child(bus_body) == 0, "and after SIGBUS");
    check_that(check_child(kernel_page_body) == 0 && check_child(kernel_hole_body) == 0,
               "whether the kernel has a page at its address is not told");
    fpu_check();
    border_check();
    blocked_check();
    suspended_check();
    stopped_handler_check();
    thread_check();
    pid_t child = check_fork();
    if (child == 0) {
        sigaltstack(&(stack_t) { .ss_sp = malloc(SIGSTKSZ), .ss_size = SIGSTKSZ }, NULL);
        execl(arguments[0], arguments[0], "again", NULL);
    }
    check_that(check_wait(child) == 0, "an alternate stack does not outlive exec");
    return check_end();
}
