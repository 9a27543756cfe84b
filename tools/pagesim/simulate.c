/*
 * The simulator proper: it stands in for the fault handler and for reclaim.
 *
 *     reference to a page in memory    its bits are set, and the policy is told if it wants to know
 *     to a page that is out            the policy expects it; if no frame is free, its victim goes; the page comes in
 */
#include "tools/pagesim/simulate.h"

#include <stdlib.h>

#include "mm/policy/text.h"
#include "tools/pagesim/common.h"

static const struct simulation *
simulation_of(const struct policy_environment *world)
{
    return (const struct simulation *)world;
}

/* ---- What the policy sees ---- */

static bool
world_referenced(const struct policy_environment *world, uint32_t frame)
{
    uint8_t *bits = &simulation_of(world)->bits[frame];
    bool was = *bits & FRAME_REFERENCED;

    *bits &= (uint8_t)~FRAME_REFERENCED;
    return was;
}

static bool
world_dirty(const struct policy_environment *world, uint32_t frame)
{
    return simulation_of(world)->bits[frame] & FRAME_DIRTY;
}

static uint32_t
world_random(const struct policy_environment *world)
{
    return random_next(&((struct simulation *)world)->random);
}

static uint32_t
world_time(const struct policy_environment *world)
{
    return (uint32_t)simulation_of(world)->counts.references;
}

static uint32_t
world_next_use(const struct policy_environment *world, uint32_t frame)
{
    return simulation_of(world)->next_use[frame];
}

/* Dense numbers will do as names; 0 is none. */
static policy_page_t
world_page(const struct policy_environment *world, uint32_t frame)
{
    return (policy_page_t)simulation_of(world)->page_of[frame] + 1;
}

static void
world_describe(const struct policy_environment *world, uint32_t frame, struct policy_text *text)
{
    char name[TRACE_NAME_BYTES];

    trace_page_text(simulation_of(world)->trace, simulation_of(world)->page_of[frame], name, sizeof(name));
    text_add(text, name);
}

static void *
world_allocate(size_t bytes)
{
    return calloc(1, bytes);
}

void
simulation_start(struct simulation *simulation, const struct policy *policy, uint32_t frames, const struct trace *trace,
                 const uint32_t *future, const struct simulation_settings *settings)
{
    size_t numbers = (size_t)frames + 1;

    *simulation = (struct simulation){
        .policy = policy, .frames = frames, .trace = trace, .tick_every = settings->tick_every, .future = future,
        .free = allocate(numbers, sizeof(*simulation->free)), .bits = allocate(numbers, 1),
        .page_of = allocate(numbers, sizeof(*simulation->page_of)), .next_use = allocate(numbers, sizeof(*simulation->next_use)),
        .world = {
            .frames = frames + 1, .capacity = frames, .window = settings->window,
            .links = allocate(numbers, sizeof(*simulation->world.links)),
            .values = allocate(numbers, sizeof(*simulation->world.values)),
            .referenced = world_referenced, .dirty = world_dirty, .random = world_random, .time = world_time,
            .next_use = future ? world_next_use : NULL, .page = world_page, .describe = world_describe,
            .allocate = world_allocate, .release = free}};
    random_seed(&simulation->random, settings->seed);
    simulation->state = policy_start(policy, &simulation->world);
    if (!simulation->state)
        die("%s cannot start with %u frames: no memory", policy->name, frames);
}

void
simulation_stop(struct simulation *simulation)
{
    policy_stop(simulation->policy, simulation->state, &simulation->world);
    free(simulation->free);
    free(simulation->bits);
    free(simulation->page_of);
    free(simulation->frame_of);
    free(simulation->next_use);
    free(simulation->world.links);
    free(simulation->world.values);
}

/* ---- Victims ---- */

/* Whether the page in the frame belongs to the instruction whose record this is; those before it are looked at. */
static bool
instruction_uses(const struct simulation *simulation, const struct trace_record *record, uint32_t frame)
{
    while (record->continues) {
        record--;
        if (simulation->page_of[frame] == record->page)
            return true;
    }
    return false;
}

/* How many frames hold pages of this instruction, as far as it has come. */
static uint32_t
instruction_frames(const struct simulation *simulation, const struct trace_record *record)
{
    uint32_t count = 0;

    while (record->continues) {
        record--;
        count += simulation->frame_of[record->page] != POLICY_NONE;
    }
    return count;
}

