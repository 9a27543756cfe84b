/*
 * LRU's stack.
 */
#include <stdlib.h>

#include "tools/pagesim/common.h"
#include "tools/pagesim/stack_order.h"

#define HOLE UINT32_MAX
#define NOWHERE UINT32_MAX
#define SLOTS_AT_LEAST 1024u
#define SLOTS_PER_ENTRY 4u

/* ---- The Fenwick tree: how many slots up to this one are in use ---- */

static void
tree_add(struct lru_order *lru, uint32_t slot, uint32_t change)
{
    for (; slot <= lru->slots; slot += slot & -slot)
        lru->tree[slot] += change;
}

static uint32_t
tree_sum(const struct lru_order *lru, uint32_t slot)
{
    uint32_t sum = 0;

    for (; slot > 0; slot -= slot & -slot)
        sum += lru->tree[slot];
    return sum;
}

/* ---- Holes ---- */

static void
hole_add(struct lru_order *lru, uint32_t slot)
{
    size_t place;

    lru->holes = grow(lru->holes, &lru->hole_capacity, lru->hole_count + 2, sizeof(*lru->holes));
    for (place = ++lru->hole_count; place > 1 && lru->holes[place / 2] < slot; place /= 2)
        lru->holes[place] = lru->holes[place / 2];
    lru->holes[place] = slot;
    lru->entries[slot] = HOLE;
}

static uint32_t
hole_last(const struct lru_order *lru)
{
    return lru->hole_count ? lru->holes[1] : 0;
}

static void
hole_take_last(struct lru_order *lru)
{
    uint32_t moved = lru->holes[lru->hole_count--];
    size_t place = 1, child;

    for (; (child = 2 * place) <= lru->hole_count; place = child) {
        child += child < lru->hole_count && lru->holes[child + 1] > lru->holes[child];
        if (lru->holes[child] <= moved)
            break;
        lru->holes[place] = lru->holes[child];
    }
    lru->holes[place] = moved;
}

/* ---- Slots ---- */

static void
slot_take(struct lru_order *lru, uint32_t slot, uint32_t entry)
{
    lru->entries[slot] = entry;
    tree_add(lru, slot, 1);
    lru->live++;
}

static void
slot_free(struct lru_order *lru, uint32_t slot)
{
    lru->entries[slot] = 0;
    tree_add(lru, slot, -1u);
    lru->live--;
}

/* Moves all entries together at the beginning of a row that has room for more. */
static void
slots_renew(struct lru_order *lru)
{
    uint32_t *old = lru->entries, old_top = lru->top;

    free(lru->tree);
    lru->slots = SLOTS_PER_ENTRY * (lru->live + 1);
    if (lru->slots < SLOTS_AT_LEAST)
        lru->slots = SLOTS_AT_LEAST;
    lru->tree = allocate((size_t)lru->slots + 1, sizeof(*lru->tree));
    lru->entries = allocate((size_t)lru->slots + 1, sizeof(*lru->entries));
    lru->top = lru->live = 0;
    lru->hole_count = 0;
    for (uint32_t slot = 1; slot <= old_top; slot++) {
        if (!old[slot])
            continue;
        slot_take(lru, ++lru->top, old[slot]);
        if (old[slot] == HOLE)
            hole_add(lru, lru->top);
        else
            lru->slot_of[old[slot] - 1] = lru->top;
    }
    free(old);
}

void
lru_order_grow(struct lru_order *lru, size_t pages)
{
    lru->slot_of = grow(lru->slot_of, &lru->page_capacity, pages, sizeof(*lru->slot_of));
}

uint32_t
lru_order_depth(const struct lru_order *lru, uint32_t page)
{
    uint32_t slot = page < lru->page_capacity ? lru->slot_of[page] : 0;

    return slot ? lru->live - tree_sum(lru, slot) + 1 : NOWHERE;
}

/* The page leaves its slot for a new one on top. All above it move down by one; or, if there is a hole above it, only those
 * above the hole, which they fill, and the page leaves another. */
static void
slot_leave(struct lru_order *lru, uint32_t slot)
{
    uint32_t hole = hole_last(lru);

    if (hole > slot) {
        slot_free(lru, hole);
        hole_take_last(lru);
        if (slot)
            hole_add(lru, slot);
    } else if (slot) {
        slot_free(lru, slot);
    }
}

uint32_t
lru_order_use(struct lru_order *lru, uint32_t page)
{
    uint32_t depth;

    if (lru->slot_of[page] && lru->slot_of[page] == lru->top)
        return 1;
    depth = lru_order_depth(lru, page);
    slot_leave(lru, lru->slot_of[page]);
    lru->slot_of[page] = 0;
    if (lru->top == lru->slots)
        slots_renew(lru);
    lru->slot_of[page] = ++lru->top;
    slot_take(lru, lru->top, page + 1);
    return depth;
}

uint32_t
lru_order_remove(struct lru_order *lru, uint32_t page)
{
    uint32_t depth = lru_order_depth(lru, page);

    if (depth == NOWHERE)
        return depth;
    hole_add(lru, lru->slot_of[page]);
    lru->slot_of[page] = 0;
    return depth;
}

void
lru_order_stop(struct lru_order *lru)
{
    free(lru->slot_of);
    free(lru->entries);
    free(lru->tree);
    free(lru->holes);
}
