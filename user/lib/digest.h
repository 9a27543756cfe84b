/*
 * What a random program was answered, in few lines: every answer goes into a digest, which is printed now and then. Two
 * kernels that agree print the same for the same seed.
 *
 *     PROGRAM SEED STEPS [FROM]      from step FROM on, each answer is printed, to find the one that differs
 */
#pragma once

#include <stdint.h>

/* How deep in forked children this process is, for what is printed. */
extern int digest_depth;

/* Takes the arguments, sets the seed of draw(), and returns how many steps are wanted; ends the program if they are not as above. */
uint32_t digest_begin(int count, char **arguments);

/* A step begins, in this process or in a child: prints the digest of those before if it is time to. */
void digest_step(void);

/* An answer; `what` and the two numbers say what the question was. */
void digest_answer(const char *what, long first, long second, uint32_t result);

/* What a call came to: 0, or the error. */
uint32_t digest_error(long result);

/* Prints the last digest. */
void digest_end(void);
