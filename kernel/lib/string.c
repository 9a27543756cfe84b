/*
 * Memory and strings. The block operations use the processor's string instructions, word by word where they can: what
 * they cost is what copying and clearing pages costs.
 */
#include "kernel/lib/string.h"

#if !__STDC_HOSTED__

#define WORD_BYTES sizeof(u32)

void *
memcpy(void *to, const void *from, usize bytes)
{
    void *target = to;
    usize words = bytes / WORD_BYTES;
    usize rest = bytes % WORD_BYTES;

    asm volatile("rep movsl" : "+D"(target), "+S"(from), "+c"(words) : : "memory");
    asm volatile("rep movsb" : "+D"(target), "+S"(from), "+c"(rest) : : "memory");
    return to;
}

void *
memmove(void *to, const void *from, usize bytes)
{
    char *target = (char *)to + bytes - 1;
    const char *source = (const char *)from + bytes - 1;

    /* Only a target that begins inside the source must be filled from its end. */
    if ((usize)to - (usize)from >= bytes)
        return memcpy(to, from, bytes);
    asm volatile("std\n\trep movsb\n\tcld" : "+D"(target), "+S"(source), "+c"(bytes) : : "memory", "cc");
    return to;
}

void *
memset(void *to, int byte, usize bytes)
{
    void *target = to;
    usize words = bytes / WORD_BYTES;
    usize rest = bytes % WORD_BYTES;
    u32 word = (u8)byte * 0x01010101u;

    asm volatile("rep stosl" : "+D"(target), "+c"(words) : "a"(word) : "memory");
    asm volatile("rep stosb" : "+D"(target), "+c"(rest) : "a"(word) : "memory");
    return to;
}

int
memcmp(const void *left, const void *right, usize bytes)
{
    const u8 *a = left;
    const u8 *b = right;

    for (; bytes > 0; a++, b++, bytes--) {
        if (*a != *b)
            return *a - *b;
    }
    return 0;
}

void *
memchr(const void *memory, int byte, usize bytes)
{
    const u8 *at = memory;

    for (; bytes > 0; at++, bytes--) {
        if (*at == (u8)byte)
            return (void *)at;
    }
    return NULL;
}

usize
strlen(const char *text)
{
    const char *end = text;

    while (*end)
        end++;
    return (usize)(end - text);
}

usize
strnlen(const char *text, usize limit)
{
    usize length = 0;

    while (length < limit && text[length])
        length++;
    return length;
}

int
strcmp(const char *left, const char *right)
{
    while (*left && *left == *right)
        left++, right++;
    return (u8)*left - (u8)*right;
}

int
strncmp(const char *left, const char *right, usize limit)
{
    for (; limit > 0; left++, right++, limit--) {
        if (*left != *right || !*left)
            return (u8)*left - (u8)*right;
    }
    return 0;
}

char *
strchr(const char *text, int character)
{
    for (; *text != (char)character; text++) {
        if (!*text)
            return NULL;
    }
    return (char *)text;
}

char *
strrchr(const char *text, int character)
{
    const char *last = NULL;

    do {
        if (*text == (char)character)
            last = text;
    } while (*text++);
    return (char *)last;
}

char *
strstr(const char *text, const char *part)
{
    usize length = strlen(part);

    for (;; text++) {
        if (strncmp(text, part, length) == 0)
            return (char *)text;
        if (!*text)
            return NULL;
    }
}

#endif

bool
string_copy(char *to, const char *from, usize size)
{
    usize length = strnlen(from, size);
    bool fits = length < size;

    if (!fits)
        length = size - 1;
    memcpy(to, from, length);
    to[length] = '\0';
    return fits;
}

bool
string_matches(const char *text, const char *pattern)
{
    const char *star = NULL; /* the last * passed, and where in the text what it stands for ends so far */
    const char *star_end = NULL;

    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            star_end = text;
        } else if (*pattern && (*pattern == '?' || *pattern == *text)) {
            pattern++;
            text++;
        } else if (star) {
            /* No match this way: let the last * stand for one character more. */
            pattern = star + 1;
            text = ++star_end;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

/* The value of a digit in any base up to 16, or 16 if it is none. */
static u32
digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return (u32)(digit - '0');
    if (digit >= 'a' && digit <= 'f')
        return (u32)(digit - 'a') + 10;
    if (digit >= 'A' && digit <= 'F')
        return (u32)(digit - 'A') + 10;
    return 16;
}

bool
string_read_number(const char **text, u64 *number)
{
    const char *at = *text;
    u32 base = 10;
    u64 value = 0;

    if (at[0] == '0' && at[1] == 'x' && digit_value(at[2]) < 16) {
        base = 16;
        at += 2;
    }
    if (digit_value(*at) >= base)
        return false;
    for (; digit_value(*at) < base; at++) {
        u32 digit = digit_value(*at);

        if (__builtin_mul_overflow(value, base, &value) || __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *text = at;
    *number = value;
    return true;
}
