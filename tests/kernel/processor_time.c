/* Where the processor's time goes: waiting for a device, idling and working are told apart, and add up. */
#include "kernel/processor_time.h"

#include "drivers/timer.h"
#include "kernel/selftest.h"
#include "kernel/wait.h"

/* Not a whole number of ticks, so that who counts ticks alone is found out. */
#define NAP_NANOSECONDS 13000000u

/* What the host takes before a nap and after it, but for a busy host, which does not take more each time. */
#define SLACK_NANOSECONDS 8000000u
#define ATTEMPTS 20

static struct processor_time before;

static void
begin(void)
{
    before = processor_time_now();
}

static u64
sum(const struct processor_time *time)
{
    return time->user + time->system + time->idle + time->device_wait;
}

SELFTEST(processor_time, adds_up, "user, system, idle and device_wait together are the time since boot")
{
    u64 first = timer_nanoseconds();
    struct processor_time time = processor_time_now();

    check_true(sum(&time) >= first);
    check_true(sum(&time) <= timer_nanoseconds());
}

SELFTEST(processor_time, device_wait, "while all wait for a device the processor's time is device_wait, to the moment")
{
    struct wait_queue queue = {0};
    bool seen = false;

    for (int attempt = 0; attempt < ATTEMPTS && !seen; attempt++) {
        struct processor_time time;
        u64 end;

        begin();
        end = timer_nanoseconds() + NAP_NANOSECONDS;
        while (timer_nanoseconds() < end)
            wait_uninterruptible_timeout(&queue, end);
        time = processor_time_now();
        seen = time.device_wait - before.device_wait > NAP_NANOSECONDS - SLACK_NANOSECONDS;
        check_true(time.idle == before.idle);
        check_equal(processor_time_waiters, 0);
    }
    check_true(seen);
}

SELFTEST(processor_time, idle, "while nobody has anything to do the processor's time is idle")
{
    bool seen = false;

    for (int attempt = 0; attempt < ATTEMPTS && !seen; attempt++) {
        struct processor_time time;

        begin();
        wait_timeout(NULL, timer_nanoseconds() + NAP_NANOSECONDS);
        time = processor_time_now();
        seen = time.idle - before.idle > NAP_NANOSECONDS - SLACK_NANOSECONDS;
        check_true(time.device_wait == before.device_wait);
    }
    check_true(seen);
}

SELFTEST(processor_time, busy, "while a thread runs in the kernel the processor's time is the system's")
{
    struct processor_time time;
    u64 end;

    begin();
    end = timer_nanoseconds() + NAP_NANOSECONDS;
    while (timer_nanoseconds() < end)
        continue;
    time = processor_time_now();
    check_true(time.system - before.system >= NAP_NANOSECONDS);
    check_true(time.idle == before.idle && time.device_wait == before.device_wait);
}