/* The policy's first choice that the instruction does not use, as the kernel's reclaim does it: those before it are set aside
 * meanwhile. Where they are too many for the frames, anything goes. */
static uint32_t
victim_choose(struct simulation *simulation, const struct trace_record *record)
{
    uint32_t aside[TRACE_INSTRUCTION_PAGES], count = 0, victim = simulation->policy->select(simulation->state);

    if (!record->continues || instruction_frames(simulation, record) >= simulation->frames)
        return victim;
    while (instruction_uses(simulation, record, victim)) {
        aside[count++] = victim;
        simulation->policy->remove(simulation->state, victim);
        victim = simulation->policy->select(simulation->state);
    }
    while (count > 0)
        simulation->policy->insert(simulation->state, aside[--count]);
    return victim;
}

static void
frame_empty(struct simulation *simulation, uint32_t frame)
{
    simulation->frame_of[simulation->page_of[frame]] = POLICY_NONE;
    simulation->bits[frame] = 0;
}

static uint32_t
frame_evict(struct simulation *simulation, const struct trace_record *record)
{
    uint32_t victim = victim_choose(simulation, record);

    if (victim == POLICY_NONE || victim > simulation->frames || simulation->frame_of[simulation->page_of[victim]] != victim)
        die("policy %s names frame %u, which is none of its own", simulation->policy->name, victim);
    if (simulation->on_evict)
        simulation->on_evict(simulation, victim);
    simulation->counts.write_backs += (simulation->bits[victim] & FRAME_DIRTY) != 0;
    policy_evict(simulation->policy, simulation->state, victim);
    frame_empty(simulation, victim);
    return victim;
}

/* ---- Records ---- */

static uint32_t
page_fault(struct simulation *simulation, const struct trace_record *record)
{
    uint32_t frame;

    simulation->counts.faults++;
    if (simulation->policy->expect)
        simulation->policy->expect(simulation->state, (policy_page_t)record->page + 1);
    if (simulation->free_count)
        frame = simulation->free[--simulation->free_count];
    else if (simulation->used < simulation->frames)
        frame = ++simulation->used;
    else
        frame = frame_evict(simulation, record);
    simulation->page_of[frame] = record->page;
    simulation->frame_of[record->page] = frame;
    return frame;
}

static void
tick(struct simulation *simulation)
{
    simulation->ticks++;
    simulation->policy->tick(simulation->state);
}

static inline void
reference(struct simulation *simulation, const struct trace_record *record)
{
    uint32_t frame = simulation->frame_of[record->page];
    bool fault = frame == POLICY_NONE;

    if (fault)
        frame = page_fault(simulation, record);
    if (simulation->future)
        simulation->next_use[frame] = simulation->future[simulation->counts.references];
    if (fault)
        simulation->policy->insert(simulation->state, frame);
    else if (simulation->policy->reference)
        simulation->policy->reference(simulation->state, frame);
    simulation->bits[frame] |= record->kind == TRACE_WRITE ? FRAME_REFERENCED | FRAME_DIRTY : FRAME_REFERENCED;
    simulation->counts.references++;
    if (simulation->tick_every && simulation->policy->tick && simulation->counts.references % simulation->tick_every == 0)
        tick(simulation);
}

/* What is unmapped is gone: nothing is written back. */
static void
unmap(struct simulation *simulation, uint32_t page)
{
    uint32_t frame = simulation->frame_of[page];

    if (frame == POLICY_NONE)
        return;
    simulation->policy->remove(simulation->state, frame);
    frame_empty(simulation, frame);
    simulation->free[simulation->free_count++] = frame;
}

void
simulation_run(struct simulation *simulation, const struct trace_record *records, size_t count)
{
    simulation->frame_of = grow(simulation->frame_of, &simulation->page_capacity, simulation->trace->pages.count,
                                sizeof(*simulation->frame_of));
    for (size_t i = 0; i < count; i++) {
        if (trace_is_reference(&records[i]))
            reference(simulation, &records[i]);
        else if (records[i].kind == TRACE_UNMAP)
            unmap(simulation, records[i].page);
        else if (records[i].kind == TRACE_TICK && !simulation->tick_every && simulation->policy->tick)
            tick(simulation);
    }
}
