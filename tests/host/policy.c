/*
 * Replacement policies: known answers (each simulated independently and published), properties, and a bookkeeping stress against a
 * naive model. A simulator of one process stands in for reclaim.
 */
#include "tests/host/host.h"

#include <string.h>

#include "mm/policy.h"
#include "mm/policy/text.h"

#define FRAMES_MAXIMUM 64u
#define PAGES_MAXIMUM 64u
#define REFERENCES_MAXIMUM 10000u

static bool referenced_bits[FRAMES_MAXIMUM + 1], dirty_bits[FRAMES_MAXIMUM + 1];
static u32 page_of_frame[FRAMES_MAXIMUM + 1];
static u32 asked;

/* The future of the string that is being simulated. */
static const u32 *string;
static u32 string_length, now;

static bool
environment_referenced(const struct policy_environment *world, uint32_t frame)
{
    bool was = referenced_bits[frame];

    (void)world;
    asked++;
    referenced_bits[frame] = false;
    return was;
}

static bool
environment_dirty(const struct policy_environment *world, uint32_t frame)
{
    (void)world;
    return dirty_bits[frame];
}

static uint32_t
environment_random(const struct policy_environment *world)
{
    (void)world;
    return random_next(&host_random);
}

static uint32_t
environment_time(const struct policy_environment *world)
{
    (void)world;
    return now;
}

static uint32_t
environment_next_use(const struct policy_environment *world, uint32_t frame)
{
    (void)world;
    for (u32 i = now + 1; i < string_length; i++)
        if (string[i] == page_of_frame[frame])
            return i;
    return POLICY_NEVER;
}

static policy_page_t
environment_page(const struct policy_environment *world, uint32_t frame)
{
    (void)world;
    return page_of_frame[frame] + 1;
}

static void
environment_describe(const struct policy_environment *world, uint32_t frame, struct policy_text *text)
{
    (void)world;
    text_number(text, page_of_frame[frame]);
}

static void *
environment_allocate(size_t bytes)
{
    return host_may_allocate() ? calloc(1, bytes) : NULL;
}

static struct policy_link links[FRAMES_MAXIMUM + 1];
static uint32_t values[FRAMES_MAXIMUM + 1];

static struct policy_environment environment = {
    .links = links, .values = values, .window = 5, .referenced = environment_referenced, .dirty = environment_dirty, .random = environment_random,
    .time = environment_time, .next_use = environment_next_use, .page = environment_page, .describe = environment_describe,
    .allocate = environment_allocate, .release = free};

static struct policy_state *
policy_begin(const struct policy *policy, u32 frames)
{
    struct policy_state *state;

    environment.frames = frames + 1;
    environment.capacity = frames;
    memset(referenced_bits, 0, sizeof(referenced_bits));
    memset(dirty_bits, 0, sizeof(dirty_bits));
    state = policy_start(policy, &environment);
    check(state);
    check_equal(policy->select(state), POLICY_NONE);
    return state;
}

/* ---- The simulator ----------------------------------------------------- */

/* A victim, of which the policy gives some account. */
static u32
simulate_victim(const struct policy *policy, struct policy_state *state, u32 frames)
{
    u32 frame = policy->select(state);
    char line[40];
    struct policy_text text = text_start(line, sizeof(line));

    check(frame > 0 && frame <= frames);
    policy->explain(state, frame, &text);
    check(strlen(line) > 0 && strlen(line) < sizeof(line));
    return frame;
}

/* Page faults of a reference string, cold ones included. */
static u32
simulate(const struct policy *policy, const u32 *references, u32 count, u32 frames)
{
    struct policy_state *state = policy_begin(policy, frames);
    u32 frame_of_page[PAGES_MAXIMUM] = {0}, used = 0, faults = 0;

    string = references;
    string_length = count;
    for (now = 0; now < count; now++) {
        u32 page = references[now], frame = frame_of_page[page];

        if (frame) {
            if (policy->reference)
                policy->reference(state, frame);
        } else {
            faults++;
            if (policy->expect)
                policy->expect(state, page + 1);
            if (used < frames) {
                frame = ++used;
            } else {
                frame = simulate_victim(policy, state, frames);
                policy_evict(policy, state, frame);
                frame_of_page[page_of_frame[frame]] = 0;
            }
            frame_of_page[page] = frame;
            page_of_frame[frame] = page;
            policy->insert(state, frame);
        }
        referenced_bits[frame] = true;
        if (policy->tick && now % 8 == 7)
            policy->tick(state);
    }
    policy_stop(policy, state, &environment);
    return faults;
}

