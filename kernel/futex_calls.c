/*
 * The system calls futex and futex_time64, which differ in the width of a timeout's seconds. Locks with priority
 * inheritance are not there: ENOSYS, and the C library says so to who asks for one.
 */
#include "kernel/futex.h"

#include "kernel/process.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <linux/futex.h>

/* One call, decoded. */
struct futex_request {
    u32 address;
    u32 command;                       /* FUTEX_WAIT ... */
    u32 operation;                     /* the command with its flags */
    bool private;
    u32 value;
    u32 second_value;                  /* in the timeout's place */
    u32 second_address;
    u32 third_value;
    u64 deadline;                      /* WAIT_FOREVER: none */
};

/* ---- Waiting ---- */

/* Waits until woken, if the word still holds the value. What a signal makes of it is left to the caller. */
static s32
futex_wait_once(const struct futex_request *request, u32 bits)
{
    struct futex_waiter waiter = {.bits = bits};
    u32 found;
    int result;

    if (bits == 0)
        return -EINVAL;
    result = futex_key_of(request->address, request->private, &waiter.key);
    if (result < 0)
        return result;
    futex_enlist(&waiter);
    result = user_read_word(&found, request->address);
    if (result == 0 && found != request->value)
        result = -EAGAIN;
    if (result == 0)
        result = futex_sleep(&waiter, request->deadline);
    return futex_delist(&waiter) ? 0 : result;
}

/* restart_syscall: what is left of a relative timeout is known by its deadline. */
static s32
futex_wait_again(const struct thread_restart *restart)
{
    const struct futex_request request = {
        .address = restart->futex_address,
        .private = (restart->futex_operation & FUTEX_PRIVATE_FLAG) != 0,
        .value = restart->futex_value,
        .deadline = restart->deadline,
    };
    s32 result = futex_wait_once(&request, FUTEX_BITSET_MATCH_ANY);

    return result == -ERESTARTSYS ? -ERESTART_RESTARTBLOCK : result;
}

/* FUTEX_WAIT, whose timeout is relative. */
static s32
futex_wait(const struct futex_request *request)
{
    s32 result = futex_wait_once(request, FUTEX_BITSET_MATCH_ANY);

    if (result != -ERESTARTSYS || request->deadline == WAIT_FOREVER)
        return result;
    current_thread()->restart = (struct thread_restart){
        .resume = futex_wait_again,
        .deadline = request->deadline,
        .futex_address = request->address,
        .futex_operation = request->operation,
        .futex_value = request->value,
    };
    return -ERESTART_RESTARTBLOCK;
}

/* FUTEX_WAIT_BITSET, whose timeout is absolute: to begin anew is to go on. */
static s32
futex_wait_bits(const struct futex_request *request)
{
    s32 result = futex_wait_once(request, request->third_value);

    return result == -ERESTARTSYS && request->deadline != WAIT_FOREVER ? -ERESTARTNOHAND : result;
}

/* ---- Waking ---- */

/* A count as Linux takes it: one is woken before the count is looked at. */
static u32
futex_count(u32 count)
{
    return (s32)count < 1 ? 1 : count;
}

static s32
futex_wake_bits(const struct futex_request *request, u32 bits)
{
    struct futex_key key;
    int result;

    if (bits == 0)
        return -EINVAL;
    result = futex_key_of(request->address, request->private, &key);
    return result < 0 ? result : (s32)futex_wake(&key, futex_count(request->value), bits);
}

static int
futex_two_keys(const struct futex_request *request, struct futex_key *first, struct futex_key *second)
{
    int result = futex_key_of(request->address, request->private, first);

    return result < 0 ? result : futex_key_of(request->second_address, request->private, second);
}

static s32
futex_move(const struct futex_request *request, bool compare)
{
    struct futex_key from, to;
    u32 found;
    int result;

    if ((s32)request->value < 0 || (s32)request->second_value < 0)
        return -EINVAL;
    if (compare) {
        result = futex_two_keys(request, &from, &to);
        if (result == 0)
            result = user_read_word(&found, request->address);
        if (result == 0 && found != request->third_value)
            result = -EAGAIN;
        if (result < 0)
            return result;
    }
    /* Reading the word may have slept, and what is mapped there may be another's now. */
    result = futex_two_keys(request, &from, &to);
    return result < 0 ? result : (s32)futex_requeue(&from, request->value, &to, request->second_value);
}

/* ---- FUTEX_WAKE_OP ---- */

/* What its third value says: change the second word, and wake there if its old value passes a test. */
struct futex_change {
    u32 operation, comparison;
    s32 operand, compared;
};

/* The lowest 12 bits as a signed number. */
static s32
sign_extend_12(u32 bits)
{
    return (s32)(bits << 20) >> 20;
}

static struct futex_change
futex_change_decode(u32 code)
{
    struct futex_change change = {
        .operation = code >> 28 & 7,
        .comparison = code >> 24 & 15,
        .operand = sign_extend_12(code >> 12),
        .compared = sign_extend_12(code),
    };

    if ((code >> 28 & FUTEX_OP_OPARG_SHIFT) != 0)
        change.operand = (s32)(1u << (change.operand & 31));
    return change;
}

