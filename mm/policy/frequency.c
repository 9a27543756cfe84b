/*
 * Counting references in constant time.
 */
#include "mm/policy/frequency.h"

#include "mm/policy/text.h"

/* There can be one rank for each frame, the end, and one that is new before an old one has become empty. */
#define SPARE_RANKS 2u

bool
frequency_start(struct policy_state *frequency, const struct policy_environment *world)
{
    uint32_t count = world->capacity + SPARE_RANKS;

    frequency->world = world;
    frequency->ranks = world->allocate(count * sizeof(*frequency->ranks));
    if (!frequency->ranks)
        return false;
    frequency->unused = 1;
    for (uint32_t i = 1; i + 1 < count; i++)
        frequency->ranks[i].more = i + 1;
    return true;
}

void
frequency_stop(struct policy_state *frequency)
{
    frequency->world->release(frequency->ranks);
}

/* The rank of that count, which lies next above `below` or is made there. */
static uint32_t
rank_above(struct policy_state *frequency, uint32_t below, uint32_t count)
{
    struct rank *ranks = frequency->ranks;
    uint32_t above = ranks[below].more, new = frequency->unused;

    if (above && ranks[above].count == count)
        return above;
    frequency->unused = ranks[new].more;
    ranks[new] = (struct rank){.count = count, .less = below, .more = above};
    ring_start(&ranks[new].frames, frequency->world->links);
    ranks[below].more = ranks[above].less = new;
    return new;
}

static void
rank_put(struct policy_state *frequency, uint32_t rank, uint32_t frame)
{
    frequency->world->values[frame] = rank;
    ring_insert(&frequency->ranks[rank].frames, frame);
}

void
frequency_insert(struct policy_state *frequency, uint32_t frame)
{
    rank_put(frequency, rank_above(frequency, 0, 1), frame);
}

void
frequency_remove(struct policy_state *frequency, uint32_t frame)
{
    struct rank *ranks = frequency->ranks;
    uint32_t rank = frequency->world->values[frame];

    ring_remove(&ranks[rank].frames, frame);
    if (ranks[rank].frames.length)
        return;
    ranks[ranks[rank].less].more = ranks[rank].more;
    ranks[ranks[rank].more].less = ranks[rank].less;
    ranks[rank].more = frequency->unused;
    frequency->unused = rank;
}

void
frequency_reference(struct policy_state *frequency, uint32_t frame)
{
    uint32_t rank = frequency->world->values[frame];
    uint32_t above = rank_above(frequency, rank, frequency->ranks[rank].count + 1);

    frequency_remove(frequency, frame);
    rank_put(frequency, above, frame);
}

void
frequency_explain_rank(struct policy_state *frequency, uint32_t rank, uint32_t *named, struct policy_text *text)
{
    const struct ring *frames = &frequency->ranks[rank].frames;
    uint32_t frame = frames->hand;

    for (uint32_t i = 0; i < frames->length && *named < TEXT_CANDIDATES; i++, ++*named) {
        text_add(text, " ");
        text_page(text, frequency->world, frame);
        text_add(text, "=");
        text_number(text, frequency->ranks[rank].count);
        frame = frames->links[frame].next;
    }
}