/* What the best policy would have: it evicts the page that is used again last. */
static u32
simulate_optimal(const u32 *references, u32 count, u32 frames)
{
    u32 resident[FRAMES_MAXIMUM], used = 0, faults = 0;

    for (u32 i = 0; i < count; i++) {
        u32 victim = 0, farthest = 0;
        bool hit = false;

        for (u32 j = 0; j < used; j++)
            hit |= resident[j] == references[i];
        if (hit)
            continue;
        faults++;
        if (used < frames) {
            resident[used++] = references[i];
            continue;
        }
        for (u32 j = 0; j < used; j++) {
            u32 next = i + 1;

            while (next < count && references[next] != resident[j])
                next++;
            if (next > farthest) {
                farthest = next;
                victim = j;
            }
        }
        resident[victim] = references[i];
    }
    return faults;
}

/* ---- Known answers ----------------------------------------------------- */

struct golden {
    const char *references;
    u32 frames, fifo, lru, optimal, clock;
};

static const struct golden goldens[] = {
    {"0 1 2 3 0 1 4 0 1 2 3 4", 3, 9, 10, 7, 9},
    {"0 1 2 3 0 1 4 0 1 2 3 4", 4, 10, 8, 6, 10},
    {"7 0 1 2 0 3 0 4 2 3 0 3 2 1 2 0 1 7 0 1", 3, 15, 12, 9, 14},
    {"7 0 1 2 0 3 0 4 2 3 0 3 2 1 2 0 1 7 0 1", 4, 10, 8, 8, 9},
    {"1 2 3 4 1 2 5 1 2 3 4 5", 3, 9, 10, 7, 9},
    {"1 2 3 4 1 2 5 1 2 3 4 5", 4, 10, 8, 6, 10},
    {"0 1 2 0 1 3 0 3 1 2 1", 3, 7, 5, 5, 7},
    {"2 3 2 1 5 2 4 5 3 2 5 2", 3, 9, 7, 6, 8},
    {"1 2 3 2 4 1 3 2 4 1", 3, 6, 9, 5, 6},
    {"1 2 3 4 3 1 4 2 5 2 1 2 3 4 5 1", 4, 11, 9, 6, 9},
};

static u32
parse(const char *text, u32 *references)
{
    char *end;
    u32 count = 0;

    for (u32 page = (u32)strtoul(text, &end, 10); end != text; page = (u32)strtoul(text, &end, 10)) {
        references[count++] = page;
        text = end;
    }
    return count;
}

static void
known_answers(void)
{
    u32 references[64];

    for (u32 i = 0; i < ARRAY_SIZE(goldens); i++) {
        u32 count = parse(goldens[i].references, references), frames = goldens[i].frames;

        check_equal(simulate(&policy_fifo, references, count, frames), goldens[i].fifo);
        check_equal(simulate(&policy_lru, references, count, frames), goldens[i].lru);
        check_equal(simulate(&policy_clock, references, count, frames), goldens[i].clock);
        check_equal(simulate(&policy_opt, references, count, frames), goldens[i].optimal);
        check_equal(simulate_optimal(references, count, frames), goldens[i].optimal);
    }
}

/* OSTEP's loop: one frame too few, and every reference faults. */
static void
loop_defeats_fifo_and_clock(void)
{
    static u32 references[REFERENCES_MAXIMUM];

    for (u32 i = 0; i < REFERENCES_MAXIMUM; i++)
        references[i] = i % 50;
    check_equal(simulate(&policy_fifo, references, REFERENCES_MAXIMUM, 49), 10000);
    check_equal(simulate(&policy_clock, references, REFERENCES_MAXIMUM, 49), 10000);
    check_equal(simulate(&policy_fifo, references, REFERENCES_MAXIMUM, 50), 50);
    check_equal(simulate(&policy_clock, references, REFERENCES_MAXIMUM, 50), 50);
    check_equal(simulate(&policy_random, references, REFERENCES_MAXIMUM, 50), 50);
    /* No memory of the past, so a loop does not defeat it. */
    check(simulate(&policy_random, references, REFERENCES_MAXIMUM, 49) < 5000);
}

