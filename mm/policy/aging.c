/*
 * Aging: LRU seen through a clock that ticks. Each page has a counter of 8 bits;
 * at the tick it is shifted right, and the reference bit comes in at the left. The
 * lowest counter goes: 8 ticks of history, the latest weighing most.
 *
 *     used in this tick   counter     at the tick
 *     1                   0110 0000   1011 0000
 *     0                   0110 0000   0011 0000
 *
 * A page used since the last tick, or come in since, goes only when all were.
 *
 * Frames stand in a queue for each value of (used since the tick, counter), so
 * that the lowest is found at once; the tick itself visits every frame, by the
 * theory. Needs `referenced` and the tick.
 */
#include "mm/policy.h"
#include "mm/policy/ring.h"
#include "mm/policy/text.h"

#define COUNTER_BITS 8u
#define USED (1u << COUNTER_BITS)
#define KEYS (2 * USED)
#define WORD_BITS 32u

struct policy_state {
    const struct policy_environment *world;
    struct ring queues[KEYS];           /* by key = used | counter, which is a frame's value */
    uint32_t filled[KEYS / WORD_BITS];  /* a bit for each queue that is not empty */
};

static bool
aging_start(struct policy_state *aging, const struct policy_environment *world)
{
    aging->world = world;
    for (uint32_t key = 0; key < KEYS; key++)
        ring_start(&aging->queues[key], world->links);
    return true;
}

static void
aging_put(struct policy_state *aging, uint32_t frame, uint32_t key)
{
    aging->world->values[frame] = key;
    ring_insert(&aging->queues[key], frame);
    aging->filled[key / WORD_BITS] |= 1u << key % WORD_BITS;
}

static void
aging_insert(struct policy_state *aging, uint32_t frame)
{
    aging_put(aging, frame, USED);
}

static void
aging_remove(struct policy_state *aging, uint32_t frame)
{
    uint32_t key = aging->world->values[frame];

    ring_remove(&aging->queues[key], frame);
    if (aging->queues[key].length == 0)
        aging->filled[key / WORD_BITS] &= ~(1u << key % WORD_BITS);
}

/* The lowest key from `key` on whose queue is not empty; KEYS if there is none. */
static uint32_t
aging_lowest(const struct policy_state *aging, uint32_t key)
{
    while (key < KEYS) {
        uint32_t word = aging->filled[key / WORD_BITS] >> key % WORD_BITS;

        if (word)
            return key + (uint32_t)__builtin_ctz(word);
        key = (key / WORD_BITS + 1) * WORD_BITS;
    }
    return KEYS;
}

/* Whoever is found to be used since the tick moves up, once a tick. */
static uint32_t
aging_select(struct policy_state *aging)
{
    const struct policy_environment *world = aging->world;
    uint32_t key;

    while ((key = aging_lowest(aging, 0)) < USED) {
        uint32_t frame = aging->queues[key].hand;

        if (!world->referenced(world, frame))
            return frame;
        aging_remove(aging, frame);
        aging_put(aging, frame, USED | key);
    }
    return key < KEYS ? aging->queues[key].hand : POLICY_NONE;
}

static uint32_t
aging_first(struct policy_state *aging)
{
    uint32_t key = aging_lowest(aging, 0);

    return key < KEYS ? aging->queues[key].hand : POLICY_NONE;
}

static void
aging_tick_frame(struct policy_state *aging, uint32_t frame)
{
    const struct policy_environment *world = aging->world;
    uint32_t key = world->values[frame];
    bool used = world->referenced(world, frame) || key >= USED;

    aging_put(aging, frame, (used ? USED >> 1 : 0) | (key % USED) >> 1);
}

/* All are gathered in one queue first, so that no frame is shifted twice. */
static void
aging_tick(struct policy_state *aging)
{
    struct ring all;

    ring_start(&all, aging->world->links);
    for (uint32_t key = aging_lowest(aging, 0); key < KEYS; key = aging_lowest(aging, key)) {
        uint32_t frame = aging->queues[key].hand;

        aging_remove(aging, frame);
        ring_insert(&all, frame);
    }
    while (all.length) {
        uint32_t frame = all.hand;

        ring_remove(&all, frame);
        aging_tick_frame(aging, frame);
    }
}

static void
aging_explain(struct policy_state *aging, uint32_t victim, struct policy_text *text)
{
    uint32_t named = 0;

    text_page(text, aging->world, victim);
    text_add(text, " has the lowest counter:");
    for (uint32_t key = aging_lowest(aging, 0); key < KEYS; key = aging_lowest(aging, key + 1)) {
        uint32_t frame = aging->queues[key].hand;

        for (uint32_t i = 0; i < aging->queues[key].length && named < TEXT_CANDIDATES; i++, named++) {
            text_add(text, " ");
            text_page(text, aging->world, frame);
            text_add(text, "=");
            text_binary(text, key, COUNTER_BITS);
            text_add(text, key >= USED ? "(used since the tick)" : "");
            frame = aging->world->links[frame].next;
        }
    }
}

const struct policy policy_aging = {
    .name = "aging",
    .state_bytes = sizeof(struct policy_state),
    .start = aging_start,
    .insert = aging_insert,
    .remove = aging_remove,
    .select = aging_select,
    .explain = aging_explain,
    .tick = aging_tick,
    .first = aging_first,
};
