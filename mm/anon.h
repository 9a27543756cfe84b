/*
 * Anons: one page of private memory each.
 *
 * An anon has a frame, or a slot in the swap area, or both: with both and the
 * frame clean, evicting it costs no write. It counts the references to it, which
 * come from amap chunks and not from processes; the slot has one owner, the anon.
 *
 *      chunk ---+
 *               +--> anon { references 2, frame 0x1a3, slot 17 }
 *      chunk ---+
 */
#pragma once

#include <bsd/sys/queue.h>

#include "kernel/types.h"
#include "mm/frame.h"
#include "mm/units.h"

struct anon {
    u32 references;
    struct frame *frame;    /* NULL: not in memory */
    swap_slot_t slot;       /* SWAP_SLOT_NONE: no copy in the swap area */
    u32 seen;               /* references that check has met; check.c only */
};

/* A new anon with one reference, owning frame (state FRAME_ANONYMOUS, no owner
 * yet); NULL if there is no memory, and then nothing has changed. */
struct anon *anon_create(struct frame *frame);

static inline void
anon_hold(struct anon *anon)
{
    anon->references++;
}

/* Drops a reference; with the last one go frame and slot. The caller has removed
 * its own mapping before. */
void anon_release(struct anon *anon);

/* A reference from outside any chunk: a page on its way through a pipe. All are in
 * one list, where check meets them. */
struct anon_loan {
    struct anon *anon;      /* NULL: nothing is lent */
    LIST_ENTRY(anon_loan) link;
};

LIST_HEAD(anon_loan_list, anon_loan);
extern struct anon_loan_list anon_loans;

/* Puts the caller's reference into an empty loan. */
void anon_lend(struct anon_loan *loan, struct anon *anon);

/* Empties the loan: its reference is the caller's again. */
struct anon *anon_take_back(struct anon_loan *loan);

/* Whether anons in memory may have slots, which can be taken from them when the swap
 * area is full. Set when an anon comes in, or fails to go out; cleared when reclaim
 * has looked at all of them in vain, so that it need not look again for each victim. */
extern bool anon_slots_to_take;

/* The frame where reclaim looks first: that of the anon that came in last, which has a
 * slot. Were it elsewhere, each page that comes in would cost a look at all frames. */
extern u32 anon_slot_hand;

/* Gives up the slot, if any: the copy there is out of date or the room is needed. */
void anon_drop_slot(struct anon *anon);

/* Anons in being, for check. */
u32 anon_count(void);