/* ---- Properties -------------------------------------------------------- */

static void
no_policy_beats_the_optimal_one(void)
{
    for (u32 round = 0; round < 60; round++) {
        u32 references[200], pages = 2 + host_below(20), frames = 1 + host_below(pages);

        for (u32 i = 0; i < ARRAY_SIZE(references); i++)
            references[i] = host_below(pages);
        for (u32 i = 0; i < policy_count; i++) {
            u32 faults = simulate(policy_list[i], references, ARRAY_SIZE(references), frames);

            check(faults >= simulate_optimal(references, ARRAY_SIZE(references), frames));
            check(faults <= ARRAY_SIZE(references));
        }
    }
}

static void
with_a_frame_for_each_page_every_policy_faults_once_a_page(void)
{
    u32 references[500];
    bool seen[20] = {false};
    u32 distinct = 0;

    for (u32 i = 0; i < ARRAY_SIZE(references); i++) {
        references[i] = host_below(20);
        distinct += !seen[references[i]];
        seen[references[i]] = true;
    }
    for (u32 i = 0; i < policy_count; i++)
        check_equal(simulate(policy_list[i], references, ARRAY_SIZE(references), 20), distinct);
}

/* ---- Each policy's own rule -------------------------------------------- */

static void
fifo_names_the_oldest_whatever_is_used_or_removed(void)
{
    struct policy_state *fifo = policy_begin(&policy_fifo, 8);

    for (u32 frame = 1; frame <= 5; frame++)
        policy_fifo.insert(fifo, frame);
    referenced_bits[1] = true;
    check_equal(policy_fifo.select(fifo), 1);
    check_equal(policy_fifo.select(fifo), 1);       /* naming changes nothing */
    policy_fifo.remove(fifo, 3);
    policy_fifo.remove(fifo, 1);
    policy_fifo.insert(fifo, 1);
    check_equal(policy_fifo.select(fifo), 2);
    policy_fifo.remove(fifo, 2);
    check_equal(policy_fifo.select(fifo), 4);
    policy_fifo.remove(fifo, 4);
    check_equal(policy_fifo.select(fifo), 5);
    policy_fifo.remove(fifo, 5);
    check_equal(policy_fifo.select(fifo), 1);
    policy_fifo.remove(fifo, 1);
    check_equal(policy_fifo.select(fifo), POLICY_NONE);
    policy_stop(&policy_fifo, fifo, &environment);
}

static void
clock_gives_what_was_used_a_second_chance(void)
{
    struct policy_state *clock = policy_begin(&policy_clock, 8);

    for (u32 frame = 1; frame <= 4; frame++)
        policy_clock.insert(clock, frame);
    referenced_bits[1] = referenced_bits[2] = true;
    check_equal(policy_clock.select(clock), 3);
    check(!referenced_bits[1] && !referenced_bits[2]);  /* passed over, and cleared */
    check_equal(asked, 3);                              /* no further than the victim */
    policy_clock.remove(clock, 3);
    policy_clock.insert(clock, 3);                             /* behind the hand: reached last */
    referenced_bits[4] = true;
    check_equal(policy_clock.select(clock), 1);
    policy_stop(&policy_clock, clock, &environment);
}

static void
clock_ends_when_every_page_was_used(void)
{
    struct policy_state *clock = policy_begin(&policy_clock, 8);

    for (u32 frame = 1; frame <= 4; frame++) {
        policy_clock.insert(clock, frame);
        referenced_bits[frame] = true;
    }
    check_equal(policy_clock.select(clock), 1);
    for (u32 frame = 1; frame <= 4; frame++)
        check(!referenced_bits[frame]);
    policy_stop(&policy_clock, clock, &environment);
}

