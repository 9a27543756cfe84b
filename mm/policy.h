/*
 * Page replacement policies.
 *
 * A policy knows frames by dense numbers and learns of them from reclaim alone.
 * It sees the world through the small environment that it is handed, so that
 * the same source runs in the kernel, in host tests and in a simulator.
 *
 * reclaim inserts a frame when it becomes evictable and removes it when it is
 * freed, pinned or taken as a victim. select names a victim among the frames
 * inserted and changes nothing else that counts: reclaim removes it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "No frame": select's answer when none is inserted. Frame 0 is never inserted. */
#define POLICY_NONE 0u

struct policy_environment {
    uint32_t frames;                        /* frame numbers lie below */
    bool (*referenced)(uint32_t frame);     /* used since the last time asked? clears the bit */
    uint32_t (*random)(void);
    void *(*allocate)(size_t bytes);        /* zeroed, for as long as the policy runs; NULL if none */
};

struct policy {
    const char *name;
    bool (*start)(const struct policy_environment *);   /* false: no memory */
    void (*insert)(uint32_t frame);
    void (*remove)(uint32_t frame);
    uint32_t (*select)(void);
};

extern const struct policy policy_fifo, policy_random, policy_clock;
