/*
 * The two stacks themselves: who stands where.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* LRU: pages by the time of their last use. Each use takes the next slot of a row; a page's depth is the number of slots in
 * use from its own to the end, which a Fenwick tree counts in logarithmic time. A page that is unmapped leaves a hole, which
 * counts as an entry: with as many frames as its depth or more, there is a free frame. */
struct lru_order {
    uint32_t *slot_of;          /* by page; 0: not there */
    size_t page_capacity;
    uint32_t *entries;          /* by slot, from 1: page + 1, HOLE or 0 */
    uint32_t *tree;
    uint32_t slots, top;        /* how many there are, and the last one in use */
    uint32_t live;              /* entries, holes among them */
    uint32_t *holes;            /* slots, as a heap: the last one first */
    size_t hole_count, hole_capacity;
};

/* OPT: pages by what is to go last. Linear in the number of frames. */
struct opt_entry {
    uint32_t page, next_use, last_use;
};

struct opt_order {
    const uint32_t *future;
    struct opt_entry *entries;  /* from 1 */
    uint32_t length;
    uint32_t *depths;           /* by page, once somebody has asked */
    size_t page_count;
};

struct stack_order {
    uint32_t frames;            /* greater depths do not matter: frames + 1 stands for them */
    struct lru_order lru;       /* if there is no future */
    struct opt_order opt;
};

void stack_order_start(struct stack_order *order, uint32_t frames, const uint32_t *future);
void stack_order_stop(struct stack_order *order);

/* Pages have numbers below this from now on. */
void stack_order_grow(struct stack_order *order, size_t pages);

/* The page is used at that time (a number of references): returns its depth before, and puts it on top. */
uint32_t stack_order_use(struct stack_order *order, uint32_t page, uint64_t time);

/* Takes the page away: its depth before. LRU only. */
uint32_t stack_order_remove(struct stack_order *order, uint32_t page);

/* At the end: where the page is. */
uint32_t stack_order_depth(struct stack_order *order, uint32_t page);

/* The same for each of the two; LRU's depths are without limit, UINT32_MAX if the page is not there. */
void lru_order_grow(struct lru_order *lru, size_t pages);
uint32_t lru_order_use(struct lru_order *lru, uint32_t page);
uint32_t lru_order_remove(struct lru_order *lru, uint32_t page);
uint32_t lru_order_depth(const struct lru_order *lru, uint32_t page);
void lru_order_stop(struct lru_order *lru);
uint32_t opt_order_use(struct opt_order *opt, uint32_t page, uint64_t time, uint32_t frames);
uint32_t opt_order_depth(struct opt_order *opt, uint32_t page, uint32_t frames);
