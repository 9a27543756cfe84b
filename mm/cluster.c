/*
 * A cluster: the frames of one transfer.
 */
#include "mm/cluster.h"

#include "kernel/lib/string.h"
#include "mm/counters.h"

/* One transfer to the first count frames. */
static int
cluster_transfer(const struct cluster *cluster, u32 count, struct block_device *device, u64 position, usize bytes)
{
    struct block_piece pieces[CLUSTER_FRAMES];

    for (u32 i = 0; i < count; i++) {
        usize piece = bytes < PAGE_SIZE ? bytes : PAGE_SIZE;

        pieces[i] = (struct block_piece){frame_data(cluster->frames[i]), piece};
        if (piece < PAGE_SIZE)
            memset((char *)pieces[i].buffer + piece, 0, PAGE_SIZE - piece);
        bytes -= piece;
    }
    counters.device_read++;
    return block_read_pieces(device, position, pieces, count);
}

u32
cluster_read(struct cluster *cluster, struct block_device *device, u64 position, usize bytes)
{
    u32 count = cluster->count;
    int error = cluster_transfer(cluster, count, device, position, bytes);

    /* Where the owner of the first has gone meanwhile, nobody wants it any more. */
    if (error && count > 1 && !cluster->frames[0]->orphan) {
        count = 1;
        error = cluster_transfer(cluster, count, device, position, PAGE_SIZE);
    }
    if (error)
        return 0;
    for (u32 i = 1; i < count; i++)
        cluster->frames[i]->prefetched = true;
    counters.prefetch_read += count - 1;
    return count;
}

int
cluster_write(const struct cluster *cluster, struct block_device *device, u64 position)
{
    struct block_piece pieces[CLUSTER_FRAMES];

    for (u32 i = 0; i < cluster->count; i++)
        pieces[i] = (struct block_piece){frame_data(cluster->frames[i]), PAGE_SIZE};
    return block_write_pieces(device, position, pieces, cluster->count);
}
