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
    uint32_t room = settings->follows_kernel ? TRACE_FRAMES_MOST : frames;
    size_t numbers = (size_t)room + 1;

    if (frames > room)
        die("%s: %u frames are more than the kernel has", trace->name, frames);
    *simulation = (struct simulation){
        .policy = policy, .frames = frames, .room = room, .trace = trace, .tick_every = settings->tick_every, .future = future,
        .follows_kernel = settings->follows_kernel,
        .free = allocate(numbers, sizeof(*simulation->free)), .bits = allocate(numbers, 1),
        .page_of = allocate(numbers, sizeof(*simulation->page_of)), .next_use = allocate(numbers, sizeof(*simulation->next_use)),
        .world = {
            .frames = room + 1, .capacity = settings->follows_kernel ? policy_capacity(0, frames) : frames,
            .window = settings->window,
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

static bool
instruction_uses(const struct simulation *simulation, uint32_t page)
{
    for (uint32_t i = 0; i < simulation->instruction_count; i++)
        if (simulation->instruction[i] == page)
            return true;
    return false;
}

/* How many frames hold pages of this instruction, as far as it has come. */
static uint32_t
instruction_frames(const struct simulation *simulation)
{
    const uint32_t *pages = simulation->instruction;
    uint32_t count = 0;

    for (uint32_t i = 0; i < simulation->instruction_count; i++) {
        bool again = false;

        for (uint32_t j = 0; j < i; j++)
            again |= pages[j] == pages[i];
        count += !again && simulation->frame_of[pages[i]] != POLICY_NONE;
    }
    return count;
}

static inline void
instruction_note(struct simulation *simulation, uint32_t page)
{
    if (simulation->instruction_count < TRACE_INSTRUCTION_PAGES)
        simulation->instruction[simulation->instruction_count++] = page;
}

static void
frame_empty(struct simulation *simulation, uint32_t frame)
{
    simulation->frame_of[simulation->page_of[frame]] = POLICY_NONE;
    simulation->bits[frame] = 0;
    simulation->resident--;
    simulation->free[simulation->free_count++] = frame;
}

static void
frame_give_up(struct simulation *simulation, uint32_t victim)
{
    if (simulation->on_evict)
        simulation->on_evict(simulation, victim);
    simulation->counts.write_backs += (simulation->bits[victim] & FRAME_DIRTY) != 0;
    policy_evict(simulation->policy, simulation->state, victim);
    frame_empty(simulation, victim);
}

static uint32_t
victim_select(struct simulation *simulation)
{
    uint32_t victim = simulation->policy->select(simulation->state);

    if (victim == POLICY_NONE || victim > simulation->room || simulation->frame_of[simulation->page_of[victim]] != victim)
        die("policy %s names frame %u, which is none of its own", simulation->policy->name, victim);
    return victim;
}

/* The policy's first choice that the instruction does not use goes, as in the kernel's reclaim: those before it are set aside
 * meanwhile. False if it uses all that are in memory. */
static bool
frame_evict_unused(struct simulation *simulation)
{
    uint32_t aside[TRACE_INSTRUCTION_PAGES], count = 0, resident = simulation->resident;
    bool found = false;

    while (!found && count < resident) {
        uint32_t victim = victim_select(simulation);

        found = !instruction_uses(simulation, simulation->page_of[victim]);
        if (found) {
            frame_give_up(simulation, victim);
        } else {
            simulation->policy->remove(simulation->state, victim);
            aside[count++] = victim;
        }
    }
    while (count > 0)
        simulation->policy->insert(simulation->state, aside[--count]);
    return found;
}

/* Where the instruction uses all, the kernel goes on with one frame more; else the policy's first choice goes then. */
static bool
frame_evict(struct simulation *simulation)
{
    if (simulation->follows_kernel || !simulation->instruction_count || instruction_frames(simulation) < simulation->resident)
        return frame_evict_unused(simulation);
    frame_give_up(simulation, victim_select(simulation));
    return true;
}

/* The page gets the frame that was freed last, or one that never was in use. */
static uint32_t
frame_take(struct simulation *simulation, uint32_t page)
{
    uint32_t frame = simulation->free_count ? simulation->free[--simulation->free_count] : ++simulation->used;

    simulation->resident++;
    simulation->page_of[frame] = page;
    simulation->frame_of[page] = frame;
    return frame;
}

/* ---- Records ---- */

static uint32_t
page_fault(struct simulation *simulation, uint32_t page)
{
    simulation->counts.faults++;
    if (simulation->policy->expect)
        simulation->policy->expect(simulation->state, (policy_page_t)page + 1);
    while (simulation->resident >= simulation->frames && frame_evict(simulation))
        ;
    return frame_take(simulation, page);
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

    if (!record->continues)
        simulation->instruction_count = 0;
    if (fault)
        frame = page_fault(simulation, record->page);
    if (simulation->future)
        simulation->next_use[frame] = simulation->future[simulation->position++];
    if (fault)
        simulation->policy->insert(simulation->state, frame);
    else if (simulation->policy->reference)
        simulation->policy->reference(simulation->state, frame);
    simulation->bits[frame] |= record->event == TRACE_WRITE ? FRAME_REFERENCED | FRAME_DIRTY : FRAME_REFERENCED;
    simulation->counts.references++;
    instruction_note(simulation, record->page);
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
}

static void
pages_grow(struct simulation *simulation)
{
    simulation->frame_of = grow(simulation->frame_of, &simulation->page_capacity, simulation->trace->pages.count,
                                sizeof(*simulation->frame_of));
}

void
simulation_run(struct simulation *simulation, const struct trace_record *records, size_t count)
{
    pages_grow(simulation);
    for (size_t i = 0; i < count; i++) {
        if (trace_is_reference(&records[i]))
            reference(simulation, &records[i]);
        else if (records[i].event == TRACE_UNMAP)
            unmap(simulation, records[i].page);
        else if (records[i].event == TRACE_RETURN)
            simulation->position++;
        else if (records[i].event == TRACE_TICK && !simulation->tick_every && simulation->policy->tick)
            tick(simulation);
    }
}

/* ---- Following the kernel ---- */

/* A new instance of the policy takes everything over. */
static void
simulation_renew(struct simulation *simulation, const struct policy *policy)
{
    struct policy_state *state = policy_start(policy, &simulation->world);

    if (!state)
        die("%s cannot start with %u frames: no memory, or no future", policy->name, simulation->frames);
    policy_move(simulation->policy, simulation->state, policy, state);
    policy_stop(simulation->policy, simulation->state, &simulation->world);
    simulation->policy = policy;
    simulation->state = state;
}

void
simulation_set_frames(struct simulation *simulation, uint32_t frames)
{
    uint32_t capacity = policy_capacity(simulation->world.capacity, frames);

    if (capacity != simulation->world.capacity && simulation->resident <= capacity) {
        simulation->world.capacity = capacity;
        simulation_renew(simulation, simulation->policy);
    }
    simulation->frames = frames;
}

void
simulation_set_policy(struct simulation *simulation, const struct policy *policy)
{
    if (policy != simulation->policy)
        simulation_renew(simulation, policy);
}

/* The policy learns of a page that is in memory, unreferenced and clean, whatever the number of frames. */
static void
page_return(struct simulation *simulation, uint32_t page)
{
    uint32_t frame;

    if (simulation->frame_of[page] != POLICY_NONE)
        return;
    frame = frame_take(simulation, page);
    if (simulation->future)
        simulation->next_use[frame] = simulation->future[simulation->position];
    simulation->policy->insert(simulation->state, frame);
}

void
simulation_hear(struct simulation *simulation, const struct trace_record *record)
{
    pages_grow(simulation);
    switch ((enum trace_event)record->event) {
    case TRACE_RETURN: page_return(simulation, record->page); break;
    case TRACE_LEAVE: unmap(simulation, record->page); break;
    case TRACE_DIRTY:
        if (simulation->frame_of[record->page] != POLICY_NONE)
            simulation->bits[simulation->frame_of[record->page]] |= FRAME_DIRTY;
        break;
    case TRACE_SHORT:
        frame_evict(simulation);
        break;
    default: simulation_run(simulation, record, 1);
    }
}
