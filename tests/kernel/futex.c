/* Futex queues: who is woken, in which order, and what becomes of those who are moved. The words are never looked at. */
#include "kernel/futex.h"

#include "kernel/process.h"
#include "kernel/scheduler.h"
#include "kernel/selftest.h"
#include "kernel/thread.h"

#include <asm/errno.h>

#include "drivers/timer.h"

#define NAP_NANOSECONDS 30000000u
#define PATIENCE 1000
#define WAITERS 4u

/* Two words in a space that is nobody's, and what the waiting threads report. */
static u8 space;
static struct futex_key first, second;
static u32 asleep, returned, order[WAITERS];

static void
waiter_body(void)
{
    u32 number = asleep++;
    struct futex_waiter waiter = {.key = first, .bits = 1u << number};

    futex_enlist(&waiter);
    futex_sleep(&waiter, WAIT_FOREVER);
    if (futex_delist(&waiter))
        order[returned++] = number;
}

static bool
scene_reaches(const u32 *counter, u32 value)
{
    for (int turn = 0; turn < PATIENCE && *counter < value; turn++)
        scheduler_yield();
    return *counter == value;
}

static bool
scene_start(void)
{
    first = (struct futex_key){.space = &space};
    second = (struct futex_key){.space = &space, .offset = sizeof(u32)};
    asleep = returned = 0;
    for (u32 i = 0; i < WAITERS; i++) {
        if (thread_spawn_kernel(&process_kernel, waiter_body) == NULL)
            return false;
    }
    return scene_reaches(&asleep, WAITERS);
}

SELFTEST(futex, wakes_in_order, "the longest waiter is woken first, and no more than asked for")
{
    check_true(scene_start());
    check_equal(futex_wake(&second, UINT32_MAX, UINT32_MAX), 0);
    check_equal(futex_wake(&first, 1, UINT32_MAX), 1);
    check_true(scene_reaches(&returned, 1));
    check_equal(order[0], 0);
    check_equal(futex_wake(&first, UINT32_MAX, UINT32_MAX), WAITERS - 1);
    check_true(scene_reaches(&returned, WAITERS));
    check_equal(order[WAITERS - 1], WAITERS - 1);
}

SELFTEST(futex, wakes_by_bits, "a waker with other bits passes a waiter by")
{
    check_true(scene_start());
    check_equal(futex_wake(&first, UINT32_MAX, 1u << 2), 1);
    check_true(scene_reaches(&returned, 1));
    check_equal(order[0], 2);
    check_equal(futex_wake(&first, UINT32_MAX, UINT32_MAX), WAITERS - 1);
    check_true(scene_reaches(&returned, WAITERS));
}

SELFTEST(futex, moved_waiters_sleep_on, "who is moved to another word is woken there, and not before")
{
    check_true(scene_start());
    check_equal(futex_requeue(&first, 1, &second, 2), 3);
    check_true(scene_reaches(&returned, 1));
    check_equal(futex_wake(&first, UINT32_MAX, UINT32_MAX), 1);
    check_true(scene_reaches(&returned, 2));
    check_equal(futex_wake(&second, UINT32_MAX, UINT32_MAX), 2);
    check_true(scene_reaches(&returned, WAITERS));
}

SELFTEST(futex, private_words_are_apart, "a private word is not the same word shared")
{
    struct futex_key private = {.space = &space, .private = true};

    check_true(scene_start());
    check_equal(futex_wake(&private, UINT32_MAX, UINT32_MAX), 0);
    check_equal(futex_wake(&first, UINT32_MAX, UINT32_MAX), WAITERS);
    check_true(scene_reaches(&returned, WAITERS));
}

SELFTEST(futex, early_wake_up_is_kept, "a wake-up between enlisting and sleeping is not lost; without one, the time runs out")
{
    struct futex_waiter waiter = {.key = {.space = &space}, .bits = UINT32_MAX};
    u64 deadline;

    futex_enlist(&waiter);
    check_equal(futex_wake(&waiter.key, 1, 1), 1);
    check_equal(futex_sleep(&waiter, WAIT_FOREVER), 0);
    check_true(futex_delist(&waiter));

    futex_enlist(&waiter);
    deadline = timer_nanoseconds() + NAP_NANOSECONDS;
    check_equal(futex_sleep(&waiter, deadline), -ETIMEDOUT);
    check_true(timer_nanoseconds() >= deadline);
    check_true(!futex_delist(&waiter));
    check_equal(futex_wake(&waiter.key, 1, 1), 0);
}
