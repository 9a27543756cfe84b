/* Waiting, waking, taking turns: kernel threads that write down what happens to them. */
#include "kernel/wait.h"

#include "drivers/timer.h"
#include "kernel/alarm.h"
#include "kernel/lib/string.h"
#include "kernel/mutex.h"
#include "kernel/process.h"
#include "kernel/scheduler.h"
#include "kernel/selftest.h"
#include "kernel/thread.h"

#include <asm/errno.h>

#define NAP_NANOSECONDS 30000000u
#define ATTEMPTS 20
#define WORKERS 3
#define ROUNDS 4
#define PATIENCE 1000
#define LOOKS 50000

/* What the threads of the present test do to each other. */
static struct {
    struct wait_queue queue;
    struct mutex mutex;
    bool go;
    u32 started, finished;
    u32 inside, most_inside;
    char log[64];
} scene;

static void
scene_reset(void)
{
    memset(&scene, 0, sizeof(scene));
}

static void
scene_write(char letter)
{
    scene.log[strlen(scene.log)] = letter;
}

/* Gives the threads time until the counter has come so far; false if it does not get there. */
static bool
scene_reaches(const u32 *counter, u32 value)
{
    for (int turn = 0; turn < PATIENCE && *counter < value; turn++)
        scheduler_yield();
    return *counter >= value;
}

static bool
scene_spawn(void (*body)(void), u32 count)
{
    while (count-- > 0) {
        if (thread_spawn_kernel(&process_kernel, body) == NULL)
            return false;
    }
    return true;
}

/* Says who it is by the order of starting, and the same again once it has been woken. */
static void
sleeper(void)
{
    char letter = (char)('a' + scene.started++);

    scene_write(letter);
    wait_sleep(&scene.queue);
    scene_write(letter);
    scene.finished++;
}

SELFTEST(wait, one_is_woken_in_order, "wait_wake_one wakes the one that has waited longest, and nobody else")
{
    scene_reset();
    check_true(scene_spawn(sleeper, WORKERS));
    check_true(scene_reaches(&scene.started, WORKERS));
    for (u32 i = 1; i <= WORKERS; i++) {
        wait_wake_one(&scene.queue);
        check_true(scene_reaches(&scene.finished, i));
        scheduler_yield();
        check_equal(scene.finished, i);
    }
    check_text(scene.log, "abcabc");
}

SELFTEST(wait, all_are_woken, "wait_wake_all wakes everybody, the longest waiter first")
{
    scene_reset();
    check_true(scene_spawn(sleeper, WORKERS));
    check_true(scene_reaches(&scene.started, WORKERS));
    wait_wake_all(&scene.queue);
    check_true(scene_reaches(&scene.finished, WORKERS));
    check_text(scene.log, "abcabc");
}

SELFTEST(wait, early_wake_is_not_lost, "a wake-up between enlisting and falling asleep ends the wait at once")
{
    struct wait_queue first = {0}, second = {0};
    struct wait_entry in_first, in_second;

    wait_enlist(&first, &in_first);
    wait_enlist(&second, &in_second);
    wait_wake_all(&first);
    check_equal(wait_block(WAIT_UNINTERRUPTIBLE, timer_nanoseconds() + NAP_NANOSECONDS), 0);
    check_equal(wait_block(WAIT_UNINTERRUPTIBLE, timer_nanoseconds()), -ETIMEDOUT);
    wait_delist(&in_first);
    wait_delist(&in_second);
    check_true(TAILQ_EMPTY(&first.entries) && TAILQ_EMPTY(&second.entries));
}

SELFTEST(wait, deadline_is_never_early, "a wait with a deadline ends by it, not before, and soon after")
{
    struct wait_queue queue = {0};
    bool soon = false;

    /* A busy host may be late at any time, but not at each. */
    for (int attempt = 0; attempt < ATTEMPTS && !soon; attempt++) {
        u64 deadline = timer_nanoseconds() + NAP_NANOSECONDS;
        u64 now;

        check_equal(wait_uninterruptible_timeout(&queue, deadline), -ETIMEDOUT);
        now = timer_nanoseconds();
        check_true(now >= deadline);
        soon = now < deadline + NAP_NANOSECONDS;
    }
    check_true(soon);
}

static struct alarm alarms[WORKERS];

static void
alarm_ring(struct alarm *alarm)
{
    scene_write((char)('a' + (alarm - alarms)));
    scene.finished++;
}

