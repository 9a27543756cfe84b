/*
 * Things to be done at a time: sleeps with a deadline and interval timers. Alarms are kept in order of their
 * deadlines and looked at on each clock tick, so that one goes off at the first tick that is not before its
 * deadline: late by less than a tick, never early. While the processor is idle they are looked at all the time, and go
 * off at the very moment: a transfer of a disk takes what it takes.
 */
#pragma once

#include <bsd/sys/queue.h>

#include "kernel/types.h"

struct alarm {
    u64 deadline;                              /* in timer_nanoseconds(); changed only by alarm_set */
    void (*expire)(struct alarm *alarm);       /* from alarm_tick; may set it again */
    bool armed;                                /* owned by alarm.c */
    TAILQ_ENTRY(alarm) link;
};

/*
 * Arm it for the deadline (again, if it is armed). From anywhere; expire must be filled in. Never fails, never
 * sleeps.
 */
void alarm_set(struct alarm *alarm, u64 deadline);

/* Disarm it; does nothing if it is not armed. From anywhere. */
void alarm_cancel(struct alarm *alarm);

/*
 * Let everything go off whose time has come. Called on each tick, and where somebody has time to look in between, with
 * interrupts disabled.
 */
void alarm_tick(u64 now);

/* Whether one goes off before that time. With interrupts disabled. */
bool alarm_before(u64 time);
