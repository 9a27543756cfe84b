/*
 * Least frequently used: the page with the fewest references since it came in
 * goes; among equals the one used longest ago. What was popular once stays for
 * ever, and what is new goes first: therefore hardly used as it stands. Needs
 * every reference (or samples). O(1), by keeping frames in ranks (Shah, Mitra and
 * Matani 2010).
 */
#include "mm/policy/frequency.h"
#include "mm/policy/text.h"

/* No rank, no frame: rank 0 is empty, and its hand is at POLICY_NONE. */
static uint32_t
lfu_select(struct policy_state *lfu)
{
    return lfu->ranks[lfu->ranks[0].more].frames.hand;
}

static void
lfu_explain(struct policy_state *lfu, uint32_t victim, struct policy_text *text)
{
    uint32_t named = 0;

    text_page(text, lfu->world, victim);
    text_add(text, " has the fewest references:");
    for (uint32_t rank = lfu->ranks[0].more; rank; rank = lfu->ranks[rank].more)
        frequency_explain_rank(lfu, rank, &named, text);
}

const struct policy policy_lfu = {
    .name = "lfu",
    .state_bytes = sizeof(struct policy_state),
    .start = frequency_start,
    .stop = frequency_stop,
    .insert = frequency_insert,
    .remove = frequency_remove,
    .select = lfu_select,
    .explain = lfu_explain,
    .reference = frequency_reference,
};
