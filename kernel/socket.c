/*
 * Sockets: who waits for whom. The bytes lie in rings as those of pipes do (kernel/pipe_ring.h).
 *
 * One mutex serves both directions, and each end has one queue for all that it may wait for, bytes and room, so that
 * poll has one place to sleep. Whoever changes anything wakes the other end.
 */
#include "kernel/socket.h"

#include "kernel/assert.h"
#include "kernel/file.h"
#include "kernel/inode.h"
#include "kernel/mutex.h"
#include "kernel/pipe.h"
#include "kernel/pipe_ring.h"
#include "kernel/reserve.h"
#include "kernel/wait.h"
#include "mm/kmem.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <asm/ioctls.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/poll.h>
#include <linux/stat.h>

struct socket {
    struct socket_pair *pair;
    struct socket *peer;
    struct pipe_ring ring;      /* on the way to this end */
    bool refuses;               /* it receives no more */
    bool has_all;               /* the peer sends no more */
    struct wait_queue queue;    /* who sleeps at this end */
};

struct socket_pair {
    struct mutex busy;          /* held by whoever is at a ring */
    u32 open;                   /* ends that are */
    struct socket ends[2];
};

static struct kmem_cache socket_cache = KMEM_CACHE("socket_pair", sizeof(struct socket_pair), sizeof(u32));

static const struct file_operations socket_operations;

bool
socket_is(const struct file *file)
{
    return file->operations == &socket_operations;
}

/* ---- receiving and sending ---- */

/* Sleeps, without the pair, until the other end has news. */
static s32
socket_sleep(struct socket *socket, bool at_once)
{
    s32 result;

    if (at_once)
        return -EAGAIN;
    mutex_unlock(&socket->pair->busy);
    result = wait_interruptible(&socket->queue);
    mutex_lock(&socket->pair->busy);
    return result;
}

/* Waits for bytes and takes some: 0 at the end of all. */
static s32
socket_take(struct socket *socket, struct transfer *transfer, bool at_once)
{
    s32 result = 0;

    while (socket->ring.bytes == 0 && !socket->has_all && !socket->refuses && result == 0)
        result = socket_sleep(socket, at_once);
    if (result < 0 || socket->ring.bytes == 0)
        return result;
    result = pipe_ring_read(&socket->ring, transfer);
    if (result > 0)
        wait_wake_all(&socket->peer->queue);
    return result;
}

s32
socket_receive(struct file *file, struct transfer *transfer, struct socket_manner manner)
{
    struct socket *socket = file->data;
    u32 done = 0;
    s32 result = 0;

    mutex_lock(&socket->pair->busy);
    while (transfer->remaining > 0 && (done == 0 || manner.whole)) {
        result = socket_take(socket, transfer, manner.at_once);
        if (result <= 0)
            break;
        done += result;
    }
    mutex_unlock(&socket->pair->busy);
    return done > 0 ? (s32)done : result;
}

/* Waits for room and puts in what fits. */
static s32
socket_put(struct socket *socket, struct transfer *transfer, bool at_once)
{
    struct socket *peer = socket->peer;
    s32 result = 0;

    while (!peer->refuses && !peer->has_all && pipe_ring_room(&peer->ring, transfer->remaining) == 0 && result == 0)
        result = socket_sleep(socket, at_once);
    if (result < 0)
        return result;
    if (peer->refuses || peer->has_all)
        return -EPIPE;
    result = pipe_ring_write(&peer->ring, transfer, pipe_ring_room(&peer->ring, transfer->remaining));
    if (result > 0)
        wait_wake_all(&peer->queue);
    return result;
}

s32
socket_send(struct file *file, struct transfer *transfer, struct socket_manner manner)
{
    struct socket *socket = file->data;
    u32 done = 0;
    s32 result = 0;

    mutex_lock(&socket->pair->busy);
    while (transfer->remaining > 0) {
        result = socket_put(socket, transfer, manner.at_once);
        if (result < 0)
            break;
        done += result;
    }
    mutex_unlock(&socket->pair->busy);
    if (result == -EPIPE && done == 0 && !manner.silent)
        pipe_signal_broken();
    return done > 0 ? (s32)done : result;
}

