/*
 * Linux's signal frames: what a handler finds on its stack, and the two calls that take it down again.
 *
 *     without SA_SIGINFO                     with SA_SIGINFO
 *     +--------------------------+           +--------------------------+
 *     | FPU and SSE registers    |           | FPU and SSE registers    |
 *     +--------------------------+           +--------------------------+
 *     | code for sigreturn (*)   |           | code for rt_sigreturn (*)|
 *     | blocked, upper half      |           | ucontext: stack,         |
 *     | (unused)                 |           |   registers, blocked     |
 *     | sigcontext: registers    |           | siginfo                  |
 *     |                          |           | their two addresses      |
 *     | signal number            |           | signal number            |
 *     | return address           | <- esp -> | return address           |
 *     +--------------------------+           +--------------------------+
 *
 * (*) A mark for debuggers: the return address leads to the program's restorer, or to kernel/x86/signal_return.h.
 *
 * The program may have changed all of it before it comes back. So what comes back is made harmless: flags that
 * are the kernel's keep their value, selectors must be the user's own, and eip must lie in user space.
 */
#include "kernel/lib/string.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/thread.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/signal_fpu.h"
#include "kernel/x86/signal_return.h"
#include "kernel/x86/trap.h"
#include "mm/pmap.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <asm/sigcontext.h>
#include <asm/ucontext.h>

struct signal_frame {
    u32 return_address;
    u32 signal;
    struct sigcontext context;
    struct _fpstate unused;                        /* where Linux once kept the FPU's state */
    u32 blocked_high;
    struct signal_return_code code;
};

struct rt_context {
    struct ucontext user;
    u32 blocked_high;                              /* ucontext's set has room for 32 signals only */
};

struct rt_signal_frame {
    u32 return_address;
    u32 signal;
    u32 info_address;
    u32 context_address;
    siginfo_t info;
    struct rt_context context;
    struct signal_return_code code;
};

/* The part of struct signal_frame before and behind what is unused. */
#define FRAME_HEAD_BYTES offsetof(struct signal_frame, unused)
#define FRAME_TAIL_OFFSET offsetof(struct signal_frame, blocked_high)
#define FRAME_TAIL_BYTES (sizeof(struct signal_frame) - FRAME_TAIL_OFFSET)

/* The ABI wants the stack pointer at a function's entry to be 4 below a multiple of 16. */
#define FRAME_ALIGNMENT 16u

/* What a program can set with popf, and so may set here. */
#define EFLAGS_USER 0x50dd5u                       /* AC RF OF DF TF SF ZF AF PF CF */

/* ---- Going to the handler ---- */

/* What a frame says. */
struct frame_content {
    const struct trap_frame *registers;            /* the program's */
    const struct signal_info *info;
    int signal;
    u32 return_address;                            /* user addresses: what the handler returns to, */
    u32 fpu_address;                               /* where the FPU's registers are */
    signal_set blocked;                            /* before the handler */
};

/* Field by field: a compound literal would be built elsewhere first, and this route is to be short. */
static void
context_fill(struct sigcontext *context, const struct frame_content *content)
{
    const struct trap_frame *frame = content->registers;
    bool is_fault = frame->vector != VECTOR_SYSTEM_CALL;
    bool has_address = content->signal == SIGSEGV || content->signal == SIGBUS;

    context->gs = cpu_read_gs();
    context->fs = cpu_read_fs();
    context->es = (u16)frame->es;
    context->ds = (u16)frame->ds;
    context->__gsh = context->__fsh = context->__esh = context->__dsh = 0;
    context->edi = frame->edi;
    context->esi = frame->esi;
    context->ebp = frame->ebp;
    context->esp = frame->esp;
    context->ebx = frame->ebx;
    context->edx = frame->edx;
    context->ecx = frame->ecx;
    context->eax = frame->eax;
    context->trapno = is_fault ? frame->vector : 0;
    context->err = is_fault ? frame->error : 0;
    context->eip = frame->eip;
    context->cs = (u16)frame->cs;
    context->eflags = frame->eflags;
    context->esp_at_signal = frame->esp;
    context->ss = (u16)frame->ss;
    context->__csh = context->__ssh = 0;
    context->fpstate = (struct _fpstate *)content->fpu_address;
    context->oldmask = (u32)content->blocked;
    context->cr2 = has_address ? (u32)content->info->fields._sigfault._addr : 0;
}


