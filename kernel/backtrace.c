/*
 * Backtraces without frame pointers, which would cost every call three instructions.
 *
 * The stack is read upward. A word that points behind a call instruction may be a return address, or be left over from
 * an earlier call. It is taken for the next step of the trail if that call leads to the function found last, or to one
 * that jumps there at its end; if there is none, if the call leads to where only a register knew. Where no such word is
 * left, all that may be return addresses are shown, marked "?". Where a trap's entry is found, the trail goes on with
 * what it interrupted.
 */
#include "kernel/backtrace.h"

#include "boot/layout.h"
#include "kernel/lib/string.h"
#include "kernel/log.h"
#include "kernel/symbols.h"
#include "kernel/x86/segments.h"
#include "kernel/x86/trap.h"

#define STACK_BYTES_MAX 8192
#define LINES_MAX 40

/* call rel32; jmp rel32 and jcc rel32; call r/m32, which is FF with 2 in the middle of its second byte. */
#define OPCODE_CALL 0xe8
#define OPCODE_JUMP 0xe9
#define OPCODE_CONDITION_MASK 0xf0
#define OPCODE_CONDITION 0x80
#define CALL_BYTES 5
#define DISTANCE_BYTES 4
#define OPCODE_INDIRECT 0xff
#define OPERATION_MASK 0x38
#define OPERATION_CALL 0x10
#define INDIRECT_BYTES_MIN 2
#define INDIRECT_BYTES_MAX 7

/* Where the trail has come to. */
struct trail {
    u32 at;       /* next word of the stack to look at */
    u32 end;      /* where the stack ends */
    u32 function; /* first address of the function found last */
    u32 lines;
    u32 last;     /* address of the line shown last */
    u32 repeats;  /* how often it has been found again since: recursion */
};

static bool
in_text(u32 address)
{
    return address >= (u32)kernel_text_start && address < (u32)kernel_text_end;
}

/* Where a relative call or jump leads whose last four bytes end at `end`. */
static u32
relative_target(u32 end)
{
    u32 distance;

    memcpy(&distance, (const void *)(end - DISTANCE_BYTES), sizeof(distance));
    return end + distance;
}

/* Whether a call stands before `address`; *target is what it calls, or 0 if only a register knew. */
static bool
find_call(u32 address, u32 *target)
{
    const u8 *end = (const u8 *)address;

    if (!in_text(address - 1) || !in_text(address - INDIRECT_BYTES_MAX))
        return false;
    *target = relative_target(address);
    if (end[-CALL_BYTES] == OPCODE_CALL && in_text(*target))
        return true;
    *target = 0;
    for (int length = INDIRECT_BYTES_MIN; length <= INDIRECT_BYTES_MAX; length++) {
        if (end[-length] == OPCODE_INDIRECT && (end[1 - length] & OPERATION_MASK) == OPERATION_CALL)
            return true;
    }
    return false;
}

static u32
function_of(u32 address)
{
    u32 offset;
    const struct kernel_symbol *symbol = symbol_find(address, &offset);

    return symbol != NULL ? symbol->address : 0;
}

/* Whether the function at `from` has a jump to the one at `to`: a call at its end, or its unlikely part. */
static bool
jumps_to(u32 from, u32 to)
{
    for (u32 at = from + DISTANCE_BYTES + 1; in_text(at) && function_of(at - 1) == from; at++) {
        u8 opcode = *(const u8 *)(at - DISTANCE_BYTES - 1);
        bool is_jump = opcode == OPCODE_JUMP || (opcode & OPCODE_CONDITION_MASK) == OPCODE_CONDITION;

        if (is_jump && relative_target(at) == to)
            return true;
    }
    return false;
}

static void
show_repeats(struct trail *trail)
{
    if (trail->repeats > 0)
        log_report("  the same %u times more", trail->repeats);
    trail->repeats = 0;
}

/*
 * One line, unless it is the last one again. The name is looked up a byte earlier for return addresses: behind a call
 * that never returns another function may begin.
 */
