/*
 * What the tests of mm share: address spaces that are released even if a test fails, memory mapped and touched in one word, the kind
 * that a fault was counted as, a block device whose bytes are known, and memory that is exhausted and given back.
 *
 * A test begins with case_begin and ends with case_end; a test that failed in between is tidied up by the next case_begin.
 */
#pragma once

#include "drivers/block.h"
#include "kernel/selftest.h"
#include "mm/aspace.h"
#include "mm/fault.h"
#include "mm/mmap.h"
#include "mm/object.h"

/* A fresh address space, active; NULL (and the test has failed) without memory. */
struct aspace *case_begin(void);
void case_end(void);

/* A further one, and one forked from parent; not active. */
struct aspace *case_another(void);
struct aspace *case_fork(struct aspace *parent);

/* Releases one before the end. */
void case_release(struct aspace *aspace);

/* Maps pages with Linux's PROT_* and MAP_*; 0, and the test has failed, if that is refused. */
u32 case_map(struct aspace *aspace, u32 pages, u32 protection, u32 flags);
u32 case_map_object(struct aspace *aspace, struct object *object, u32 first, u32 pages, u32 protection, u32 flags);

/* Private, readable, writable memory. */
u32 case_memory(struct aspace *aspace, u32 pages);

/* A word of an address space, active or not. The test fails if it cannot be reached. */
void case_put(struct aspace *aspace, u32 address, u32 word);
u32 case_get(struct aspace *aspace, u32 address);

/* The word of a page, derived from its number in what is filled and from the seed; written to each page, and compared. */
u32 case_word(u32 page, u32 seed);
void case_fill(struct aspace *aspace, u32 address, u32 pages, u32 seed);
bool case_holds(struct aspace *aspace, u32 address, u32 pages, u32 seed);

/* The anon behind an address, or NULL. */
struct anon *case_anon(struct aspace *aspace, u32 address);

/* Resolves one fault and names the one kind it was counted as: "fault_zero_fill"; or says that it was none or several. The verdict of a
 * refused one is in case_verdict. */
const char *case_fault(struct aspace *aspace, u32 address, u32 access);
extern struct fault_verdict case_verdict;

/* The kind of a fault where only the entry of an anon was missing, which depends on accessed=. */
const char *case_soft(void);

/* Counters as they were. */
extern struct counters case_counters;
void case_count(void);
#define COUNTED(name) (counters.name - case_counters.name)

/* So many neighbours come with each page until case_end, whatever prefetch= says. */
void case_prefetch(u32 neighbours);

/* Evicts until the anon is out of memory; false if it stays. */
bool case_evict(const struct anon *anon);

/* Evicts whatever can be. */
void case_evict_all(void);

/* A device of 64 KiB whose byte at position p is case_byte(p); reading fails while case_device_broken. */
extern struct block_device case_device;
extern bool case_device_broken;
#define CASE_DEVICE_BYTES 65536u
u8 case_byte(u64 position);

/* Takes frames until so many are free; gives them back. */
void case_hoard(u32 leave);
void case_unhoard(void);

/* Takes every free slot of the swap area; gives them back. Without memory for the list none is taken. */
void case_hoard_slots(void);
void case_unhoard_slots(void);

/* Writes rubbish into many of the free frames, so that a frame given out uncleared shows. */
void case_soil_frames(void);

/* What must come back when a test has released all: frames of the user's, swap slots, anons. */
struct case_usage {
    u32 anonymous, object, anons, slots;
};
struct case_usage case_usage(void);
bool case_usage_is(const struct case_usage *usage);