/* Where the frame grows downwards from. */
static u32
frame_stack(const struct trap_frame *frame, const struct signal_action *action)
{
    const struct signal_stack *alternate = &current_thread()->signals.stack;
    bool enabled = (alternate->flags & SS_DISABLE) == 0 && alternate->size != 0;

    if (enabled && (action->flags & SA_ONSTACK) != 0 && !signal_stack_holds(alternate, frame->esp))
        return alternate->address + alternate->size;
    return frame->esp;
}

/* Whether a frame between these would leave the alternate stack that the handler is on. */
static bool
frame_overflows(u32 stack, u32 bottom)
{
    const struct signal_stack *alternate = &current_thread()->signals.stack;
    bool enabled = (alternate->flags & SS_DISABLE) == 0 && alternate->size != 0;

    return bottom > stack
        || (enabled && signal_stack_holds(alternate, stack) && !signal_stack_holds(alternate, bottom));
}

static u32
frame_place(u32 stack, u32 bytes)
{
    return ((stack - bytes + sizeof(u32)) & ~(FRAME_ALIGNMENT - 1)) - sizeof(u32);
}

static int
frame_write(u32 address, const struct frame_content *content)
{
    struct signal_frame image;

    image.return_address = content->return_address;
    image.signal = (u32)content->signal;
    context_fill(&image.context, content);
    image.blocked_high = (u32)(content->blocked >> 32);
    image.code = signal_return_code[false];
    if (user_copy_out(address, &image, FRAME_HEAD_BYTES) < 0)
        return -EFAULT;
    return user_copy_out(address + FRAME_TAIL_OFFSET, &image.blocked_high, FRAME_TAIL_BYTES);
}

static int
frame_write_rt(u32 address, const struct frame_content *content)
{
    const struct signal_stack *stack = &current_thread()->signals.stack;
    struct rt_signal_frame image;

    image.return_address = content->return_address;
    image.signal = (u32)content->signal;
    image.info_address = address + offsetof(struct rt_signal_frame, info);
    image.context_address = address + offsetof(struct rt_signal_frame, context);
    memset(&image.info, 0, sizeof(image.info));
    signal_info_expand(&image.info, content->signal, content->info);
    image.context.user.uc_flags = 0;
    image.context.user.uc_link = NULL;
    image.context.user.uc_stack = (stack_t){(void *)stack->address, (int)stack->flags, stack->size};
    context_fill(&image.context.user.uc_mcontext, content);
    image.context.user.uc_sigmask = (u32)content->blocked;
    image.context.blocked_high = (u32)(content->blocked >> 32);
    image.code = signal_return_code[true];
    return user_copy_out(address, &image, sizeof(image));
}

/* The handler is called as a C function; Linux passes the arguments in registers as well. */
static void
frame_enter_handler(struct trap_frame *frame, u32 address, int signal, const struct signal_action *action)
{
    bool with_info = (action->flags & SA_SIGINFO) != 0;

    frame->eip = action->handler;
    frame->esp = address;
    frame->eax = (u32)signal;
    frame->edx = with_info ? address + offsetof(struct rt_signal_frame, info) : 0;
    frame->ecx = with_info ? address + offsetof(struct rt_signal_frame, context) : 0;
    frame->ds = frame->es = frame->ss = SELECTOR_USER_DATA;
    frame->cs = SELECTOR_USER_CODE;
    frame->eflags &= ~(EFLAGS_DIRECTION | EFLAGS_TRAP | EFLAGS_RESUME);
    frame->error = UINT32_MAX;
}

int
signal_frame_push(struct trap_frame *frame, int signal, const struct signal_info *info,
                  const struct signal_action *action, signal_set blocked_before)
{
    struct signal_thread *signals = &current_thread()->signals;
    bool with_info = (action->flags & SA_SIGINFO) != 0;
    u32 stack = frame_stack(frame, action);
    struct frame_content content = {
        .registers = frame,
        .info = info,
        .signal = signal,
        .return_address = action->restorer,
        .fpu_address = stack,
        .blocked = blocked_before,
    };
    u32 address;
    int result;

    if (action->handler >= user_top() || signal_fpu_push(&content.fpu_address) < 0)
        return -EFAULT;
    address = frame_place(content.fpu_address,
                          with_info ? sizeof(struct rt_signal_frame) : sizeof(struct signal_frame));
    if (frame_overflows(stack, address))
        return -EFAULT;
    if ((action->flags & SA_RESTORER) == 0)
        content.return_address = signal_return_address(with_info);
    if (content.return_address == 0)
        return -EFAULT;
    result = (with_info ? frame_write_rt : frame_write)(address, &content);
    if (result < 0)
        return result;
    if ((signals->stack.flags & SS_AUTODISARM) != 0)
        signals->stack = (struct signal_stack){.flags = SS_DISABLE};
    frame_enter_handler(frame, address, signal, action);
    return 0;
}

