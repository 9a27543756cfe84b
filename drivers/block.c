/* What all block devices share: the range is checked and the transfers are counted here, once. */
#include "drivers/block.h"

#include <asm/errno.h>

static bool
range_is_within(const struct block_device *device, u64 position, usize bytes)
{
    return position <= device->bytes && bytes <= device->bytes - position;
}

static usize
pieces_bytes(const struct block_piece *pieces, u32 count)
{
    usize bytes = 0;

    for (u32 i = 0; i < count; i++)
        bytes += pieces[i].bytes;
    return bytes;
}

int
block_read_pieces(struct block_device *device, u64 position, const struct block_piece *pieces, u32 count)
{
    usize bytes = pieces_bytes(pieces, count);

    if (!range_is_within(device, position, bytes))
        return -EIO;
    device->transfers_read++;
    device->bytes_read += bytes;
    return device->operations->read(device, position, pieces, count);
}

int
block_read(struct block_device *device, u64 position, void *buffer, usize bytes)
{
    struct block_piece piece = {buffer, bytes};

    return block_read_pieces(device, position, &piece, 1);
}

int
block_write_pieces(struct block_device *device, u64 position, const struct block_piece *pieces, u32 count)
{
    usize bytes = pieces_bytes(pieces, count);

    if (!range_is_within(device, position, bytes))
        return -EIO;
    device->transfers_written++;
    device->bytes_written += bytes;
    return device->operations->write(device, position, pieces, count);
}

int
block_write(struct block_device *device, u64 position, const void *buffer, usize bytes)
{
    struct block_piece piece = {(void *)buffer, bytes};

    return block_write_pieces(device, position, &piece, 1);
}