static bool
always_referenced(const struct policy_environment *world, uint32_t frame)
{
    (void)world;
    (void)frame;
    return true;
}

static void
clock_ends_even_if_bits_cannot_be_cleared(void)
{
    struct policy_state *clock;

    environment.referenced = always_referenced;
    clock = policy_begin(&policy_clock, 8);
    policy_clock.insert(clock, 5);
    policy_clock.insert(clock, 6);
    check(policy_clock.select(clock) >= 5);
    policy_stop(&policy_clock, clock, &environment);
}

static void
random_names_every_frame_about_as_often(void)
{
    u32 named[9] = {0};

    struct policy_state *random = policy_begin(&policy_random, 8);

    for (u32 frame = 1; frame <= 8; frame++)
        policy_random.insert(random, frame);
    for (u32 i = 0; i < 8000; i++)
        named[policy_random.select(random)]++;
    for (u32 frame = 1; frame <= 8; frame++)
        check(named[frame] > 800 && named[frame] < 1200);
    policy_stop(&policy_random, random, &environment);
}

/* ---- Bookkeeping ------------------------------------------------------- */

/* Frames in the order in which they came in. */
struct members {
    u32 order[FRAMES_MAXIMUM], count;
    bool in[FRAMES_MAXIMUM + 1];
};

static void
members_toggle(struct members *members, u32 frame)
{
    u32 at = 0;

    members->in[frame] = !members->in[frame];
    if (members->in[frame]) {
        members->order[members->count++] = frame;
        return;
    }
    while (members->order[at] != frame)
        at++;
    members->count--;
    memmove(members->order + at, members->order + at + 1, (members->count - at) * sizeof(*members->order));
}

/* One event at random, for a frame that is in, or for one that is out. */
static void
stress_event(const struct policy *policy, struct policy_state *state, struct members *members, u32 frame)
{
    policy_page_t page = 1 + host_below(3 * FRAMES_MAXIMUM);

    if (policy->expect && host_below(3) == 0)
        policy->expect(state, page);
    if (policy->tick && host_below(50) == 0)
        policy->tick(state);
    if (members->in[frame] && host_below(2)) {
        if (policy->reference)
            policy->reference(state, frame);
        return;
    }
    if (!members->in[frame]) {
        page_of_frame[frame] = (u32)page - 1;
        policy->insert(state, frame);
    } else if (host_below(2)) {
        policy->remove(state, frame);
    } else {
        frame = policy->select(state);
        policy_evict(policy, state, frame);
    }
    members_toggle(members, frame);
}

/* Frames come and go in any order; the victim is always one that is in, and the oldest one under FIFO. */
static void
stress(const struct policy *policy)
{
    struct policy_state *state = policy_begin(policy, FRAMES_MAXIMUM);
    struct members members = {.count = 0};

    string_length = 0;
    for (now = 0; now < 20000; now++) {
        u32 frame = 1 + host_below(FRAMES_MAXIMUM), victim;

        referenced_bits[frame] = host_below(2);
        dirty_bits[frame] = host_below(2);
        stress_event(policy, state, &members, frame);
        victim = policy->select(state);
        check(members.count ? victim != POLICY_NONE && members.in[victim] : victim == POLICY_NONE);
        if (policy == &policy_fifo && members.count)
            check_equal(victim, members.order[0]);
    }
    while (members.count)
        policy->remove(state, members.order[--members.count]);
    check_equal(policy->select(state), POLICY_NONE);
    policy_stop(policy, state, &environment);
}

static void
every_victim_is_a_frame_that_is_in(void)
{
    for (u32 i = 0; i < policy_count; i++)
        stress(policy_list[i]);
}

