/* One sequence for the whole system, started at its first use, when the command line has been read. */
#include "kernel/entropy.h"

#include "kernel/command_line.h"
#include "kernel/lib/random.h"
#include "kernel/transfer.h"

#define ENTROPY_COPY_BYTES 64u      /* made at a time: lies on the kernel stack */

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

u32
entropy_transfer(struct transfer *transfer, u32 bytes)
{
    u8 numbers[ENTROPY_COPY_BYTES];
    u32 done = 0;

    while (done < bytes) {
        u32 count = bytes - done < sizeof(numbers) ? bytes - done : sizeof(numbers);
        u32 copied;

        entropy_fill(numbers, count);
        copied = transfer_out(transfer, numbers, count);
        done += copied;
        if (copied < count)
            break;
    }
    return done;
}
