/*
 * Not recently used, as the enhanced second chance: a page that was neither used
 * nor written is best, then one that was only written (it costs a write), then
 * one that was used.
 *
 *     class      (used, dirty)   found by the hand in
 *     1 best     (0, 0)          turn 1, which changes nothing, or turn 3
 *     2          (0, 1)          turn 2, which clears the used bits it passes, or turn 4
 *     3          (1, 0)          turn 3: its bit is cleared by then
 *     4          (1, 1)          turn 4
 *
 * Up to four turns, so O(frames) at worst, by the theory: the best of all is asked for,
 * and the processor changes a page's class without telling anybody. A list for each class
 * would have to be brought up to date by the same look at every page. Where the clock's
 * hand clears a bit for each step, turn 1 changes nothing, so nothing pays for it: with
 * every page dirty it is made in vain for each victim. Needs `referenced` and `dirty`.
 */
#include "mm/policy.h"
#include "mm/policy/ring.h"
#include "mm/policy/text.h"

#define TURNS 4u

struct policy_state {
    struct ring ring;           /* a frame's value is its used bit, once the world has been asked for it */
    const struct policy_environment *world;
    uint32_t turn, passed;      /* of the last search: where it ended, and how many the hand passed over in that turn */
};

static bool
nru_start(struct policy_state *nru, const struct policy_environment *world)
{
    nru->world = world;
    ring_start(&nru->ring, world->links);
    return true;
}

static void
nru_insert(struct policy_state *nru, uint32_t frame)
{
    nru->world->values[frame] = true;
    ring_insert(&nru->ring, frame);
}

static void
nru_remove(struct policy_state *nru, uint32_t frame)
{
    ring_remove(&nru->ring, frame);
}

/* Whether the frame at the hand is what this turn looks for; if not, it is passed over. */
static bool
nru_is_wanted(struct policy_state *nru, uint32_t turn)
{
    const struct policy_environment *world = nru->world;
    uint32_t frame = nru->ring.hand;
    bool for_dirty = turn % 2 == 0;

    nru->world->values[frame] |= world->referenced(world, frame);
    if (!nru->world->values[frame] && world->dirty(world, frame) == for_dirty)
        return true;
    if (for_dirty)
        nru->world->values[frame] = false;
    return false;
}

/* Whoever is used all the time, or changes between clean and dirty meanwhile, cannot make it endless. */
static uint32_t
nru_select(struct policy_state *nru)
{
    for (nru->turn = 1; nru->turn <= TURNS; nru->turn++)
        for (nru->passed = 0; nru->passed < nru->ring.length; nru->passed++) {
            if (nru_is_wanted(nru, nru->turn))
                return nru->ring.hand;
            ring_advance(&nru->ring);
        }
    return nru->ring.hand;
}

static uint32_t
nru_first(struct policy_state *nru)
{
    return nru->ring.hand;
}

static void
nru_explain(struct policy_state *nru, uint32_t victim, struct policy_text *text)
{
    const struct policy_environment *world = nru->world;
    uint32_t named = nru->passed < TEXT_CANDIDATES ? nru->passed : TEXT_CANDIDATES;
    uint32_t frame = ring_before(&nru->ring, victim, named);

    text_add(text, "turn ");
    text_number(text, nru->turn);
    text_add(text, " of the hand, (used,dirty):");
    text_skipped(text, nru->passed - named);
    for (uint32_t i = 0; i <= named; i++, frame = nru->ring.links[frame].next) {
        bool cleared = i < named && nru->turn % 2 == 0;

        text_add(text, " ");
        text_page(text, world, frame);
        text_add(text, cleared || nru->world->values[frame] ? "(1," : "(0,");
        text_add(text, world->dirty(world, frame) ? "1)" : "0)");
    }
    text_add(text, ": ");
    text_page(text, world, victim);
    text_add(text, " is the first of the best class");
}

const struct policy policy_nru = {
    .name = "nru",
    .state_bytes = sizeof(struct policy_state),
    .start = nru_start,
    .insert = nru_insert,
    .remove = nru_remove,
    .select = nru_select,
    .explain = nru_explain,
    .first = nru_first,
};