/* Two instances on the same tables, with frames of their own each, do not see each other. */
static void
instances_share_the_tables(void)
{
    for (u32 i = 0; i < policy_count; i++) {
        struct policy_state *odd = policy_begin(policy_list[i], FRAMES_MAXIMUM);
        struct policy_state *even = policy_start(policy_list[i], &environment);

        for (u32 frame = 1; frame <= FRAMES_MAXIMUM; frame++) {
            page_of_frame[frame] = frame;
            policy_list[i]->insert(frame % 2 ? odd : even, frame);
        }
        for (u32 left = FRAMES_MAXIMUM / 2; left > 0; left--) {
            u32 victim = policy_list[i]->select(odd);

            check_equal(victim % 2, 1);
            policy_evict(policy_list[i], odd, victim);
            check_equal(policy_list[i]->select(even) % 2, 0);
        }
        check_equal(policy_list[i]->select(odd), POLICY_NONE);
        policy_stop(policy_list[i], odd, &environment);
        policy_stop(policy_list[i], even, &environment);
    }
}

/* From each to each, and every frame arrives; the order of a queue is kept. */
static void
moving_loses_no_frame(void)
{
    for (u32 i = 0; i < policy_count * policy_count; i++) {
        const struct policy *from = policy_list[i / policy_count], *to = policy_list[i % policy_count];
        struct policy_state *old = policy_begin(from, FRAMES_MAXIMUM), *new = policy_start(to, &environment);
        bool seen[FRAMES_MAXIMUM + 1] = {false};
        u32 victim, count = 0;

        for (u32 frame = 1; frame <= FRAMES_MAXIMUM; frame++) {
            page_of_frame[frame] = frame % PAGES_MAXIMUM;
            from->insert(old, frame);
        }
        memset(referenced_bits, true, sizeof(referenced_bits));
        asked = 0;
        policy_move(from, old, to, new);
        check_equal(asked, 0);                          /* what is in the bits is for the new one */
        check_equal(from->select(old), POLICY_NONE);
        policy_stop(from, old, &environment);
        while ((victim = to->select(new)) != POLICY_NONE) {
            check(!seen[victim]);
            seen[victim] = true;
            count++;
            if ((from == &policy_lru || from == &policy_clock) && to == &policy_fifo)
                check_equal(victim, count);
            to->remove(new, victim);
        }
        check_equal(count, FRAMES_MAXIMUM);
        policy_stop(to, new, &environment);
    }
}

/* Each allocation of each policy fails once; nothing is kept then. (The sanitizer looks for leaks.) */
static void
start_fails_without_memory(void)
{
    environment.frames = 8;
    environment.capacity = 7;
    for (u32 i = 0; i < policy_count; i++) {
        struct policy_state *state = NULL;

        for (u32 enough = 0; !state; enough++) {
            check(enough < 10);
            host_allocations_left = enough;
            state = policy_start(policy_list[i], &environment);
        }
        policy_stop(policy_list[i], state, &environment);
    }
    host_allocations_left = HOST_UNLIMITED;
}

static void
opt_needs_the_future(void)
{
    environment.next_use = NULL;
    environment.frames = 8;
    environment.capacity = 7;
    check(!policy_start(&policy_opt, &environment));
}

static void
policies_are_found_by_name(void)
{
    for (u32 i = 0; i < policy_count; i++)
        check(policy_find(policy_list[i]->name) == policy_list[i]);
    check(!policy_find("belady"));
    check(!policy_find("fif"));
    check(!policy_find("fifoo"));
    check(!policy_find(""));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_CASE(known_answers, ""),
        HOST_CASE(loop_defeats_fifo_and_clock, ""),
        HOST_CASE(no_policy_beats_the_optimal_one, ""),
        HOST_CASE(with_a_frame_for_each_page_every_policy_faults_once_a_page, ""),
        HOST_CASE(fifo_names_the_oldest_whatever_is_used_or_removed, ""),
        HOST_CASE(clock_gives_what_was_used_a_second_chance, ""),
        HOST_CASE(clock_ends_when_every_page_was_used, ""),
        HOST_CASE(clock_ends_even_if_bits_cannot_be_cleared, ""),
        HOST_CASE(random_names_every_frame_about_as_often, ""),
        HOST_CASE(every_victim_is_a_frame_that_is_in, ""),
        HOST_CASE(instances_share_the_tables, ""),
        HOST_CASE(moving_loses_no_frame, ""),
        HOST_CASE(start_fails_without_memory, ""),
        HOST_CASE(opt_needs_the_future, ""),
        HOST_CASE(policies_are_found_by_name, ""),
    };

    return host_run(tests);
}
