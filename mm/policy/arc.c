/*
 * ARC, the adaptive replacement cache (Megiddo and Modha 2003): recency and
 * frequency in a balance that finds itself.
 *
 *     once  (T1): pages referenced once lately     ghosts of once  (B1)
 *     often (T2): pages referenced at least twice  ghosts of often (B2)
 *
 * All four are LRU queues. The target p is how many frames `once` should have: a
 * page that comes back from the ghosts of `once` shows that it was too short, and p
 * grows; one from the ghosts of `often` shrinks it. once + its ghosts are at most c
 * pages and all four at most 2c, where c is the number of frames in use. The
 * comments name the cases of the paper's figure 4. p is an integer here.
 *
 * O(1). Needs every reference (or samples) and `page`.
 */
#include "mm/policy.h"
#include "mm/policy/ghost.h"
#include "mm/policy/text.h"

/* Which queue: a frame's value, a ghost's mark. NEW: no ghost. */
enum { ONCE, OFTEN, NEW };

struct policy_state {
    const struct policy_environment *world;
    struct ring resident[2];    /* T1, T2 */
    struct ring out[2];         /* B1, B2 */
    struct ghosts ghosts;
    uint32_t target;            /* p */
    policy_page_t expected;     /* about to come in; 0 when it has */
    uint32_t expected_from;     /* which ghosts it was among */
};

static bool
arc_start(struct policy_state *arc, const struct policy_environment *world)
{
    arc->world = world;
    if (!ghosts_start(&arc->ghosts, world, world->capacity + 1))
        return false;
    for (uint32_t queue = ONCE; queue <= OFTEN; queue++) {
        ring_start(&arc->resident[queue], world->links);
        ring_start(&arc->out[queue], arc->ghosts.links);
    }
    return true;
}

static void
arc_stop(struct policy_state *arc)
{
    ghosts_stop(&arc->ghosts);
}

/* c */
static uint32_t
arc_frames(const struct policy_state *arc)
{
    return arc->resident[ONCE].length + arc->resident[OFTEN].length;
}

/* Cases II and III: how far the target moves for a ghost of one queue when the other has so many. */
static uint32_t
arc_step(const struct policy_state *arc, uint32_t queue, uint32_t other)
{
    uint32_t step = arc->out[other].length / arc->out[queue].length;

    return step ? step : 1;
}

static void
arc_adapt(struct policy_state *arc, uint32_t queue)
{
    uint32_t step = arc_step(arc, queue, queue == ONCE ? OFTEN : ONCE), frames = arc_frames(arc);

    if (queue == ONCE)
        arc->target = arc->target + step < frames ? arc->target + step : frames;
    else
        arc->target = arc->target > step ? arc->target - step : 0;
}

/* Which ghosts a page that comes in was among. Its ghost goes, and the target moves. */
static uint32_t
arc_take_ghost(struct policy_state *arc, policy_page_t page)
{
    uint32_t ghost = ghosts_find(&arc->ghosts, page), queue;

    if (ghost == POLICY_NONE)
        return NEW;
    queue = ghosts_mark(&arc->ghosts, ghost);
    arc_adapt(arc, queue);
    ghosts_drop(&arc->ghosts, &arc->out[queue], ghost);
    return queue;
}

/* Now, so that making room cannot push the ghost out. */
static void
arc_expect(struct policy_state *arc, policy_page_t page)
{
    arc->expected = page;
    arc->expected_from = arc_take_ghost(arc, page);
}

static void
arc_put(struct policy_state *arc, uint32_t frame, uint32_t queue)
{
    arc->world->values[frame] = queue;
    ring_insert(&arc->resident[queue], frame);
}

/* Others, which were set aside while room was made, can come before the one that is expected. */
static void
arc_insert(struct policy_state *arc, uint32_t frame)
{
    policy_page_t page = arc->world->page(arc->world, frame);
    bool expected = arc->expected == page;
    uint32_t from = expected ? arc->expected_from : arc_take_ghost(arc, page);

    if (expected)
        arc->expected = 0;
    arc_put(arc, frame, from == NEW ? ONCE : OFTEN);
}

static void
arc_remove(struct policy_state *arc, uint32_t frame)
{
    ring_remove(&arc->resident[arc->world->values[frame]], frame);
}

/* Case I: a hit. */
static void
arc_reference(struct policy_state *arc, uint32_t frame)
{
    arc_remove(arc, frame);
    arc_put(arc, frame, OFTEN);
}

static bool
arc_comes_from(const struct policy_state *arc, uint32_t queue)
{
    return arc->expected && arc->expected_from == queue;
}

/* The paper's REPLACE. Where `once` fills all frames, it is case IV A instead, and the victim is the same. */
static uint32_t
arc_select(struct policy_state *arc)
{
    uint32_t once = arc->resident[ONCE].length;
    bool too_many = once > arc->target || (arc_comes_from(arc, OFTEN) && once == arc->target);

    if ((once > 0 && too_many) || arc->resident[OFTEN].length == 0)
        return arc->resident[ONCE].hand;
    return arc->resident[OFTEN].hand;
}

/* Case IV: before a page that is new makes another one a ghost, the oldest ghost goes. False if there is to be no new
 * one: `once` fills all frames. */
static bool
arc_make_room_for_ghost(struct policy_state *arc)
{
    uint32_t frames = arc_frames(arc), once = arc->resident[ONCE].length + arc->out[ONCE].length;
    uint32_t queue = once >= frames ? ONCE : OFTEN;

    if (queue == OFTEN && frames + arc->out[ONCE].length + arc->out[OFTEN].length < 2 * frames)
        return true;
    if (arc->out[queue].length == 0)
        return false;
    ghosts_drop(&arc->ghosts, &arc->out[queue], arc->out[queue].hand);
    return true;
}

static void
arc_evict(struct policy_state *arc, uint32_t frame)
{
    uint32_t queue = arc->world->values[frame];
    bool known = arc_comes_from(arc, ONCE) || arc_comes_from(arc, OFTEN);

    if (known || arc_make_room_for_ghost(arc))
        ghosts_add(&arc->ghosts, &arc->out[queue], queue, arc->world->page(arc->world, frame));
    arc_remove(arc, frame);
}

static void
arc_explain(struct policy_state *arc, uint32_t victim, struct policy_text *text)
{
    text_page(text, arc->world, victim);
    text_add(text, " is the least recently used of those used ");
    text_add(text, arc->world->values[victim] == ONCE ? "once" : "often");
    text_ring(text, arc->world, ": once", &arc->resident[ONCE]);
    text_add(text, ", target ");
    text_number(text, arc->target);
    text_ring(text, arc->world, ", often", &arc->resident[OFTEN]);
    text_add(text, ", ghosts ");
    text_number(text, arc->out[ONCE].length);
    text_add(text, "+");
    text_number(text, arc->out[OFTEN].length);
}

const struct policy policy_arc = {
    .name = "arc",
    .state_bytes = sizeof(struct policy_state),
    .start = arc_start,
    .stop = arc_stop,
    .insert = arc_insert,
    .remove = arc_remove,
    .select = arc_select,
    .explain = arc_explain,
    .expect = arc_expect,
    .evict = arc_evict,
    .reference = arc_reference,
};
