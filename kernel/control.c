/*
 * Load control: finding out what each process needs, and acting.
 *
 * The thread of control sleeps while pages are written, so it looks at everything anew each time, and keeps nothing but
 * what aspace->load says.
 */
#include "kernel/control.h"

#include "drivers/timer.h"
#include "kernel/command_line.h"
#include "kernel/control_choice.h"
#include "kernel/lib/divide.h"
#include "kernel/log.h"
#include "kernel/process.h"
#include "kernel/processor_time.h"
#include "kernel/suspension.h"
#include "kernel/wait.h"
#include "mm/aspace.h"
#include "mm/kmem.h"
#include "mm/reclaim.h"
#include "mm/swap.h"

#include <asm/errno.h>

enum { CONTROL_OFF, CONTROL_WORKINGSET, CONTROL_PFF };
static unsigned control_kind = CONTROL_OFF;
BOOT_CHOICE(control, control_kind, "what keeps the number of processes from growing until all thrash",
            "off", "workingset", "pff");

static u32 control_patience = 1000;
BOOT_NUMBER(control_patience, control_patience, 100, 600000,
            "how long control keeps a process suspended before it is its turn again, in milliseconds");

static u32 pff_upper = 500;
BOOT_NUMBER(pff_upper, pff_upper, 1, 1000000,
            "control=pff: above so many faults in a second of its own time a process gets frames");

static u32 pff_lower = 50;
BOOT_NUMBER(pff_lower, pff_lower, 0, 1000000, "control=pff: below so many it gives frames back");

#define MILLISECONDS_PER_SECOND 1000u

/* control=pff: that a process faults seldom shows after so much time of its own. */
#define PFF_MILLISECONDS 20u

static struct wait_queue control_queue;     /* control_apply wakes the thread, which sleeps here */
static bool control_has_thread;
static u32 last_resume;                     /* when anybody was last resumed: milliseconds from boot */

/* Whose unit it is. */
struct control_look {
    struct aspace *aspace;
    const struct process *process;          /* one of those that it belongs to; valid until the next sleep */
};

struct control_view {
    struct control_unit *units;
    struct control_look *looks;             /* in the same order */
    u32 capacity, count;
    u32 frames;
    u32 now;                                /* milliseconds from boot */
};

static u32
milliseconds_now(void)
{
    return (u32)divide_u64(timer_nanoseconds(), NANOSECONDS_PER_MILLISECOND, NULL);
}

/* ---- Looking ---- */

/* Whether a thread runs, or would if it had its page. */
static bool
process_wants_to_run(const struct process *process)
{
    const struct thread *thread;

    TAILQ_FOREACH(thread, &process->threads, process_link) {
        if (thread->state == THREAD_RUNNABLE)
            return true;
        if (thread->state == THREAD_SLEEPING && thread->wait_mode == WAIT_UNINTERRUPTIBLE)
            return true;
    }
    return false;
}

/* The look at an address space that was looked at already in this view, or a new one; NULL if there are too many. */
static struct control_look *
view_find(struct control_view *view, struct aspace *aspace)
{
    for (u32 i = 0; i < view->count; i++) {
        if (view->looks[i].aspace == aspace)
            return &view->looks[i];
    }
    if (view->count == view->capacity)
        return NULL;
    view->units[view->count] = (struct control_unit){
        .suspended = suspension_is_on(aspace),
        .active = aspace->processor_time != aspace->load.processor_time,
        .may_be_suspended = swap_total() > 0 && aspace->trace == NULL,
    };
    view->looks[view->count] = (struct control_look){.aspace = aspace};
    return &view->looks[view->count++];
}

static void
view_add(struct control_view *view, const struct process *process)
{
    struct control_look *look = view_find(view, process->aspace);
    struct control_unit *unit;

    if (look == NULL)
        return;
    unit = &view->units[look - view->looks];
    look->process = process;
    unit->active |= process_wants_to_run(process);
    unit->may_be_suspended &= !process->signals.unkillable && !process->exiting;
}

