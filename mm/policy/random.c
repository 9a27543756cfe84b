/*
 * Random: any page may go. No memory of the past at all, and often not much worse
 * than what has one.
 *
 * The frames stand in an array without gaps, so that one draw finds a victim; the
 * last one takes the place of one that leaves.
 */
#include "mm/policy.h"

static const struct policy_environment *world;
static uint32_t *members;       /* [0, count) are the frames inserted */
static uint32_t *place;         /* of a frame in members */
static uint32_t count;

static bool
random_start(const struct policy_environment *environment)
{
    world = environment;
    count = 0;
    members = environment->allocate(environment->frames * sizeof(*members));
    place = environment->allocate(environment->frames * sizeof(*place));
    return members && place;
}

static void
random_insert(uint32_t frame)
{
    members[count] = frame;
    place[frame] = count++;
}

static void
random_remove(uint32_t frame)
{
    uint32_t last = members[--count];

    members[place[frame]] = last;
    place[last] = place[frame];
}

static uint32_t
random_select(void)
{
    return count ? members[world->random() % count] : POLICY_NONE;
}

const struct policy policy_random = {"random", random_start, random_insert, random_remove, random_select};