/* ---- Coming back ---- */

/* A data selector that user mode may load; anything else becomes the null selector, whose use faults. */
static u32
selector_for_user(u16 selector)
{
    u32 privileged = selector | SELECTOR_PRIVILEGE_MASK;
    u32 index = privileged >> 3;
    bool is_tls = index >= SEGMENT_TLS_FIRST && index < SEGMENT_TLS_FIRST + SEGMENT_TLS_COUNT && (selector & 4) == 0;

    return privileged == SELECTOR_USER_DATA || is_tls ? privileged : 0;
}

/* 0, -EFAULT, or -EINVAL for segments that the processor would refuse to return to. */
static int
context_restore(struct trap_frame *frame, const struct sigcontext *context)
{
    if ((context->cs | SELECTOR_PRIVILEGE_MASK) != SELECTOR_USER_CODE
        || (context->ss | SELECTOR_PRIVILEGE_MASK) != SELECTOR_USER_DATA)
        return -EINVAL;
    if (context->eip >= user_top())
        return -EFAULT;
    if (signal_fpu_pop((u32)context->fpstate) < 0)
        return -EFAULT;
    cpu_load_gs((u16)selector_for_user(context->gs));
    cpu_load_fs((u16)selector_for_user(context->fs));
    frame->ebx = context->ebx;
    frame->ecx = context->ecx;
    frame->edx = context->edx;
    frame->esi = context->esi;
    frame->edi = context->edi;
    frame->ebp = context->ebp;
    frame->eax = context->eax;
    frame->ds = selector_for_user(context->ds);
    frame->es = selector_for_user(context->es);
    frame->error = UINT32_MAX;
    frame->eip = context->eip;
    frame->cs = SELECTOR_USER_CODE;
    frame->eflags = (frame->eflags & ~EFLAGS_USER) | (context->eflags & EFLAGS_USER);
    frame->esp = context->esp;
    frame->ss = SELECTOR_USER_DATA;
    return 0;
}

/* A frame that cannot be used is the program's own fault. The result is what eax shall hold. */
static s32
frame_is_bad(int error)
{
    if (error == -EINVAL)
        signal_fault(SIGILL, ILL_BADSTK, 0);
    else
        signal_fault(SIGSEGV, SI_KERNEL, 0);
    return 0;
}

s32
sys_sigreturn(void)
{
    struct trap_frame *frame = current_thread()->frame;
    u32 address = frame->esp - offsetof(struct signal_frame, context);
    struct sigcontext context;
    u32 blocked_high;
    int error;

    if (user_copy_in(&context, address + offsetof(struct signal_frame, context), sizeof(context)) < 0
        || user_read_word(&blocked_high, address + FRAME_TAIL_OFFSET) < 0)
        return frame_is_bad(-EFAULT);
    signal_set_blocked((u64)blocked_high << 32 | context.oldmask);
    error = context_restore(frame, &context);
    return error < 0 ? frame_is_bad(error) : (s32)frame->eax;
}

s32
sys_rt_sigreturn(void)
{
    struct thread *thread = current_thread();
    struct trap_frame *frame = thread->frame;
    u32 address = frame->esp - offsetof(struct rt_signal_frame, signal);
    struct rt_context context;
    int error;

    if (user_copy_in(&context, address + offsetof(struct rt_signal_frame, context), sizeof(context)) < 0)
        return frame_is_bad(-EFAULT);
    signal_set_blocked((u64)context.blocked_high << 32 | context.user.uc_sigmask);
    error = context_restore(frame, &context.user.uc_mcontext);
    if (error < 0)
        return frame_is_bad(error);
    thread->signals.stack = (struct signal_stack){
        .address = (u32)context.user.uc_stack.ss_sp,
        .flags = (u32)context.user.uc_stack.ss_flags & ~SS_ONSTACK,
        .size = context.user.uc_stack.ss_size,
    };
    return (s32)frame->eax;
}