/* Frames that it has; and if there is no room left, as many again as it took, which is no more than twice as many. */
static u32
frequency_grown(const struct pool *pool, u32 taken)
{
    return pool->frames + (pool_is_full(pool) ? least(taken, pool->frames) : 0);
}

static void
begin_judgement(struct aspace *aspace)
{
    aspace->load.frames_taken = aspace->pool->loads;
    aspace->load.judged = aspace->processor_time;
}

/*
 * control=pff: it took pages since the last judgement. Too fast: it needs all that it has, and more. Slowly, which
 * shows only after some time of its own: it gives back what it has not used lately, and no more, for in a loop that
 * lacks one page every reference can fault. Neither: no judgement yet.
 */
static void
judge_frequency(struct aspace *aspace)
{
    struct aspace_load *load = &aspace->load;
    u32 taken = aspace->pool->loads - load->frames_taken, milliseconds = aspace->processor_time - load->judged;
    u32 grown = frequency_grown(aspace->pool, taken);

    if ((u64)taken * MILLISECONDS_PER_SECOND > (u64)pff_upper * (milliseconds + 1))
        load->needed = grown > load->needed ? grown : load->needed;
    else if (milliseconds < PFF_MILLISECONDS)
        return;
    else if ((u64)taken * MILLISECONDS_PER_SECOND < (u64)pff_lower * milliseconds)
        load->needed = aspace_needed_frames(aspace);
    begin_judgement(aspace);
}

/* What it needs by its fault frequency; it has a pool of its own from now on. */
static void
measure_frequency(struct aspace *aspace)
{
    struct aspace_load *load = &aspace->load;

    if (aspace->pool != NULL && aspace->pool->grant != POOL_UNLIMITED) {
        judge_frequency(aspace);
    } else if (aspace_grant_frames(aspace, aspace_resident_pages(aspace))) {
        load->needed = aspace->pool->frames;
        begin_judgement(aspace);
    }
}

/*
 * What the unit needs, as far as its own limit goes. One that is not active needs what it needed before, since its own
 * time stands still.
 */
static void
view_measure(struct control_view *view, u32 i)
{
    struct aspace *aspace = view->looks[i].aspace;
    struct control_unit *unit = &view->units[i];

    if (aspace->load.since == 0)
        aspace->load.since = view->now;
    unit->active &= !unit->suspended;
    if (control_kind == CONTROL_WORKINGSET && unit->active && aspace_measure_resident(aspace))
        aspace->load.needed = aspace_needed_frames(aspace);
    if (control_kind == CONTROL_PFF && unit->active && aspace_measure_resident(aspace))
        measure_frequency(aspace);
    aspace->load.processor_time = aspace->processor_time;
    unit->since = aspace->load.since;
    unit->needed = aspace->pool != NULL ? least(aspace->load.needed, aspace->pool->limit) : aspace->load.needed;
}

/* All user processes, and memory. False if there is no memory to look. */
static bool
view_take(struct control_view *view)
{
    struct process *process;

    *view = (struct control_view){.capacity = process_count, .frames = pool_memory(), .now = milliseconds_now()};
    view->units = kmem_allocate(view->capacity * sizeof(*view->units));
    view->looks = kmem_allocate(view->capacity * sizeof(*view->looks));
    if (view->units == NULL || view->looks == NULL)
        return false;
    process_for_each(process) {
        if (process->aspace != NULL)
            view_add(view, process);
    }
    for (u32 i = 0; i < view->count; i++)
        view_measure(view, i);
    return true;
}

static void
view_free(struct control_view *view)
{
    kmem_free(view->units);
    kmem_free(view->looks);
}

/* ---- Acting ---- */

static const char *
what_is_needed(void)
{
    return control_kind == CONTROL_WORKINGSET ? "working sets" : "fault frequencies";
}

