/*
 * Copying between the kernel and the memory of one read or write.
 *
 * Invariant: `bytes` is 0 only where `remaining` is 0, so that each step copies something.
 */
#include "kernel/transfer.h"

#include "kernel/assert.h"
#include "kernel/lib/string.h"
#include "mm/user.h"

#define ZEROES_BYTES 512u       /* copied out at a time */

struct transfer
transfer_user(u32 address, u32 bytes)
{
    return (struct transfer){.user = address, .bytes = bytes, .remaining = bytes};
}

struct transfer
transfer_kernel(void *address, u32 bytes)
{
    return (struct transfer){.kernel = address, .bytes = bytes, .remaining = bytes};
}

/* Goes on to the next segment that has bytes, where the current one has none left. */
static void
transfer_settle(struct transfer *transfer)
{
    while (transfer->bytes == 0 && transfer->segments > 0) {
        transfer->user = (u32)(usize)transfer->next->iov_base;
        transfer->bytes = transfer->next->iov_len;
        transfer->next++;
        transfer->segments--;
    }
}

struct transfer
transfer_segments(const struct iovec *segments, u32 count)
{
    struct transfer transfer = {.next = segments, .segments = count};

    for (u32 i = 0; i < count; i++)
        transfer.remaining += segments[i].iov_len;
    transfer_settle(&transfer);
    return transfer;
}

void
transfer_skip(struct transfer *transfer, u32 bytes)
{
    assert(bytes <= transfer->bytes);
    transfer->bytes -= bytes;
    transfer->remaining -= bytes;
    if (transfer->kernel != NULL)
        transfer->kernel += bytes;
    else
        transfer->user += bytes;
    transfer_settle(transfer);
}

/* The next piece of a copy of which `left` bytes are still to be done: what fits into the current segment. */
static u32
transfer_chunk(const struct transfer *transfer, u32 left)
{
    return left < transfer->bytes ? left : transfer->bytes;
}

u32
transfer_out(struct transfer *transfer, const void *data, u32 bytes)
{
    u32 done = 0;

    while (done < bytes && transfer->remaining > 0) {
        u32 chunk = transfer_chunk(transfer, bytes - done);
        u32 copied = chunk;

        if (transfer->kernel != NULL)
            memcpy(transfer->kernel, (const u8 *)data + done, chunk);
        else
            copied = user_copy_out_partial(transfer->user, (const u8 *)data + done, chunk);
        transfer_skip(transfer, copied);
        done += copied;
        if (copied < chunk)
            break;
    }
    return done;
}

u32
transfer_in(struct transfer *transfer, void *data, u32 bytes)
{
    u32 done = 0;

    while (done < bytes && transfer->remaining > 0) {
        u32 chunk = transfer_chunk(transfer, bytes - done);
        u32 copied = chunk;

        if (transfer->kernel != NULL)
            memcpy((u8 *)data + done, transfer->kernel, chunk);
        else
            copied = user_copy_in_partial((u8 *)data + done, transfer->user, chunk);
        transfer_skip(transfer, copied);
        done += copied;
        if (copied < chunk)
            break;
    }
    return done;
}

u32
transfer_out_zeroes(struct transfer *transfer, u32 bytes)
{
    static const u8 zeroes[ZEROES_BYTES];
    u32 done = 0;

    while (done < bytes && transfer->remaining > 0) {
        u32 left = bytes - done;
        u32 wanted = left < sizeof(zeroes) ? left : sizeof(zeroes);
        u32 copied;

        if (wanted > transfer->remaining)
            wanted = transfer->remaining;
        copied = transfer_out(transfer, zeroes, wanted);
        done += copied;
        if (copied < wanted)
            break;
    }
    return done;
}
