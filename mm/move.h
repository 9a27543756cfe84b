/*
 * Moving pages instead of bytes: an anon leaves one address space on loan and
 * lands in another, where it is mapped copy-on-write. Nothing is copied unless one
 * of the two writes while both have it.
 *
 *     sender's chunk ──► anon ◄── loan (a slot of a pipe)     after move_out
 *     sender's chunk ──► anon ◄── receiver's chunk            after move_in
 */
#pragma once

#include "kernel/types.h"
#include "mm/anon.h"
#include "mm/aspace.h"

/* Lends the page that holds the address, as it is now: a later write by the sender
 * is not seen. False where bytes have to be copied: there is no region, it is shared or
 * locked, or the page was never written. Never sleeps. */
bool move_out(struct aspace *aspace, u32 address, struct anon_loan *loan);

/* Puts the lent page in the place of the one at the address, a page's first byte,
 * and empties the loan. False, and nothing changed, where bytes have to be copied:
 * the region is not private and writable, or locked, or memory is short. Never sleeps. */
bool move_in(struct aspace *aspace, u32 address, struct anon_loan *loan);

/* A fresh page to be filled, pinned, on loan; NULL if no memory. Never sleeps. */
struct frame *move_create(struct anon_loan *loan);

/* The lent page's frame, pinned, brought into memory if need be. 0, -ENOMEM or -EIO.
 * May sleep and evict. */
int move_pin(struct anon_loan *loan, struct frame **frame);

/* Gives the loan's reference up. */
void move_drop(struct anon_loan *loan);
