/*
 * The integer types of the kernel, named by sign and width, and the few definitions that every file wants. Pure:
 * compiles on a 64-bit host as well, for the host unit tests.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
typedef size_t usize;

/* Number of elements of an array (not of a pointer). */
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* The structure of `type` whose field `member` is at `pointer`. */
#define container_of(pointer, type, member) ((type *)((char *)(pointer) - offsetof(type, member)))

static inline u32
least(u32 a, u32 b)
{
    return a < b ? a : b;
}
