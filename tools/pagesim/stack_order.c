/*
 * OPT's stack, and the choice between the two.
 */
#include "tools/pagesim/stack_order.h"

#include <stdbool.h>
#include <stdlib.h>

#include "tools/pagesim/common.h"

/* Whether the left one goes sooner: as in mm/policy/opt.c. */
static bool
goes_before(const struct opt_entry *left, const struct opt_entry *right)
{
    return left->next_use != right->next_use ? left->next_use > right->next_use : left->last_use < right->last_use;
}

/* The page comes to the top. What stood there is carried down; at each depth that one of the two stays which is to go later,
 * and the other is what goes with so many frames. It ends where the page has left a gap. */
uint32_t
opt_order_use(struct opt_order *opt, uint32_t page, uint64_t time, uint32_t frames)
{
    struct opt_entry carried = {page, opt->future[time], (uint32_t)time};

    for (uint32_t depth = 1; depth <= opt->length; depth++) {
        struct opt_entry here = opt->entries[depth];

        if (here.page == page) {
            opt->entries[depth] = carried;
            return depth;
        }
        if (depth == 1 || goes_before(&here, &carried)) {
            opt->entries[depth] = carried;
            carried = here;
        }
    }
    if (opt->length < frames)
        opt->entries[++opt->length] = carried;
    return frames + 1;
}

uint32_t
opt_order_depth(struct opt_order *opt, uint32_t page, uint32_t frames)
{
    if (!opt->depths) {
        opt->depths = allocate(opt->page_count, sizeof(*opt->depths));
        for (uint32_t depth = 1; depth <= opt->length; depth++)
            opt->depths[opt->entries[depth].page] = depth;
    }
    return opt->depths[page] ? opt->depths[page] : frames + 1;
}

void
stack_order_start(struct stack_order *order, uint32_t frames, const uint32_t *future)
{
    *order = (struct stack_order){.frames = frames, .opt.future = future};
    if (future)
        order->opt.entries = allocate((size_t)frames + 1, sizeof(*order->opt.entries));
}

void
stack_order_stop(struct stack_order *order)
{
    lru_order_stop(&order->lru);
    free(order->opt.entries);
    free(order->opt.depths);
}

void
stack_order_grow(struct stack_order *order, size_t pages)
{
    order->opt.page_count = pages;
    if (!order->opt.future)
        lru_order_grow(&order->lru, pages);
}

static uint32_t
depth_within(const struct stack_order *order, uint32_t depth)
{
    return depth <= order->frames ? depth : order->frames + 1;
}

uint32_t
stack_order_use(struct stack_order *order, uint32_t page, uint64_t time)
{
    if (order->opt.future)
        return opt_order_use(&order->opt, page, time, order->frames);
    return depth_within(order, lru_order_use(&order->lru, page));
}

uint32_t
stack_order_remove(struct stack_order *order, uint32_t page)
{
    return depth_within(order, lru_order_remove(&order->lru, page));
}

uint32_t
stack_order_depth(struct stack_order *order, uint32_t page)
{
    if (order->opt.future)
        return opt_order_depth(&order->opt, page, order->frames);
    return depth_within(order, lru_order_depth(&order->lru, page));
}