static void
act_suspend(const struct control_view *view, const struct control_choice *choice)
{
    const struct control_look *look = &view->looks[choice->unit];
    struct aspace *aspace = look->aspace;

    log_info("control: suspend %s (%u), which ran for %u ms and needs %u frames, %s: "
             "by their %s %u processes need %u, and there are %u",
             look->process->name, look->process->id, view->now - aspace->load.since, view->units[choice->unit].needed,
             choice->action == CONTROL_SUSPEND_FOR_TURN ? "so that another has its turn" : "since not all fit",
             what_is_needed(), choice->active, choice->needed, view->frames);
    aspace->load.since = view->now;
    aspace_hold(aspace);
    suspension_begin(aspace);
    aspace_release(aspace);
}

static void
act_resume(const struct control_view *view, const struct control_choice *choice)
{
    const struct control_look *look = &view->looks[choice->unit];
    struct aspace *aspace = look->aspace;

    log_info("control: resume %s (%u) after %u ms, %s: it needs %u frames, %u others need %u, and there are %u",
             look->process->name, look->process->id, view->now - aspace->load.since,
             choice->action == CONTROL_RESUME_FOR_TURN ? "since it is its turn" : "since it fits",
             view->units[choice->unit].needed, choice->active, choice->needed, view->frames);
    last_resume = aspace->load.since = view->now;
    if (control_kind == CONTROL_PFF)
        aspace_grant_frames(aspace, aspace->load.needed);
    suspension_end(aspace);
}

static void
act(const struct control_view *view, const struct control_choice *choice)
{
    switch (choice->action) {
    case CONTROL_NOTHING:
        return;
    case CONTROL_SUSPEND:
    case CONTROL_SUSPEND_FOR_TURN:
        act_suspend(view, choice);
        return;
    case CONTROL_RESUME:
    case CONTROL_RESUME_FOR_TURN:
        act_resume(view, choice);
    }
}

/*
 * control=pff: each has what it needs, and an equal share of the rest to grow into. Who is not active keeps its pages
 * until others need the frames, since a pool that is above its quota is the first to give up some.
 */
static void
control_grant(const struct control_view *view, const struct control_choice *choice)
{
    u32 left = view->frames > choice->needed ? view->frames - choice->needed : 0;

    for (u32 i = 0; i < view->count; i++) {
        struct aspace *aspace = view->looks[i].aspace;

        if (view->units[i].active)
            aspace_grant_frames(aspace, view->units[i].needed + left / choice->active);
        else if (aspace->pool != NULL)
            aspace_grant_frames(aspace, POOL_MINIMUM);
    }
}

/* ---- The thread of control ---- */

static void
control_look(void)
{
    struct control_situation situation;
    struct control_choice choice;
    struct control_view view;

    if (view_take(&view)) {
        situation = (struct control_situation){
            .units = view.units, .count = view.count, .frames = view.frames,
            .now = view.now, .patience = control_patience, .last_resume = last_resume,
        };
        choice = control_choose(&situation);
        if (control_kind == CONTROL_PFF)
            control_grant(&view, &choice);
        act(&view, &choice);
    }
    view_free(&view);
}

static void
control_run(void)
{
    for (;;) {
        u64 period = (u64)CONTROL_PERIOD_MILLISECONDS * NANOSECONDS_PER_MILLISECOND;

        while (control_kind == CONTROL_OFF)
            wait_sleep(&control_queue);
        control_look();
        wait_timeout(&control_queue, timer_nanoseconds() + period);
    }
}

/* Nobody is suspended or granted anything by a kind of control that is not in force any more. */
static void
control_release_all(void)
{
    struct aspace *aspace;

    LIST_FOREACH(aspace, &aspace_all, link) {
        suspension_end(aspace);
        if (aspace->pool != NULL)
            aspace_grant_frames(aspace, POOL_UNLIMITED);
    }
}

int
control_apply(void)
{
    if (control_kind != CONTROL_OFF && !control_has_thread) {
        if (thread_spawn_kernel(&process_kernel, control_run) == NULL)
            return -ENOMEM;
        control_has_thread = true;
    }
    if (control_kind != CONTROL_OFF)
        processor_time_measure();
    control_release_all();
    wait_wake_all(&control_queue);
    return 0;
}
