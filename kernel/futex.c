/*
 * Who waits for which word: chains of waiters, by a hash of the key.
 *
 *     chains[hash] -> waiter -> waiter -> ...      each on the stack of the thread that waits
 *
 * A waiter enlists before it looks at the word, and whoever wakes has changed the word before: so either the waiter
 * sees the new value, or the waker sees the waiter. Looking may sleep, since the page may be out; a wake-up that comes
 * meanwhile is kept in waiter->woken.
 */
#include "kernel/futex.h"

#include "kernel/process.h"
#include "mm/aspace.h"
#include "mm/object.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <linux/futex.h>

/* A power of two. More waiters than that only make the chains longer. */
#define FUTEX_CHAINS 256u

TAILQ_HEAD(futex_chain, futex_waiter);

static struct futex_chain chains[FUTEX_CHAINS];

static struct futex_chain *
futex_chain_of(const struct futex_key *key)
{
    u32 hash = (u32)key->space / sizeof(u64) + key->page * 31 + key->offset / sizeof(u32);
    struct futex_chain *chain = &chains[(hash ^ hash >> 8) & (FUTEX_CHAINS - 1)];

    if (TAILQ_EMPTY(chain))
        TAILQ_INIT(chain);
    return chain;
}

static bool
futex_key_equal(const struct futex_key *one, const struct futex_key *other)
{
    return one->space == other->space && one->page == other->page && one->offset == other->offset
        && one->private == other->private;
}

int
futex_key_of(u32 address, bool private, struct futex_key *key)
{
    struct aspace *aspace = current_process()->aspace;
    const struct region *region;

    if (address % sizeof(u32) != 0)
        return -EINVAL;
    if (!user_range_ok(address, sizeof(u32)))
        return -EFAULT;
    *key = (struct futex_key){
        .space = aspace, .page = page_of(address).number, .offset = address & PAGE_MASK, .private = private};
    if (private)
        return 0;
    region = region_find(&aspace->regions, page_of(address));
    if (region == NULL || region->protection == 0)
        return -EFAULT;
    /* Memory that nobody else sees, and that cannot be written, never changes. */
    if (region->object->kind == OBJECT_ZERO && (region->protection & REGION_WRITE) == 0)
        return -EFAULT;
    if ((region->flags & REGION_SHARED) != 0) {
        key->object = region->object;
        key->space = region->object;
        key->page = region_object_page(region, page_of(address));
    }
    return 0;
}

/* The object must outlive the wait: its address could become another's. */
static void
futex_key_hold(const struct futex_key *key)
{
    if (key->object != NULL)
        object_hold(key->object);
}

static void
futex_key_release(const struct futex_key *key)
{
    if (key->object != NULL)
        object_release(key->object);
}

void
futex_enlist(struct futex_waiter *waiter)
{
    waiter->woken = false;
    waiter->sleep = (struct wait_queue){0};
    futex_key_hold(&waiter->key);
    TAILQ_INSERT_TAIL(futex_chain_of(&waiter->key), waiter, link);
}

int
futex_sleep(struct futex_waiter *waiter, u64 deadline_nanoseconds)
{
    int ended = 0;

    while (!waiter->woken && ended == 0)
        ended = wait_timeout(&waiter->sleep, deadline_nanoseconds);
    return waiter->woken ? 0 : ended;
}

bool
futex_delist(struct futex_waiter *waiter)
{
    if (!waiter->woken)
        TAILQ_REMOVE(futex_chain_of(&waiter->key), waiter, link);
    futex_key_release(&waiter->key);
    return waiter->woken;
}

static void
futex_wake_waiter(struct futex_chain *chain, struct futex_waiter *waiter)
{
    TAILQ_REMOVE(chain, waiter, link);
    waiter->woken = true;
    wait_wake_all(&waiter->sleep);
}

u32
futex_wake(const struct futex_key *key, u32 count, u32 bits)
{
    struct futex_chain *chain = futex_chain_of(key);
    struct futex_waiter *waiter, *following;
    u32 woken = 0;

    TAILQ_FOREACH_SAFE(waiter, chain, link, following) {
        if (woken >= count)
            break;
        if (!futex_key_equal(&waiter->key, key) || (waiter->bits & bits) == 0)
            continue;
        futex_wake_waiter(chain, waiter);
        woken++;
    }
    return woken;
}

/* It stays asleep, and goes to the end of the other word's queue. */
static void
futex_move_waiter(struct futex_chain *chain, struct futex_waiter *waiter, const struct futex_key *to)
{
    struct futex_key left = waiter->key;

    TAILQ_REMOVE(chain, waiter, link);
    futex_key_hold(to);
    waiter->key = *to;
    TAILQ_INSERT_TAIL(futex_chain_of(to), waiter, link);
    futex_key_release(&left);
}

u32
futex_requeue(const struct futex_key *from, u32 wakes, const struct futex_key *to, u32 moves)
{
    u32 done = futex_wake(from, wakes, FUTEX_BITSET_MATCH_ANY);
    struct futex_chain *chain = futex_chain_of(from);
    struct futex_waiter *waiter, *following;
    struct futex_waiter *last = TAILQ_LAST(chain, futex_chain);

    for (waiter = TAILQ_FIRST(chain); waiter != NULL && moves > 0; waiter = following) {
        /* The moved ones may come behind in the same chain: nothing beyond the last is looked at. */
        following = waiter == last ? NULL : TAILQ_NEXT(waiter, link);
        if (!futex_key_equal(&waiter->key, from))
            continue;
        futex_move_waiter(chain, waiter, to);
        moves--;
        done++;
    }
    return done;
}

void
futex_wake_address(u32 address)
{
    struct futex_key key;

    if (futex_key_of(address, false, &key) == 0)
        futex_wake(&key, 1, FUTEX_BITSET_MATCH_ANY);
}
