/*
 * OPT, the optimum (Belady 1966): the page whose next use lies furthest ahead
 * goes. It cannot be had, since it needs the future; here the future is a
 * recording of an earlier run, or a trace. What it does is the measure of all
 * others. Of pages that are not used again, the one used longest ago goes.
 *
 * The frames stand in a heap, furthest next use at the top:
 *
 *             [1] never
 *            /         \
 *        [2] 90       [3] 40         the children of i are 2i and 2i + 1
 *        /    \
 *    [4] 12  [5] 88
 *
 * O(log frames) a reference. Needs `next_use`, and every reference.
 */
#include "mm/policy.h"
#include "mm/policy/text.h"

struct heap_entry {
    uint32_t frame;
    uint32_t next_use;
    uint32_t last_use;          /* a running number */
};

struct policy_state {
    const struct policy_environment *world;
    struct heap_entry *heap;    /* [1, count]; a frame's value is its place here */
    uint32_t count;
    uint32_t uses;              /* so far */
};

static bool
opt_start(struct policy_state *opt, const struct policy_environment *world)
{
    opt->world = world;
    if (!world->next_use)
        return false;
    opt->heap = world->allocate((world->capacity + 1) * sizeof(*opt->heap));
    return opt->heap;
}

static void
opt_stop(struct policy_state *opt)
{
    opt->world->release(opt->heap);
}

/* Whether the left one is to go sooner. */
static bool
heap_before(const struct heap_entry *left, const struct heap_entry *right)
{
    return left->next_use != right->next_use ? left->next_use > right->next_use : left->last_use < right->last_use;
}

static void
heap_put(struct policy_state *opt, uint32_t place, struct heap_entry entry)
{
    opt->heap[place] = entry;
    opt->world->values[entry.frame] = place;
}

/* Finds the entry's place, from a place that is free upwards. */
static void
heap_rise(struct policy_state *opt, uint32_t place, struct heap_entry entry)
{
    for (; place > 1 && heap_before(&entry, &opt->heap[place / 2]); place /= 2)
        heap_put(opt, place, opt->heap[place / 2]);
    heap_put(opt, place, entry);
}

/* The same, from a free place down to the leaves, then up. */
static void
heap_sink(struct policy_state *opt, uint32_t place, struct heap_entry entry)
{
    for (uint32_t child; (child = 2 * place) <= opt->count; place = child) {
        if (child < opt->count && heap_before(&opt->heap[child + 1], &opt->heap[child]))
            child++;
        heap_put(opt, place, opt->heap[child]);
    }
    heap_rise(opt, place, entry);
}

static struct heap_entry
opt_entry(struct policy_state *opt, uint32_t frame)
{
    return (struct heap_entry){frame, opt->world->next_use(opt->world, frame), opt->uses++};
}

static void
opt_insert(struct policy_state *opt, uint32_t frame)
{
    opt->count++;
    heap_rise(opt, opt->count, opt_entry(opt, frame));
}

/* The last one takes the place. */
static void
opt_remove(struct policy_state *opt, uint32_t frame)
{
    uint32_t place = opt->world->values[frame];
    struct heap_entry last = opt->heap[opt->count--];

    if (last.frame != frame)
        heap_sink(opt, place, last);
}

/* What is used now has its next use later than before, as a rule. */
static void
opt_reference(struct policy_state *opt, uint32_t frame)
{
    heap_sink(opt, opt->world->values[frame], opt_entry(opt, frame));
}

static uint32_t
opt_select(struct policy_state *opt)
{
    return opt->count ? opt->heap[1].frame : POLICY_NONE;
}

static void
opt_explain(struct policy_state *opt, uint32_t victim, struct policy_text *text)
{
    text_page(text, opt->world, victim);
    text_add(text, " is needed last:");
    for (uint32_t place = 1; place <= opt->count && place <= TEXT_CANDIDATES; place++) {
        text_add(text, " ");
        text_page(text, opt->world, opt->heap[place].frame);
        if (opt->heap[place].next_use == POLICY_NEVER) {
            text_add(text, "(never)");
        } else {
            text_add(text, "(at ");
            text_number(text, opt->heap[place].next_use);
            text_add(text, ")");
        }
    }
}

const struct policy policy_opt = {
    .name = "opt",
    .state_bytes = sizeof(struct policy_state),
    .foresees = true,
    .start = opt_start,
    .stop = opt_stop,
    .insert = opt_insert,
    .remove = opt_remove,
    .select = opt_select,
    .explain = opt_explain,
    .reference = opt_reference,
};
