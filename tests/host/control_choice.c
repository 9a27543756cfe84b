/*
 * The choice of load control, on situations made up and played through: nobody is suspended while all fit, the last one never, and nobody
 * waits for longer than the bound says.
 */
#include "tests/host/host.h"

#include "kernel/control_choice.c"

#define FRAMES   100u
#define PATIENCE 1000u
#define PERIOD   50u
#define UNITS    12u

static struct control_unit units[UNITS];
static struct control_situation situation;

/* So many units, all active, born one after the other; unit i needs needed[i] frames. */
static void
begin(const u32 *needed, u32 count)
{
    situation = (struct control_situation){
        .units = units, .count = count, .frames = FRAMES, .now = 10 * PATIENCE, .patience = PATIENCE,
        .last_resume = 10 * PATIENCE,
    };
    for (u32 i = 0; i < count; i++)
        units[i] = (struct control_unit){.needed = needed[i], .since = PATIENCE + i, .active = true, .may_be_suspended = true};
}

static void
suspend(u32 unit)
{
    units[unit].suspended = true;
    units[unit].active = false;
    units[unit].since = situation.now;
}

static void
resume(u32 unit)
{
    units[unit].suspended = false;
    units[unit].active = true;
    units[unit].since = situation.last_resume = situation.now;
}

/* As control does: one choice, and a period passes. */
static struct control_choice
play(void)
{
    struct control_choice choice = control_choose(&situation);

    if (choice.action == CONTROL_SUSPEND || choice.action == CONTROL_SUSPEND_FOR_TURN)
        suspend(choice.unit);
    else if (choice.action != CONTROL_NOTHING)
        resume(choice.unit);
    situation.now += PERIOD;
    return choice;
}

static void
while_all_fit_nothing_happens(void)
{
    static const u32 needed[] = {40, 30, 30};

    begin(needed, 3);
    check_equal(control_choose(&situation).action, CONTROL_NOTHING);
    check_equal(control_choose(&situation).needed, FRAMES);
    check_equal(control_choose(&situation).active, 3);
    units[0].needed++;
    check_equal(control_choose(&situation).action, CONTROL_SUSPEND);
}

/* One that sleeps needs nothing. */
static void
only_active_ones_count(void)
{
    static const u32 needed[] = {80, 60};

    begin(needed, 2);
    units[1].active = false;
    check_equal(control_choose(&situation).action, CONTROL_NOTHING);
    check_equal(control_choose(&situation).needed, 80);
}

static void
who_ran_for_longest_is_suspended(void)
{
    static const u32 needed[] = {50, 50, 50};

    begin(needed, 3);
    units[0].since = 500;
    units[1].since = 400;
    units[2].since = 600;
    check_equal(control_choose(&situation).unit, 1);
    units[1].may_be_suspended = false;
    check_equal(control_choose(&situation).unit, 0);
    units[0].active = false;
    check_equal(control_choose(&situation).action, CONTROL_NOTHING);    /* 1 and 2 fit */
}

static void
the_last_one_is_never_suspended(void)
{
    static const u32 needed[] = {5 * FRAMES, 5 * FRAMES};

    begin(needed, 2);
    check_equal(play().action, CONTROL_SUSPEND);
    check_equal(play().action, CONTROL_NOTHING);
    begin(needed, 1);
    check_equal(play().action, CONTROL_NOTHING);
    begin(needed, 2);
    units[0].may_be_suspended = units[1].may_be_suspended = false;
    check_equal(play().action, CONTROL_NOTHING);
}

static void
who_waited_longest_is_resumed_first(void)
{
    static const u32 needed[] = {10, 20, 30};

    begin(needed, 3);
    for (u32 i = 0; i < 3; i++)
        suspend(i);
    units[1].since -= 2;
    units[2].since -= 1;
    check_equal(control_choose(&situation).action, CONTROL_RESUME);
    check_equal(control_choose(&situation).unit, 1);
}

/* What fits comes back at once; what does not, in its turn, and for it another goes first. */
static void
in_its_turn_another_makes_room(void)
{
    static const u32 needed[] = {60, 40, 50};
    struct control_choice choice;

    begin(needed, 3);
    check_equal(play().unit, 0);
    for (u32 waited = PERIOD; waited < PATIENCE; waited += PERIOD)
        check_equal(play().action, CONTROL_NOTHING);
    choice = play();
    check_equal(choice.action, CONTROL_SUSPEND_FOR_TURN);
    check_equal(choice.unit, 1);
    /* 60 and 50 do not fit either. The other one is the last, and runs on beside it. */
    choice = play();
    check_equal(choice.action, CONTROL_RESUME_FOR_TURN);
    check_equal(choice.unit, 0);
    choice = play();
    check_equal(choice.action, CONTROL_SUSPEND);
    check_equal(choice.unit, 2);
}

/* Random needs and comings and goings: who is suspended waits no longer than the bound, whoever else is there; and what runs together
 * fits, or is a single one, after as many choices as there are units. */
static void
nobody_starves(void)
{
    u32 needed[UNITS];

    for (u32 round = 0; round < 50; round++) {
        u32 count = 2 + host_below(UNITS - 1);

        for (u32 i = 0; i < count; i++)
            needed[i] = host_below(2 * FRAMES);
        begin(needed, count);
        for (u32 period = 0; period < 20 * UNITS * PATIENCE / PERIOD; period++) {
            u32 active = 0;

            play();
            units[host_below(count)].needed = host_below(2 * FRAMES);
            for (u32 i = 0; i < count; i++) {
                active += units[i].active;
                if (units[i].suspended)
                    check(situation.now - units[i].since <= count * (PATIENCE + 2 * count * PERIOD));
            }
            check(active > 0);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_CASE(while_all_fit_nothing_happens, ""),
        HOST_CASE(only_active_ones_count, ""),
        HOST_CASE(who_ran_for_longest_is_suspended, ""),
        HOST_CASE(the_last_one_is_never_suspended, ""),
        HOST_CASE(who_waited_longest_is_resumed_first, ""),
        HOST_CASE(in_its_turn_another_makes_room, ""),
        HOST_CASE(nobody_starves, ""),
    };

    return host_run(tests);
}
