/*
 * Anons: one page of private memory each.
 *
 * Invariant: an anon's frame has state FRAME_ANONYMOUS and the anon as its owner;
 * a frame that is not pinned and not busy is known to the policy.
 */
#include "mm/anon.h"

#include "kernel/assert.h"
#include "mm/evictable.h"
#include "mm/kmem_cache.h"
#include "mm/swap.h"

static struct kmem_cache anon_cache = KMEM_CACHE("anon", sizeof(struct anon), 4);

struct anon_loan_list anon_loans = LIST_HEAD_INITIALIZER(anon_loans);
bool anon_slots_to_take;
u32 anon_slot_hand;

struct anon *
anon_create(struct frame *frame)
{
    struct anon *anon = kmem_cache_allocate(&anon_cache);

    if (!anon)
        return NULL;
    *anon = (struct anon){.references = 1, .frame = frame};
    frame->owner = anon;
    evictable_insert(frame);
    return anon;
}

void
anon_drop_slot(struct anon *anon)
{
    if (anon->slot.number)
        swap_free(anon->slot);
    anon->slot = SWAP_SLOT_NONE;
}

void
anon_release(struct anon *anon)
{
    assert(anon->references > 0);
    if (--anon->references > 0)
        return;
    if (anon->frame)
        evictable_disown(anon->frame);
    anon_drop_slot(anon);
    kmem_cache_free(&anon_cache, anon);
}

void
anon_lend(struct anon_loan *loan, struct anon *anon)
{
    loan->anon = anon;
    LIST_INSERT_HEAD(&anon_loans, loan, link);
}

struct anon *
anon_take_back(struct anon_loan *loan)
{
    struct anon *anon = loan->anon;

    LIST_REMOVE(loan, link);
    loan->anon = NULL;
    return anon;
}

u32
anon_count(void)
{
    return anon_cache.objects;
}
