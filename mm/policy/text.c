/*
 * Building a line of text, without the help of any library.
 */
#include "mm/policy/text.h"

#define DECIMAL_DIGITS 10

struct policy_text
text_start(char *buffer, size_t bytes)
{
    *buffer = '\0';
    return (struct policy_text){.at = buffer, .left = bytes - 1};
}

void
text_add(struct policy_text *text, const char *words)
{
    for (; *words && text->left > 0; words++, text->left--)
        *text->at++ = *words;
    *text->at = '\0';
}

/* In a base of up to 16. */
static void
text_digits(struct policy_text *text, uint32_t number, uint32_t base)
{
    char digits[DECIMAL_DIGITS + 1], *first = digits + DECIMAL_DIGITS;

    *first = '\0';
    do
        *--first = "0123456789abcdef"[number % base];
    while (number /= base);
    text_add(text, first);
}

void
text_number(struct policy_text *text, uint32_t number)
{
    text_digits(text, number, 10);
}

void
text_hexadecimal(struct policy_text *text, uint32_t number)
{
    text_digits(text, number, 16);
}

void
text_binary(struct policy_text *text, uint32_t number, uint32_t digits)
{
    while (digits-- > 0)
        text_add(text, number >> digits & 1 ? "1" : "0");
}

void
text_page(struct policy_text *text, const struct policy_environment *world, uint32_t frame)
{
    world->describe(world, frame, text);
}

void
text_ring(struct policy_text *text, const struct policy_environment *world, const char *label, const struct ring *ring)
{
    uint32_t frame = ring->hand;

    text_add(text, label);
    text_add(text, " {");
    for (uint32_t i = 0; i < ring->length && i < TEXT_CANDIDATES; i++, frame = ring->links[frame].next) {
        if (i)
            text_add(text, " ");
        text_page(text, world, frame);
    }
    text_more(text, ring->length > TEXT_CANDIDATES ? ring->length - TEXT_CANDIDATES : 0);
    text_add(text, "}");
}

/* The number between these words, unless it is 0. */
static void
text_unnamed(struct policy_text *text, const char *before, uint32_t unnamed, const char *after)
{
    if (unnamed == 0)
        return;
    text_add(text, before);
    text_number(text, unnamed);
    text_add(text, after);
}

void
text_skipped(struct policy_text *text, uint32_t unnamed)
{
    text_unnamed(text, " ", unnamed, " others, then");
}

void
text_more(struct policy_text *text, uint32_t unnamed)
{
    text_unnamed(text, " and ", unnamed, " more");
}
