/* The choice of load control. */
#include "kernel/control_choice.h"

#define NO_UNIT UINT32_MAX

/* Of the units that are suspended, or of those that may be, the one that has been so for longest; or NO_UNIT. */
static u32
longest(const struct control_situation *situation, bool suspended)
{
    u32 oldest = NO_UNIT, most = 0;

    for (u32 i = 0; i < situation->count; i++) {
        const struct control_unit *unit = &situation->units[i];
        u32 time = situation->now - unit->since;

        if (suspended ? !unit->suspended : !unit->active || !unit->may_be_suspended)
            continue;
        if (oldest == NO_UNIT || time > most) {
            oldest = i;
            most = time;
        }
    }
    return oldest;
}

static bool
is_its_turn(const struct control_situation *situation, const struct control_unit *waiting)
{
    return situation->now - waiting->since >= situation->patience
        && situation->now - situation->last_resume >= situation->patience;
}

/* The active ones fit. If somebody waits: resumes it, or makes room when its turn has come. */
static void
choose_for_waiting(const struct control_situation *situation, struct control_choice *choice)
{
    u32 first = longest(situation, true), oldest = longest(situation, false);
    const struct control_unit *waiting = &situation->units[first];

    if (first == NO_UNIT)
        return;
    choice->unit = first;
    if (choice->active == 0 || choice->needed + waiting->needed <= situation->frames) {
        choice->action = CONTROL_RESUME;
    } else if (is_its_turn(situation, waiting)) {
        choice->action = choice->active < 2 || oldest == NO_UNIT ? CONTROL_RESUME_FOR_TURN : CONTROL_SUSPEND_FOR_TURN;
        choice->unit = choice->action == CONTROL_SUSPEND_FOR_TURN ? oldest : first;
    }
}

struct control_choice
control_choose(const struct control_situation *situation)
{
    struct control_choice choice = {.action = CONTROL_NOTHING};

    for (u32 i = 0; i < situation->count; i++) {
        if (!situation->units[i].active)
            continue;
        choice.needed += situation->units[i].needed;
        choice.active++;
    }
    choice.unit = longest(situation, false);
    if (choice.needed > situation->frames && choice.active > 1 && choice.unit != NO_UNIT)
        choice.action = CONTROL_SUSPEND;
    else
        choose_for_waiting(situation, &choice);
    return choice;
}