static void
show_line(struct trail *trail, u32 address, bool after_call, bool certain)
{
    u32 offset = 0;
    const struct kernel_symbol *symbol = symbol_find(address - after_call, &offset);

    if (address == trail->last) {
        trail->repeats++;
        return;
    }
    show_repeats(trail);
    trail->last = address;
    if (symbol != NULL)
        log_report("  %08x %s+0x%x%s", address, symbol->name, offset + after_call, certain ? "" : " ?");
    else
        log_report("  %08x", address);
    if (symbol != NULL && certain)
        trail->function = symbol->address;
    trail->lines++;
}

static bool
is_trap_entry(u32 function)
{
    return function == (u32)page_fault_entry || function == (u32)exception_entry || function == (u32)interrupt_entry;
}

/* If the trail has come to an entry, the trap frame behind its return address; otherwise NULL. */
static const struct trap_frame *
find_trap_frame(const struct trail *trail)
{
    const struct trap_frame *frame = (const void *)trail->at;

    if (!is_trap_entry(trail->function) || (u32)&frame->esp > trail->end || frame->vector >= VECTOR_COUNT)
        return NULL;
    return trap_from_user(frame) || frame->cs == SELECTOR_KERNEL_CODE ? frame : NULL;
}

/* Goes on with what a trap interrupted. */
static void
follow_trap(struct trail *trail, const struct trap_frame *frame)
{
    if (trap_from_user(frame)) {
        log_report("  user mode, eip %08x", frame->eip);
        trail->at = trail->end;
        return;
    }
    log_report("  trap %u in the kernel", frame->vector);
    trail->at = (u32)&frame->esp;
    show_line(trail, frame->eip, false, true);
}

/* Where the stack that holds `stack` ends: the boot stack, that of a thread, or at worst at the next page. */
static u32
stack_end(u32 stack)
{
    u32 thread_end = segments_kernel_stack();

    if (stack >= (u32)boot_stack_bottom && stack < (u32)boot_stack_top)
        return (u32)boot_stack_top;
    if (stack < thread_end && thread_end - stack <= STACK_BYTES_MAX)
        return thread_end;
    return (stack | (BOOT_PAGE_BYTES - 1)) + 1;
}

/* Which calls are looked for: to the function found last, by a register, or any. */
enum evidence { DIRECT, INDIRECT, NONE };

static bool
is_evidence(const struct trail *trail, enum evidence evidence, u32 target)
{
    switch (evidence) {
    case DIRECT: return target == trail->function || jumps_to(target, trail->function);
    case INDIRECT: return target == 0;
    default: return true;
    }
}

/* The next word behind such a call, and moves behind it. 0: there is none. */
static u32
next_return_address(struct trail *trail, enum evidence evidence)
{
    for (u32 at = trail->at; at + sizeof(u32) <= trail->end; at += sizeof(u32)) {
        u32 address = *(const u32 *)at;
        u32 target;

        if (find_call(address, &target) && is_evidence(trail, evidence, target)) {
            trail->at = at + sizeof(u32);
            return address;
        }
    }
    return 0;
}

static u32
next_caller(struct trail *trail)
{
    u32 address = next_return_address(trail, DIRECT);

    return address != 0 ? address : next_return_address(trail, INDIRECT);
}

void
backtrace_show(u32 eip, bool after_call, u32 stack)
{
    struct trail trail = {.at = stack, .end = stack_end(stack)};
    u32 address;

    show_line(&trail, eip, after_call, true);
    while (trail.lines < LINES_MAX && (address = next_caller(&trail)) != 0) {
        const struct trap_frame *frame;

        show_line(&trail, address, true, true);
        frame = find_trap_frame(&trail);
        if (frame != NULL)
            follow_trap(&trail, frame);
    }
    while (trail.lines < LINES_MAX && (address = next_return_address(&trail, NONE)) != 0)
        show_line(&trail, address, true, false);
    show_repeats(&trail);
}
