/* Bitmaps: arrays of words of 32 bits, in which bit i is bit i % 32 of word i / 32. Pure. */
#pragma once

#include "kernel/types.h"

#define BITMAP_WORD_BITS 32u

/* Words for so many bits. */
#define BITMAP_WORDS(bits) (((bits) + BITMAP_WORD_BITS - 1) / BITMAP_WORD_BITS)

static inline bool
bitmap_test(const u32 *bitmap, u32 index)
{
    return bitmap[index / BITMAP_WORD_BITS] >> (index % BITMAP_WORD_BITS) & 1;
}

static inline void
bitmap_set(u32 *bitmap, u32 index)
{
    bitmap[index / BITMAP_WORD_BITS] |= 1u << (index % BITMAP_WORD_BITS);
}

static inline void
bitmap_clear(u32 *bitmap, u32 index)
{
    bitmap[index / BITMAP_WORD_BITS] &= ~(1u << (index % BITMAP_WORD_BITS));
}
