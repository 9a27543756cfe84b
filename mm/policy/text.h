/*
 * How policies explain themselves: building blocks for one line of text.
 */
#pragma once

#include "mm/policy.h"
#include "mm/policy/ring.h"

/* So many candidates are named; of the others only the number is given. */
#define TEXT_CANDIDATES 16u

/* An empty line in a buffer of so many bytes, at least one. */
struct policy_text text_start(char *buffer, size_t bytes);

void text_add(struct policy_text *text, const char *words);
void text_number(struct policy_text *text, uint32_t number);
void text_hexadecimal(struct policy_text *text, uint32_t number);
void text_binary(struct policy_text *text, uint32_t number, uint32_t digits);

/* The name of the page in a frame. */
void text_page(struct policy_text *text, const struct policy_environment *world, uint32_t frame);

/* A label, and in braces the pages of a ring from the hand on. */
void text_ring(struct policy_text *text, const struct policy_environment *world, const char *label,
               const struct ring *ring);

/* " N others, then", if those that come first are not named. */
void text_skipped(struct policy_text *text, uint32_t unnamed);

/* " and N more", if N candidates have not been named. */
void text_more(struct policy_text *text, uint32_t unnamed);
