/*
 * What a random program was answered, in few lines: every answer goes into a digest, which is printed now and then. Two
 * kernels that agree print the same for the same seed.
 *
 *     PROGRAM SEED STEPS [FROM]      from step FROM on, each answer is printed, to find the one that differs
 */
#pragma once

#include <stdint.h>

/* A kind of step; the weights say of a hundred how many are of it. */
struct digest_kind {
    uint32_t weight;
    void (*run)(void);
};

/* Takes the arguments, sets the seed of draw(), and returns how many steps are wanted. Ends the program if they are not
 * as above. */
uint32_t digest_begin(int count, char **arguments);

/* Draws so many steps and runs them; prints the digest of those before when it is time to. */
void digest_run(const struct digest_kind *kinds, uint32_t steps);

/* A step: a child goes on by itself for so many steps, and is waited for. Children of grandchildren are not made. */
void digest_fork(const struct digest_kind *kinds, uint32_t steps);

/* An answer; `what` and the two numbers say what the question was. */
void digest_answer(const char *what, long first, long second, uint32_t result);

/* What a call came to: 0, or the error. */
uint32_t digest_error(long result);

/* Prints the last digest. */
void digest_end(void);
