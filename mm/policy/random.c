/*
 * Random: any page may go. No memory of the past at all, and often not much worse
 * than what has one. Needs `random`.
 *
 * The frames stand in an array without gaps, so that one draw finds a victim; the
 * last one takes the place of one that leaves.
 */
#include "mm/policy.h"
#include "mm/policy/text.h"

struct policy_state {
    const struct policy_environment *world;
    uint32_t *members;          /* [0, count) are the frames inserted; a frame's value is its place here */
    uint32_t count;
};

static bool
random_start(struct policy_state *random, const struct policy_environment *world)
{
    random->world = world;
    random->members = world->allocate(world->capacity * sizeof(*random->members));
    return random->members;
}

static void
random_stop(struct policy_state *random)
{
    random->world->release(random->members);
}

static void
random_insert(struct policy_state *random, uint32_t frame)
{
    random->members[random->count] = frame;
    random->world->values[frame] = random->count++;
}

static void
random_remove(struct policy_state *random, uint32_t frame)
{
    uint32_t *values = random->world->values;
    uint32_t last = random->members[--random->count];

    random->members[values[frame]] = last;
    values[last] = values[frame];
}

static uint32_t
random_select(struct policy_state *random)
{
    return random->count ? random->members[random->world->random(random->world) % random->count] : POLICY_NONE;
}

static void
random_explain(struct policy_state *random, uint32_t victim, struct policy_text *text)
{
    text_page(text, random->world, victim);
    text_add(text, " was drawn among ");
    text_number(text, random->count);
}

const struct policy policy_random = {
    .name = "random",
    .state_bytes = sizeof(struct policy_state),
    .start = random_start,
    .stop = random_stop,
    .insert = random_insert,
    .remove = random_remove,
    .select = random_select,
    .explain = random_explain,
};
