/* One sequence for the whole system, started at its first use, when the command line has been read. */
#include "kernel/entropy.h"

#include "kernel/command_line.h"
#include "kernel/lib/random.h"

static struct random entropy_state;

void
entropy_fill(void *bytes, usize count)
{
    u8 *to = bytes;

    if (entropy_state.state == 0)
        random_seed(&entropy_state, command_line_seed);
    while (count-- > 0)
        *to++ = (u8)(random_next(&entropy_state) >> 8);
}
