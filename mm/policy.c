/*
 * The list of policies, and what is the same for all of them: to start, to stop,
 * and to change from one to another. Freestanding, as they are.
 */
#include "mm/policy.h"

/* Room beyond the frames that there are to be, and how much more of it than needed is too much. */
#define CAPACITY_SPARE    32u
#define CAPACITY_WASTEFUL 8u

#define POLICY_POINTER(name) &policy_##name,

const struct policy *const policy_list[] = {POLICIES(POLICY_POINTER)};
const uint32_t policy_count = sizeof(policy_list) / sizeof(*policy_list);

static bool
text_equal(const char *left, const char *right)
{
    while (*left && *left == *right) {
        left++;
        right++;
    }
    return *left == *right;
}

const struct policy *
policy_find(const char *name)
{
    for (uint32_t i = 0; i < policy_count; i++)
        if (text_equal(policy_list[i]->name, name))
            return policy_list[i];
    return NULL;
}

uint32_t
policy_capacity(uint32_t now, uint32_t frames)
{
    uint32_t wanted = frames < UINT32_MAX / 4 ? frames + CAPACITY_SPARE : frames, capacity = CAPACITY_SPARE;

    if (wanted <= now && now / CAPACITY_WASTEFUL <= wanted)
        return now;
    while (capacity < wanted && capacity < 1u << 31)
        capacity *= 2;
    return capacity;
}

struct policy_state *
policy_start(const struct policy *policy, const struct policy_environment *environment)
{
    struct policy_state *state = environment->allocate(policy->state_bytes);

    if (state && !policy->start(state, environment)) {
        environment->release(state);
        return NULL;
    }
    return state;
}

void
policy_stop(const struct policy *policy, struct policy_state *state, const struct policy_environment *environment)
{
    if (policy->stop)
        policy->stop(state);
    environment->release(state);
}

uint32_t
policy_move(const struct policy *from, struct policy_state *old, const struct policy *to, struct policy_state *new)
{
    uint32_t (*first)(struct policy_state *) = from->first ? from->first : from->select;
    uint32_t frame, moved = 0;

    for (; (frame = first(old)) != POLICY_NONE; moved++) {
        from->remove(old, frame);
        to->insert(new, frame);
    }
    return moved;
}
