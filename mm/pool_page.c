/*
 * Pages by name.
 *
 * A frame's name is good while the frame is charged to a pool, and pool_keep_names was
 * called before it came in; an owner of 0 says that it was not.
 */
#include "mm/pool_page.h"

#include "mm/kmem.h"
#include "mm/pool_trace.h"

struct page_name {
    u32 owner : 31;
    u32 told : 1;               /* the trace knows already that it has come in */
    u32 page;
};

bool pool_watchful;

static struct page_name *names;     /* by frame number; NULL: nobody wants to know */
static struct pool_arrival coming;
static u32 nameless_count;

bool
pool_keep_names(void)
{
    if (!names)
        names = kmem_allocate_zeroed(frame_limit * sizeof(*names));
    return names;
}

void
pool_expect(policy_page_t page)
{
    if (pool_current->policy->expect)
        pool_current->policy->expect(pool_current->state, page);
}

void
pool_announce(const struct pool_arrival *arrival)
{
    coming = *arrival;
}

/* No fault has brought it in. */
static void
name_nameless(struct page_name *name)
{
    *name = (struct page_name){.owner = POOL_NAMELESS, .page = POOL_NAMELESS_PAGE + nameless_count++};
}

/* The page that was announced, or a nameless one. */
static void
name_take(struct frame *frame, const struct pool *pool)
{
    struct page_name *name = &names[frame_number(frame).number];

    if (!coming.owner) {
        name_nameless(name);
        return;
    }
    *name = (struct page_name){.owner = coming.owner, .page = coming.page};
    if (coming.trace) {
        pool_trace_arrival(coming.trace, pool, frame, (page_t){coming.page}, coming.access);
        name->told = true;
    }
    coming.owner = 0;
}

static bool
pool_has_capacity(const struct pool *pool)
{
    return pool->frames < pool->world.capacity;
}

/* Charges a frame that comes in to the pool in use. What that has no room for, for the
 * moment, is everybody's. */
static struct pool *
pool_charge(struct frame *frame)
{
    struct pool *pool = pool_has_capacity(pool_current) ? pool_current : &pool_global;

    pool_table[frame_number(frame).number] = pool;
    pool->loads++;
    if (names)
        name_take(frame, pool);
    return pool;
}

void
pool_begin(struct frame *frame)
{
    if (!pool_table[frame_number(frame).number])
        pool_charge(frame);
}

struct pool *
pool_admit(struct frame *frame, bool *recorded)
{
    u32 number = frame_number(frame).number;
    struct pool *pool = pool_table[number];

    if (!pool)
        pool = pool_charge(frame);
    if (!pool_has_capacity(pool))
        pool = pool_table[number] = &pool_global;
    *recorded = names && names[number].told;
    if (pool->trace && !*recorded)
        pool_trace_return(pool, frame);
    if (names)
        names[number].told = false;
    return pool;
}

/* ---- Names that are known ---------------------------------------------- */

/* A frame from before names were kept gets one now. */
static const struct page_name *
name_of(const struct frame *frame)
{
    struct page_name *name = &names[frame_number(frame).number];

    if (!name->owner)
        name_nameless(name);
    return name;
}

u32
pool_frame_page(const struct frame *frame)
{
    return name_of(frame)->page;
}

u32
pool_frame_owner(const struct frame *frame)
{
    return name_of(frame)->owner;
}

void
pool_rename(struct frame *frame, u32 owner, u32 page)
{
    bool known = frame->evictable;

    if (known)
        pool_remove(frame);
    names[frame_number(frame).number] = (struct page_name){.owner = owner, .page = page};
    if (known)
        pool_insert(frame);
}

policy_page_t
pool_name(const struct pool *pool, const struct frame *frame)
{
    if (frame->state == FRAME_OBJECT && !pool->trace)
        return pool_object_page(frame->owner, frame->index);
    return pool_page(name_of(frame)->owner, name_of(frame)->page);
}
