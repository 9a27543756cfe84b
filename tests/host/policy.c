/*
 * Replacement policies: known answers (each simulated independently and published), properties, and a bookkeeping stress against a
 * naive model. A simulator of one process stands in for reclaim.
 */
#include "tests/host/host.h"

#include <string.h>

#include "mm/policy.h"

#define FRAMES_MAXIMUM 64u
#define PAGES_MAXIMUM 64u
#define REFERENCES_MAXIMUM 10000u

static bool referenced_bits[FRAMES_MAXIMUM + 1];
static u32 asked;

static bool
environment_referenced(uint32_t frame)
{
    bool was = referenced_bits[frame];

    asked++;
    referenced_bits[frame] = false;
    return was;
}

static uint32_t
environment_random(void)
{
    return random_next(&host_random);
}

/* Freed never, as the contract says: the children of the test end soon. */
static void *
environment_allocate(size_t bytes)
{
    static char pool[1 << 20] __attribute__((aligned(8)));
    static size_t used;
    void *memory = pool + used;

    used += (bytes + 7) & ~(size_t)7;
    return used <= sizeof(pool) ? memory : NULL;
}

static struct policy_environment environment = {
    .referenced = environment_referenced, .random = environment_random, .allocate = environment_allocate};

static void
policy_begin(const struct policy *policy, u32 frames)
{
    environment.frames = frames + 1;
    memset(referenced_bits, 0, sizeof(referenced_bits));
    check(policy->start(&environment));
    check_equal(policy->select(), POLICY_NONE);
}

/* ---- The simulator ----------------------------------------------------- */

/* Page faults of a reference string, cold ones included. */
static u32
simulate(const struct policy *policy, const u32 *references, u32 count, u32 frames)
{
    u32 frame_of_page[PAGES_MAXIMUM] = {0}, page_of_frame[FRAMES_MAXIMUM + 1] = {0}, used = 0, faults = 0;

    policy_begin(policy, frames);
    for (u32 i = 0; i < count; i++) {
        u32 page = references[i], frame = frame_of_page[page];

        if (!frame) {
            faults++;
            if (used < frames) {
                frame = ++used;
            } else {
                frame = policy->select();
                check(frame > 0 && frame <= frames);
                policy->remove(frame);
                frame_of_page[page_of_frame[frame]] = 0;
            }
            frame_of_page[page] = frame;
            page_of_frame[frame] = page;
            policy->insert(frame);
        }
        referenced_bits[frame] = true;
    }
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
    u32 frames, fifo, optimal, clock;
};

