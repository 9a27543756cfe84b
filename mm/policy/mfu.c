/*
 * Most frequently used: the page with the most references since it came in goes;
 * among equals the one used longest ago. The argument is that what has few has
 * only just come and is yet to be used. Needs every reference (or samples). O(1),
 * as lfu.
 */
#include "mm/policy/frequency.h"
#include "mm/policy/text.h"

/* No rank, no frame: rank 0 is empty, and its hand is at POLICY_NONE. */
static uint32_t
mfu_select(struct policy_state *mfu)
{
    return mfu->ranks[mfu->ranks[0].less].frames.hand;
}

static void
mfu_explain(struct policy_state *mfu, uint32_t victim, struct policy_text *text)
{
    uint32_t named = 0;

    text_page(text, mfu->world, victim);
    text_add(text, " has the most references:");
    for (uint32_t rank = mfu->ranks[0].less; rank; rank = mfu->ranks[rank].less)
        frequency_explain_rank(mfu, rank, &named, text);
}

const struct policy policy_mfu = {
    .name = "mfu",
    .state_bytes = sizeof(struct policy_state),
    .start = frequency_start,
    .stop = frequency_stop,
    .insert = frequency_insert,
    .remove = frequency_remove,
    .select = mfu_select,
    .explain = mfu_explain,
    .reference = frequency_reference,
};
