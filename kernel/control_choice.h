/*
 * The choice of load control: given what each process needs and how many frames there are, who is to be suspended or
 * resumed, if anybody. Nothing but arithmetic, so that it can be tested by itself; control.c finds out and acts.
 *
 *     needed frames of the active ones:  |---A---|--B--|-----C-----|
 *     frames there are:                  |----------------|
 *                                                         └─> too many: one is suspended
 *
 * The one that has run for longest since it was last resumed is suspended, so that all take turns. The one that has
 * been suspended for longest is resumed as soon as its pages fit. When it has waited for the time of patience, and
 * nobody has been resumed for that long, it is its turn: the others are suspended one after the other until it fits, or
 * until only one is left, beside which it is resumed all the same. So of n suspended ones each waits n times that long
 * at most, and a period for each choice, however much the others need.
 */
#pragma once

#include "kernel/types.h"

/* A process, or several with one address space. */
struct control_unit {
    u32 needed;                                /* frames that it needs; while suspended, those it needed before */
    u32 since;                                 /* milliseconds: when it was suspended, resumed or born */
    bool suspended;
    bool active;                               /* not suspended, and has run or wants to since the last look */
    bool may_be_suspended;
};

struct control_situation {
    const struct control_unit *units;
    u32 count;
    u32 frames;                                /* there are for all of them */
    u32 now, patience;                         /* milliseconds */
    u32 last_resume;                           /* when somebody was last resumed */
};

enum control_action {
    CONTROL_NOTHING,
    CONTROL_SUSPEND,                           /* the active ones need more than there is */
    CONTROL_SUSPEND_FOR_TURN,                  /* to make room for one whose turn it is */
    CONTROL_RESUME,                            /* it fits beside the active ones, or there are none */
    CONTROL_RESUME_FOR_TURN,                   /* it does not fit, but there is only one other */
};

/* What to do, and to which unit. */
struct control_choice {
    enum control_action action;
    u32 unit;                                  /* index; meaningless with CONTROL_NOTHING */
    u32 needed;                                /* by the active ones together */
    u32 active;                                /* how many these are */
};

/* The last active one is never suspended, and nobody is while all fit. */
struct control_choice control_choose(const struct control_situation *situation);
