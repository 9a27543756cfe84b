/*
 * 2Q (Johnson and Shasha 1994): a page proves itself before it gets a good place.
 * What comes in stands in a short queue, first in first out, where further
 * references do not count, being part of the same burst. What leaves it is
 * remembered for a while; only a page that is wanted again then is hot, and stands
 * in a queue by LRU. So a scan of pages used once drives out no hot page.
 *
 *     comes in -> recent (FIFO, a quarter) -> out: ghosts (as many as half the frames)
 *                                                    | wanted again
 *                                                    v
 *                                             hot (LRU) -> out, forgotten
 *
 * The paper's names: A1in, A1out, Am. The quarter and the half are its advice.
 * O(1). Needs every reference (or samples) and `page`.
 */
#include "mm/policy.h"
#include "mm/policy/ghost.h"
#include "mm/policy/text.h"

#define RECENT_SHARE 4u     /* of the frames, the part that the recent may fill */
#define GHOST_SHARE 2u

enum { RECENT, HOT };       /* a frame's value */

struct policy_state {
    const struct policy_environment *world;
    struct ring recent, hot;
    struct ring out;
    struct ghosts ghosts;
    policy_page_t expected;     /* about to come in; 0 when it has */
    bool expected_hot;
};

static bool
two_queues_start(struct policy_state *state, const struct policy_environment *world)
{
    state->world = world;
    if (!ghosts_start(&state->ghosts, world, world->capacity / GHOST_SHARE + 1))
        return false;
    ring_start(&state->recent, world->links);
    ring_start(&state->hot, world->links);
    ring_start(&state->out, state->ghosts.links);
    return true;
}

static void
two_queues_stop(struct policy_state *state)
{
    ghosts_stop(&state->ghosts);
}

/* A share of the frames in use, at least one. */
static uint32_t
two_queues_share(const struct policy_state *state, uint32_t share)
{
    uint32_t part = (state->recent.length + state->hot.length) / share;

    return part ? part : 1;
}

/* Whether a page that comes in is hot: its ghost was there, and goes. */
static bool
two_queues_take_ghost(struct policy_state *state, policy_page_t page)
{
    uint32_t ghost = ghosts_find(&state->ghosts, page);

    if (ghost == POLICY_NONE)
        return false;
    ghosts_drop(&state->ghosts, &state->out, ghost);
    return true;
}

/* Noted now, since making room can push the page's own ghost out. */
static void
two_queues_expect(struct policy_state *state, policy_page_t page)
{
    state->expected = page;
    state->expected_hot = two_queues_take_ghost(state, page);
}

/* Others, which were set aside while room was made, can come before the one that is expected. */
static void
two_queues_insert(struct policy_state *state, uint32_t frame)
{
    policy_page_t page = state->world->page(state->world, frame);
    bool expected = state->expected == page;
    bool hot = expected ? state->expected_hot : two_queues_take_ghost(state, page);

    if (expected)
        state->expected = 0;
    state->world->values[frame] = hot ? HOT : RECENT;
    ring_insert(hot ? &state->hot : &state->recent, frame);
}

static void
two_queues_remove(struct policy_state *state, uint32_t frame)
{
    ring_remove(state->world->values[frame] == HOT ? &state->hot : &state->recent, frame);
}

static void
two_queues_evict(struct policy_state *state, uint32_t frame)
{
    uint32_t limit = two_queues_share(state, GHOST_SHARE);

    if (state->world->values[frame] == RECENT)
        ghosts_add(&state->ghosts, &state->out, 0, state->world->page(state->world, frame));
    while (state->out.length > limit)
        ghosts_drop(&state->ghosts, &state->out, state->out.hand);
    two_queues_remove(state, frame);
}

static void
two_queues_reference(struct policy_state *state, uint32_t frame)
{
    if (state->world->values[frame] == HOT)
        ring_renew(&state->hot, frame);
}

static uint32_t
two_queues_select(struct policy_state *state)
{
    bool from_recent = state->recent.length > two_queues_share(state, RECENT_SHARE) || state->hot.length == 0;

    return from_recent ? state->recent.hand : state->hot.hand;
}

static void
two_queues_explain(struct policy_state *state, uint32_t victim, struct policy_text *text)
{
    bool is_hot = state->world->values[victim] == HOT;

    text_page(text, state->world, victim);
    text_add(text, is_hot ? " is the least recently used of the hot:" : " came in first of the recent:");
    text_ring(text, state->world, " recent", &state->recent);
    text_add(text, " of at most ");
    text_number(text, two_queues_share(state, RECENT_SHARE));
    text_ring(text, state->world, ", hot", &state->hot);
    text_add(text, ", ghosts ");
    text_number(text, state->out.length);
}

const struct policy policy_2q = {
    .name = "2q",
    .state_bytes = sizeof(struct policy_state),
    .start = two_queues_start,
    .stop = two_queues_stop,
    .insert = two_queues_insert,
    .remove = two_queues_remove,
    .select = two_queues_select,
    .explain = two_queues_explain,
    .expect = two_queues_expect,
    .evict = two_queues_evict,
    .reference = two_queues_reference,
};