static s32
socket_read(struct file *file, struct transfer *transfer, u64 *offset)
{
    (void)offset;
    return socket_receive(file, transfer, (struct socket_manner){.at_once = file->flags & O_NONBLOCK});
}

static s32
socket_write(struct file *file, struct transfer *transfer, u64 *offset)
{
    (void)offset;
    return socket_send(file, transfer, (struct socket_manner){.at_once = file->flags & O_NONBLOCK});
}

static u32
socket_poll(struct file *file, struct wait_queue **queue)
{
    struct socket *socket = file->data, *peer = socket->peer;
    bool receives = !socket->refuses && !socket->has_all;
    bool sends = !peer->refuses && !peer->has_all;
    u32 events = 0;

    *queue = &socket->queue;
    if (socket->ring.bytes > 0 || !receives)
        events |= POLLIN | POLLRDNORM;
    if (!receives)
        events |= POLLRDHUP;
    if (!sends || pipe_ring_free_slots(&peer->ring) > 0)
        events |= POLLOUT | POLLWRNORM;
    if (!receives && !sends)
        events |= POLLHUP;
    return events;
}

static s32
socket_ioctl(struct file *file, u32 command, u32 argument)
{
    const struct socket *socket = file->data;

    return command == FIONREAD ? user_write_word(argument, socket->ring.bytes) : -ENOTTY;
}

/* ---- opening and closing ---- */

void
socket_shut(struct file *file, bool receiving, bool sending)
{
    struct socket *socket = file->data;

    socket->refuses |= receiving;
    socket->peer->has_all |= sending;
    wait_wake_all(&socket->queue);
    wait_wake_all(&socket->peer->queue);
}

static void
socket_pair_free(struct socket_pair *pair)
{
    pipe_ring_end(&pair->ends[0].ring);
    pipe_ring_end(&pair->ends[1].ring);
    kmem_cache_free(&socket_cache, pair);
}

static void
socket_release(struct file *file)
{
    struct socket *socket = file->data;

    socket_shut(file, true, true);
    if (--socket->pair->open == 0)
        socket_pair_free(socket->pair);
}

static const struct file_operations socket_operations = {
    .read = socket_read,
    .write = socket_write,
    .ioctl = socket_ioctl,
    .poll = socket_poll,
    .release = socket_release,
};

static const struct file_system socket_file_system = {"sockfs", 5, SOCKFS_MAGIC, false};

/* As on Linux, a socket cannot be opened once more through /proc/self/fd. */
static int
socket_refuse_open(struct inode *inode, struct file *file)
{
    (void)inode;
    (void)file;
    return -ENXIO;
}

static const struct inode_operations socket_inode_operations = {
    .open = socket_refuse_open,
};

static struct socket_pair *
socket_pair_allocate(void)
{
    struct socket_pair *pair = reserve_is_reached() ? NULL : kmem_cache_allocate_zeroed(&socket_cache);

    if (pair == NULL)
        return NULL;
    for (u32 i = 0; i < 2; i++) {
        pair->ends[i].pair = pair;
        pair->ends[i].peer = &pair->ends[1 - i];
    }
    if (!pipe_ring_start(&pair->ends[0].ring) || !pipe_ring_start(&pair->ends[1].ring)) {
        socket_pair_free(pair);
        return NULL;
    }
    return pair;
}

/* The open file of one end; NULL if memory is short. */
static struct file *
socket_open(struct socket *socket, u32 flags)
{
    struct inode *inode = inode_create(&socket_inode_operations, &socket_file_system, S_IFSOCK | 0777);
    struct file *file = NULL;

    if (inode != NULL) {
        file = file_create(inode, O_RDWR | (flags & O_NONBLOCK), &socket_operations, socket);
        inode_release(inode);
    }
    socket->pair->open += file != NULL;
    return file;
}

int
socket_create_pair(u32 flags, struct file *ends[2])
{
    struct socket_pair *pair = socket_pair_allocate();

    if (pair == NULL)
        return -ENFILE;
    ends[0] = socket_open(&pair->ends[0], flags);
    if (ends[0] == NULL) {
        socket_pair_free(pair);
        return -ENOMEM;
    }
    ends[1] = socket_open(&pair->ends[1], flags);
    if (ends[1] == NULL) {
        file_release(ends[0]);
        return -ENOMEM;
    }
    return 0;
}
