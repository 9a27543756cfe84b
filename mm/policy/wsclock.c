/*
 * WSClock: a clock that knows the working set (Carr and Hennessy 1981). The hand
 * passes over a page that was used since its last visit and notes the time. What
 * has not been used for longer than the window has left the working set, and goes
 * if it is clean.
 *
 *     used                             bit cleared, time noted, passed over
 *     unused, within the window        passed over
 *     outside the window, dirty        passed over: a clean one is cheaper
 *     outside the window, clean        the victim
 *
 * A whole turn without one: the first dirty page outside the window, whose write
 * the original would have begun meanwhile; or, if all pages are in the working
 * set, the one that was used longest ago, clean ones first. A search can take a
 * turn: O(frames) at worst, by the theory. That there is no clean page outside the window
 * shows only when all have been seen; and between two searches pages leave the window, and
 * are cleaned. Needs `referenced`, `dirty`, `time` and the window.
 */
#include "mm/policy.h"
#include "mm/policy/ring.h"
#include "mm/policy/text.h"

struct policy_state {
    struct ring ring;           /* a frame's value is the time of its last use, as far as seen */
    const struct policy_environment *world;
    uint32_t passed;            /* over by the hand in the last search */
    const char *reason;         /* of the last choice */
};

static bool
wsclock_start(struct policy_state *wsclock, const struct policy_environment *world)
{
    wsclock->world = world;
    ring_start(&wsclock->ring, world->links);
    return true;
}

static uint32_t
wsclock_now(const struct policy_state *wsclock)
{
    return wsclock->world->time(wsclock->world);
}

static void
wsclock_insert(struct policy_state *wsclock, uint32_t frame)
{
    wsclock->world->values[frame] = wsclock_now(wsclock);
    ring_insert(&wsclock->ring, frame);
}

static void
wsclock_remove(struct policy_state *wsclock, uint32_t frame)
{
    ring_remove(&wsclock->ring, frame);
}

/* What the hand found of a frame, to compare it with others. */
struct wsclock_candidate {
    uint32_t frame;             /* POLICY_NONE: none yet */
    uint32_t age;               /* since its last use, as far as seen */
    bool dirty;
};

/* A look at the frame at the hand: what was used gets the present time. */
static struct wsclock_candidate
wsclock_look(struct policy_state *wsclock, uint32_t now)
{
    const struct policy_environment *world = wsclock->world;
    uint32_t frame = wsclock->ring.hand;

    if (world->referenced(world, frame))
        world->values[frame] = now;
    return (struct wsclock_candidate){frame, now - world->values[frame], world->dirty(world, frame)};
}

/* Whether a frame is better to take than the best one so far: outside the window first, then clean, then unused for
 * longer. */
static bool
wsclock_is_better(const struct wsclock_candidate *frame, const struct wsclock_candidate *best, uint32_t window)
{
    if (best->frame == POLICY_NONE)
        return true;
    if (frame->age > window || best->age > window)
        return best->age <= window;
    return frame->dirty == best->dirty ? frame->age > best->age : best->dirty;
}

/* After a whole turn the hand goes to the best frame of those that it passed. */
static uint32_t
wsclock_select(struct policy_state *wsclock)
{
    uint32_t now = wsclock_now(wsclock), window = wsclock->world->window;
    struct wsclock_candidate best = {.frame = POLICY_NONE};

    for (wsclock->passed = 0; wsclock->passed < wsclock->ring.length; wsclock->passed++) {
        struct wsclock_candidate candidate = wsclock_look(wsclock, now);

        if (candidate.age > window && !candidate.dirty) {
            wsclock->reason = " is clean and outside the window";
            return candidate.frame;
        }
        if (wsclock_is_better(&candidate, &best, window))
            best = candidate;
        ring_advance(&wsclock->ring);
    }
    wsclock->reason = best.age > window ? " is dirty, but the first outside the window"
                    : best.dirty ? " was used longest ago: all are in the working set, and dirty"
                                 : " is the clean one used longest ago: all are in the working set";
    wsclock->ring.hand = best.frame;
    return best.frame;
}

static uint32_t
wsclock_first(struct policy_state *wsclock)
{
    return wsclock->ring.hand;
}

static void
wsclock_explain(struct policy_state *wsclock, uint32_t victim, struct policy_text *text)
{
    const struct policy_environment *world = wsclock->world;
    uint32_t others = wsclock->passed < wsclock->ring.length ? wsclock->passed : wsclock->ring.length - 1;
    uint32_t named = others < TEXT_CANDIDATES ? others : TEXT_CANDIDATES;
    uint32_t frame = ring_before(&wsclock->ring, victim, named);

    text_add(text, "window ");
    text_number(text, world->window);
    text_add(text, ", hand over (age,dirty):");
    text_skipped(text, others - named);
    for (uint32_t i = 0; i <= named; i++, frame = wsclock->ring.links[frame].next) {
        text_add(text, " ");
        text_page(text, world, frame);
        text_add(text, "(");
        text_number(text, wsclock_now(wsclock) - wsclock->world->values[frame]);
        text_add(text, world->dirty(world, frame) ? ",1)" : ",0)");
    }
    text_add(text, ": ");
    text_page(text, world, victim);
    text_add(text, wsclock->reason);
}

const struct policy policy_wsclock = {
    .name = "wsclock",
    .state_bytes = sizeof(struct policy_state),
    .start = wsclock_start,
    .insert = wsclock_insert,
    .remove = wsclock_remove,
    .select = wsclock_select,
    .explain = wsclock_explain,
    .first = wsclock_first,
};
