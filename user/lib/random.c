/* Drawing numbers that a seed repeats. */
#include "user/lib/random.h"

uint32_t random_state;

uint32_t
draw(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % limit;
}