SELFTEST(wait, alarms_go_off_in_order,
         "alarms go off in the order of their deadlines, each once, and not when cancelled")
{
    struct wait_queue nobody = {0};
    u64 now = timer_nanoseconds();
    u32 interrupts;

    scene_reset();
    memset(alarms, 0, sizeof(alarms));
    for (u32 i = 0; i < WORKERS; i++)
        alarms[i].expire = alarm_ring;
    interrupts = interrupts_save();
    alarm_set(&alarms[0], now + 3 * TIMER_TICK_NANOSECONDS);
    alarm_set(&alarms[1], now + TIMER_TICK_NANOSECONDS);
    alarm_set(&alarms[2], now + 2 * TIMER_TICK_NANOSECONDS);
    alarm_cancel(&alarms[2]);
    interrupts_restore(interrupts);
    wait_uninterruptible_timeout(&nobody, now + 5 * TIMER_TICK_NANOSECONDS);
    check_text(scene.log, "ba");
    check_true(!alarms[0].armed && !alarms[1].armed);
}

/*
 * Called by the idle thread, in the middle between two ticks, it lets the next tick become due but not be handled, and
 * asks to be called at once; then, for a time that only the handling of that tick lets come. Late itself, it tries in
 * vain.
 */
static void
alarm_hold_up_tick(struct alarm *alarm)
{
    u64 now = timer_nanoseconds();

    if (++scene.finished == 1) {
        for (u32 look = 0; look < LOOKS && timer_nanoseconds() < now + TIMER_TICK_NANOSECONDS * 9 / 10; look++)
            continue;
        alarm_set(alarm, now + TIMER_TICK_NANOSECONDS * 8 / 10);
    } else if (scene.finished == 2) {
        alarm_set(alarm, now + TIMER_TICK_NANOSECONDS * 9 / 10);
    }
}

SELFTEST(scheduler, idle_lets_the_clock_tick, "who waits for a moment before the next tick gets there, though a tick is due already")
{
    struct wait_queue nobody = {0};
    u64 now;

    scene_reset();
    memset(alarms, 0, sizeof(alarms));
    alarms[0].expire = alarm_hold_up_tick;
    /* The idle thread must have cleared all frames that it can. */
    wait_uninterruptible_timeout(&nobody, timer_nanoseconds() + 2 * TIMER_TICK_NANOSECONDS);
    cpu_wait_for_interrupt();
    now = timer_nanoseconds();
    alarm_set(&alarms[0], now + TIMER_TICK_NANOSECONDS / 2);
    for (int nap = 0; nap < ATTEMPTS && scene.finished < 3; nap++)
        wait_uninterruptible_timeout(&nobody, timer_nanoseconds() + 5 * TIMER_TICK_NANOSECONDS);
    alarm_cancel(&alarms[0]);
    check_equal(scene.finished, 3);
}

static void
turn_taker(void)
{
    char letter = (char)('a' + scene.started++);

    while (!scene.go)
        scheduler_yield();
    for (int round = 0; round < ROUNDS; round++) {
        scene_write(letter);
        scheduler_yield();
    }
    scene.finished++;
}

SELFTEST(scheduler, round_robin, "threads that yield take turns, in the same order each time")
{
    scene_reset();
    check_true(scene_spawn(turn_taker, WORKERS));
    check_true(scene_reaches(&scene.started, WORKERS));
    scene.go = true;
    check_true(scene_reaches(&scene.finished, WORKERS));
    for (u32 i = WORKERS; i < WORKERS * ROUNDS; i++)
        check_equal(scene.log[i], scene.log[i - WORKERS]);
}

SELFTEST(scheduler, ended_threads_are_freed, "a thread that ends leaves nothing behind in its process")
{
    u32 before = process_kernel.thread_count;

    scene_reset();
    scene.go = true;
    check_true(scene_spawn(turn_taker, WORKERS));
    check_equal(process_kernel.thread_count, before + WORKERS);
    check_true(scene_reaches(&scene.finished, WORKERS));
    scheduler_yield();
    check_equal(process_kernel.thread_count, before);
}

/* Goes through the guarded section, in which it lets the others run. */
static void
guarded_worker(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        mutex_lock(&scene.mutex);
        if (++scene.inside > scene.most_inside)
            scene.most_inside = scene.inside;
        scheduler_yield();
        scene.inside--;
        mutex_unlock(&scene.mutex);
        scheduler_yield();
    }
    scene.finished++;
}

SELFTEST(mutex, one_at_a_time,
         "only one thread is between lock and unlock, however they are switched, and all get through")
{
    scene_reset();
    check_true(scene_spawn(guarded_worker, WORKERS));
    check_true(scene_reaches(&scene.finished, WORKERS));
    check_equal(scene.most_inside, 1);
    check_true(scene.mutex.owner == NULL);
}