static const struct golden goldens[] = {
    {"0 1 2 3 0 1 4 0 1 2 3 4", 3, 9, 7, 9},
    {"0 1 2 3 0 1 4 0 1 2 3 4", 4, 10, 6, 10},
    {"7 0 1 2 0 3 0 4 2 3 0 3 2 1 2 0 1 7 0 1", 3, 15, 9, 14},
    {"7 0 1 2 0 3 0 4 2 3 0 3 2 1 2 0 1 7 0 1", 4, 10, 8, 9},
    {"1 2 3 4 1 2 5 1 2 3 4 5", 3, 9, 7, 9},
    {"1 2 3 4 1 2 5 1 2 3 4 5", 4, 10, 6, 10},
    {"0 1 2 0 1 3 0 3 1 2 1", 3, 7, 5, 7},
    {"2 3 2 1 5 2 4 5 3 2 5 2", 3, 9, 6, 8},
    {"1 2 3 2 4 1 3 2 4 1", 3, 6, 5, 6},
    {"1 2 3 4 3 1 4 2 5 2 1 2 3 4 5 1", 4, 11, 6, 9},
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
fifo_has_the_known_answers(void)
{
    u32 references[64];

    for (u32 i = 0; i < ARRAY_SIZE(goldens); i++) {
        u32 count = parse(goldens[i].references, references);

        check_equal(simulate(&policy_fifo, references, count, goldens[i].frames), goldens[i].fifo);
        check_equal(simulate_optimal(references, count, goldens[i].frames), goldens[i].optimal);
    }
}

static void
clock_has_the_known_answers(void)
{
    u32 references[64];

    for (u32 i = 0; i < ARRAY_SIZE(goldens); i++) {
        u32 count = parse(goldens[i].references, references);

        check_equal(simulate(&policy_clock, references, count, goldens[i].frames), goldens[i].clock);
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

static const struct policy *const policies[] = {&policy_fifo, &policy_random, &policy_clock};

static void
no_policy_beats_the_optimal_one(void)
{
    for (u32 round = 0; round < 60; round++) {
        u32 references[200], pages = 2 + host_below(20), frames = 1 + host_below(pages);

        for (u32 i = 0; i < ARRAY_SIZE(references); i++)
            references[i] = host_below(pages);
        for (u32 i = 0; i < ARRAY_SIZE(policies); i++) {
            u32 faults = simulate(policies[i % 3], references, ARRAY_SIZE(references), frames);

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
    for (u32 i = 0; i < ARRAY_SIZE(policies); i++)
        check_equal(simulate(policies[i], references, ARRAY_SIZE(references), 20), distinct);
}

/* ---- Each policy's own rule -------------------------------------------- */

static void
fifo_names_the_oldest_whatever_is_used_or_removed(void)
{
    policy_begin(&policy_fifo, 8);
    for (u32 frame = 1; frame <= 5; frame++)
        policy_fifo.insert(frame);
    referenced_bits[1] = true;
    check_equal(policy_fifo.select(), 1);
    check_equal(policy_fifo.select(), 1);       /* naming changes nothing */
    policy_fifo.remove(3);
    policy_fifo.remove(1);
    policy_fifo.insert(1);
    check_equal(policy_fifo.select(), 2);
    policy_fifo.remove(2);
    check_equal(policy_fifo.select(), 4);
    policy_fifo.remove(4);
    check_equal(policy_fifo.select(), 5);
    policy_fifo.remove(5);
    check_equal(policy_fifo.select(), 1);
    policy_fifo.remove(1);
    check_equal(policy_fifo.select(), POLICY_NONE);
}

static void
clock_gives_what_was_used_a_second_chance(void)
{
    policy_begin(&policy_clock, 8);
    for (u32 frame = 1; frame <= 4; frame++)
        policy_clock.insert(frame);
    referenced_bits[1] = referenced_bits[2] = true;
    check_equal(policy_clock.select(), 3);
    check(!referenced_bits[1] && !referenced_bits[2]);  /* passed over, and cleared */
    check_equal(asked, 3);                              /* no further than the victim */
    policy_clock.remove(3);
    policy_clock.insert(3);                             /* behind the hand: reached last */
    referenced_bits[4] = true;
    check_equal(policy_clock.select(), 1);
}

static void
clock_ends_when_every_page_was_used(void)
{
    policy_begin(&policy_clock, 8);
    for (u32 frame = 1; frame <= 4; frame++) {
        policy_clock.insert(frame);
        referenced_bits[frame] = true;
    }
    check_equal(policy_clock.select(), 1);
    for (u32 frame = 1; frame <= 4; frame++)
        check(!referenced_bits[frame]);
}

static bool
always_referenced(uint32_t frame)
{
    (void)frame;
    return true;
}

static void
clock_ends_even_if_bits_cannot_be_cleared(void)
{
    environment.referenced = always_referenced;
    policy_begin(&policy_clock, 8);
    policy_clock.insert(5);
    policy_clock.insert(6);
    check(policy_clock.select() >= 5);
}

static void
random_names_every_frame_about_as_often(void)
{
    u32 named[9] = {0};

    policy_begin(&policy_random, 8);
    for (u32 frame = 1; frame <= 8; frame++)
        policy_random.insert(frame);
    for (u32 i = 0; i < 8000; i++)
        named[policy_random.select()]++;
    for (u32 frame = 1; frame <= 8; frame++)
        check(named[frame] > 800 && named[frame] < 1200);
}

/* ---- Bookkeeping ------------------------------------------------------- */

/* Frames come and go in any order; the victim is always one that is in, and the oldest one under FIFO. */
static void
stress(const struct policy *policy)
{
    u32 order[FRAMES_MAXIMUM], count = 0;
    bool in[FRAMES_MAXIMUM + 1] = {false};

    policy_begin(policy, FRAMES_MAXIMUM);
    for (u32 step = 0; step < 20000; step++) {
        u32 frame = 1 + host_below(FRAMES_MAXIMUM), victim, at = 0;

        referenced_bits[frame] = host_below(2);
        if (in[frame]) {
            policy->remove(frame);
            while (order[at] != frame)
                at++;
            memmove(order + at, order + at + 1, (count - at - 1) * sizeof(*order));
            count--;
        } else {
            policy->insert(frame);
            order[count++] = frame;
        }
        in[frame] = !in[frame];
        victim = policy->select();
        check(count ? victim != POLICY_NONE && in[victim] : victim == POLICY_NONE);
        if (policy == &policy_fifo && count)
            check_equal(victim, order[0]);
    }
    while (count)
        policy->remove(order[--count]);
    check_equal(policy->select(), POLICY_NONE);
}

static void
every_victim_is_a_frame_that_is_in(void)
{
    for (u32 i = 0; i < ARRAY_SIZE(policies); i++)
        stress(policies[i]);
}

static void *
environment_allocate_nothing(size_t bytes)
{
    (void)bytes;
    return NULL;
}

static void
start_fails_without_memory(void)
{
    environment.frames = 8;
    environment.allocate = environment_allocate_nothing;
    for (u32 i = 0; i < ARRAY_SIZE(policies); i++)
        check(!policies[i]->start(&environment));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_CASE(fifo_has_the_known_answers, ""),
        HOST_CASE(clock_has_the_known_answers, ""),
        HOST_CASE(loop_defeats_fifo_and_clock, ""),
        HOST_CASE(no_policy_beats_the_optimal_one, ""),
        HOST_CASE(with_a_frame_for_each_page_every_policy_faults_once_a_page, ""),
        HOST_CASE(fifo_names_the_oldest_whatever_is_used_or_removed, ""),
        HOST_CASE(clock_gives_what_was_used_a_second_chance, ""),
        HOST_CASE(clock_ends_when_every_page_was_used, ""),
        HOST_CASE(clock_ends_even_if_bits_cannot_be_cleared, ""),
        HOST_CASE(random_names_every_frame_about_as_often, ""),
        HOST_CASE(every_victim_is_a_frame_that_is_in, ""),
        HOST_CASE(start_fails_without_memory, ""),
    };

    return host_run(tests);
}
