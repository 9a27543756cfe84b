/* Armed alarms, nearest deadline first. All access with interrupts disabled. */
#include "kernel/alarm.h"

#include "kernel/x86/cpu.h"

static TAILQ_HEAD(, alarm) alarm_queue = TAILQ_HEAD_INITIALIZER(alarm_queue);

void
alarm_cancel(struct alarm *alarm)
{
    u32 interrupts = interrupts_save();

    if (alarm->armed) {
        TAILQ_REMOVE(&alarm_queue, alarm, link);
        alarm->armed = false;
    }
    interrupts_restore(interrupts);
}

void
alarm_set(struct alarm *alarm, u64 deadline)
{
    u32 interrupts = interrupts_save();
    struct alarm *later;

    alarm_cancel(alarm);
    alarm->deadline = deadline;
    alarm->armed = true;
    TAILQ_FOREACH(later, &alarm_queue, link) {
        if (later->deadline > deadline)
            break;
    }
    if (later != NULL)
        TAILQ_INSERT_BEFORE(later, alarm, link);
    else
        TAILQ_INSERT_TAIL(&alarm_queue, alarm, link);
    interrupts_restore(interrupts);
}

void
alarm_tick(u64 now)
{
    struct alarm *alarm;

    while ((alarm = TAILQ_FIRST(&alarm_queue)) != NULL && alarm->deadline <= now) {
        alarm_cancel(alarm);
        alarm->expire(alarm);
    }
}

bool
alarm_before(u64 time)
{
    const struct alarm *first = TAILQ_FIRST(&alarm_queue);

    return first != NULL && first->deadline < time;
}