static u32
futex_change_apply(const struct futex_change *change, u32 old)
{
    u32 operand = (u32)change->operand;

    switch (change->operation) {
    case FUTEX_OP_SET:
        return operand;
    case FUTEX_OP_ADD:
        return old + operand;
    case FUTEX_OP_OR:
        return old | operand;
    case FUTEX_OP_ANDN:
        return old & ~operand;
    default:
        return old ^ operand;
    }
}

/* Whether the old value passes the test: 1 or 0, or -ENOSYS. */
static int
futex_change_test(const struct futex_change *change, s32 old)
{
    switch (change->comparison) {
    case FUTEX_OP_CMP_EQ:
        return old == change->compared;
    case FUTEX_OP_CMP_NE:
        return old != change->compared;
    case FUTEX_OP_CMP_LT:
        return old < change->compared;
    case FUTEX_OP_CMP_LE:
        return old <= change->compared;
    case FUTEX_OP_CMP_GT:
        return old > change->compared;
    case FUTEX_OP_CMP_GE:
        return old >= change->compared;
    default:
        return -ENOSYS;
    }
}

/* Changes the word at once: whether its old value passes the test, or -EFAULT, -ENOSYS. */
static int
futex_change_word(const struct futex_change *change, u32 address)
{
    u32 expected, found;

    if (change->operation > FUTEX_OP_XOR)
        return -ENOSYS;
    if (user_read_word(&found, address) < 0)
        return -EFAULT;
    do {
        expected = found;
        if (user_compare_exchange_word(address, expected, futex_change_apply(change, expected), &found) < 0)
            return -EFAULT;
    } while (found != expected);
    return futex_change_test(change, (s32)found);
}

static s32
futex_wake_and_change(const struct futex_request *request)
{
    struct futex_change change = futex_change_decode(request->third_value);
    struct futex_key first, second;
    int passes, result = futex_two_keys(request, &first, &second);
    u32 woken;

    if (result < 0)
        return result;
    passes = futex_change_word(&change, request->second_address);
    if (passes < 0)
        return passes;
    result = futex_two_keys(request, &first, &second);
    if (result < 0)
        return result;
    woken = futex_wake(&first, futex_count(request->value), FUTEX_BITSET_MATCH_ANY);
    if (passes)
        woken += futex_wake(&second, futex_count(request->second_value), FUTEX_BITSET_MATCH_ANY);
    return (s32)woken;
}

/* ---- The calls ---- */

static bool
futex_has_timeout(u32 command)
{
    return command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET;
}

/* The deadline of a timeout at a user address: relative to now for FUTEX_WAIT, else the time of one of two clocks. */
static int
futex_read_deadline(u32 command, bool wall_clock, u32 timeout, time_reader read, u64 *deadline)
{
    u64 ahead = wall_clock ? time_since_epoch() - timer_nanoseconds() : 0;
    u64 time;
    int result = read(timeout, &time);

    if (result < 0)
        return result;
    if (command == FUTEX_WAIT)
        *deadline = time_deadline(time);
    else
        *deadline = time > ahead ? time - ahead : 0;
    return 0;
}

static s32
futex_dispatch(const struct futex_request *request)
{
    switch (request->command) {
    case FUTEX_WAIT:
        return futex_wait(request);
    case FUTEX_WAIT_BITSET:
        return futex_wait_bits(request);
    case FUTEX_WAKE:
        return futex_wake_bits(request, FUTEX_BITSET_MATCH_ANY);
    case FUTEX_WAKE_BITSET:
        return futex_wake_bits(request, request->third_value);
    case FUTEX_REQUEUE:
        return futex_move(request, false);
    case FUTEX_CMP_REQUEUE:
        return futex_move(request, true);
    case FUTEX_WAKE_OP:
        return futex_wake_and_change(request);
    default:
        return -ENOSYS;
    }
}

static s32
futex_call(struct futex_request *request, u32 timeout, time_reader read)
{
    bool wall_clock = (request->operation & FUTEX_CLOCK_REALTIME) != 0;
    int result = 0;

    request->command = request->operation & (u32)FUTEX_CMD_MASK;
    request->private = (request->operation & FUTEX_PRIVATE_FLAG) != 0;
    request->second_value = timeout;
    request->deadline = WAIT_FOREVER;
    if (futex_has_timeout(request->command) && timeout != 0)
        result = futex_read_deadline(request->command, wall_clock, timeout, read, &request->deadline);
    if (result < 0)
        return result;
    if (wall_clock && request->command != FUTEX_WAIT_BITSET)
        return -ENOSYS;
    return futex_dispatch(request);
}

s32
sys_futex(u32 address, u32 operation, u32 value, u32 timeout, u32 second_address, u32 third_value)
{
    struct futex_request request = {.address = address, .operation = operation, .value = value,
                                    .second_address = second_address, .third_value = third_value};

    return futex_call(&request, timeout, time_read_old_timespec);
}

s32
sys_futex_time64(u32 address, u32 operation, u32 value, u32 timeout, u32 second_address, u32 third_value)
{
    struct futex_request request = {.address = address, .operation = operation, .value = value,
                                    .second_address = second_address, .third_value = third_value};

    return futex_call(&request, timeout, time_read_timespec);
}
