/*
 * What the tests of the pmap layer share: one address space, loaded, on a simulated processor.
 */
#pragma once

#include "mm/pmap.h"
#include "mm/pmap_table.h"
#include "tests/host/host.h"
#include "tests/host/stub/machine.h"

#define MEMORY_FRAMES 2048u

/* All sets of rights. */
#define RIGHTS_COUNT 4u
static const u32 rights_of[RIGHTS_COUNT] = {0, PMAP_WRITE, PMAP_EXECUTE, PMAP_WRITE | PMAP_EXECUTE};

static struct pmap space;

/* The format in force, an empty address space, loaded. */
static inline void
begin(void)
{
    machine_start(MEMORY_FRAMES);
    pmap_start(MEMORY_FRAMES);
    check(pmap_create(&space));
    pmap_activate(&space);
}

static inline struct frame *
take_frame(void)
{
    struct frame *frame = frame_allocate(FRAME_ANONYMOUS);

    check(frame != NULL);
    return frame;
}

static inline void
sound(void)
{
    check_sound(pmap_check(&space));
    check_sound(machine_stale());
}

/* Whether user code can do this at the page; if so, at the frame meant. */
static inline bool
can(u32 number, u32 access, const struct frame *frame)
{
    u32 address = (number << PAGE_SHIFT) + 0x123, physical;
    struct machine_fault fault;

    if (!machine_access(address, access, true, &physical, &fault))
        return false;
    check_equal(physical, physical_of(frame_number(frame)).value + 0x123);
    return true;
}

static inline enum pmap_found
enter(u32 number, struct frame *frame, u32 rights)
{
    enum pmap_found found = pmap_enter(&space, (page_t){number}, frame, rights);

    sound();
    return found;
}

static inline void
remove_pages(u32 start, u32 end)
{
    pmap_remove(&space, (page_t){start}, (page_t){end});
    sound();
}

/* Length of a frame's reverse map. */
static inline u32
mappings_of(const struct frame *frame)
{
    u32 count = 0;

    for (const struct mapping *mapping = &frame->first; mapping && mapping->pmap; mapping = mapping->next)
        count++;
    return count;
}
