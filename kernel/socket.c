/*
 * Sockets: who waits for whom, and the messages between them.
 *
 * One mutex serves both directions, and each end has one queue for all that it may wait for, messages and room, so that
 * poll has one place to sleep. Whoever changes anything wakes the other end.
 *
 * In a stream a message is a piece of what was sent, otherwise all of it. It enters its queue when it is complete.
 */
#include "kernel/socket.h"

#include "kernel/anonymous_file.h"
#include "kernel/file.h"
#include "kernel/inode.h"
#include "kernel/mutex.h"
#include "kernel/pipe.h"
#include "kernel/poll.h"
#include "kernel/reserve.h"
#include "kernel/wait.h"
#include "mm/kmem.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <asm/ioctls.h>
#include <bsd/sys/queue.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/stat.h>

struct socket_message {
    STAILQ_ENTRY(socket_message) link;
    u32 start, end;             /* bytes [start, end) have not been received */
    u8 bytes[];
};

/* A piece of a stream: as much as lies in one object of a slab. */
#define SOCKET_PIECE_BYTES (KMEM_SMALL_MAXIMUM - sizeof(struct socket_message))

struct socket {
    struct socket_pair *pair;
    struct socket *peer;
    STAILQ_HEAD(, socket_message) messages;     /* on the way to this end, the oldest first */
    u32 bytes;                  /* in them, not yet received */
    u32 cost;                   /* of keeping them, in bytes */
    bool is_open;
    bool receives_no_more, sends_no_more;
    bool was_refused;           /* it has been told that the other end of its datagrams is closed */
    int error;                  /* for socket_take_error */
    struct wait_queue queue;    /* who sleeps at this end */
};

struct socket_pair {
    enum socket_type type;
    struct mutex busy;          /* held by whoever receives or sends */
    struct socket ends[2];
};

static struct kmem_cache socket_cache = KMEM_CACHE("socket_pair", sizeof(struct socket_pair), sizeof(u32));

static const struct file_operations socket_operations;

bool
socket_is(const struct file *file)
{
    return file->operations == &socket_operations;
}

enum socket_type
socket_type(const struct file *file)
{
    const struct socket *socket = file->data;

    return socket->pair->type;
}

/* Whether there is a connection, which ends for both. */
static bool
socket_is_connected(const struct socket *socket)
{
    return socket->pair->type != SOCK_DGRAM;
}

int
socket_take_error(struct file *file)
{
    struct socket *socket = file->data;
    int error = socket->error;

    socket->error = 0;
    return error;
}

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

/* ---- Messages ---- */

static u32
message_cost(const struct socket_message *message)
{
    return sizeof(*message) + message->end;
}

static void
message_remove(struct socket *socket)
{
    struct socket_message *message = STAILQ_FIRST(&socket->messages);

    STAILQ_REMOVE_HEAD(&socket->messages, link);
    socket->bytes -= message->end - message->start;
    socket->cost -= message_cost(message);
    kmem_free(message);
}

static void
socket_drain(struct socket *socket)
{
    while (!STAILQ_EMPTY(&socket->messages))
        message_remove(socket);
}

/* Puts a message of the transfer's next bytes in: 0, -ENOBUFS or -EFAULT. */
static int
message_add(struct socket *to, struct transfer *transfer, u32 bytes)
{
    struct socket_message *message = kmem_allocate(sizeof(*message) + bytes);

    if (message == NULL)
        return -ENOBUFS;
    if (transfer_in(transfer, message->bytes, bytes) < bytes) {
        kmem_free(message);
        return -EFAULT;
    }
    message->start = 0;
    message->end = bytes;
    STAILQ_INSERT_TAIL(&to->messages, message, link);
    to->bytes += bytes;
    to->cost += message_cost(message);
    wait_wake_events(&to->queue, POLL_READABLE);
    return 0;
}

/* Copies as many bytes as are wanted: how many, or -EFAULT where not all could be. */
static s32
message_read(const struct socket_message *message, struct transfer *transfer)
{
    u32 there = message->end - message->start;
    u32 wanted = transfer->remaining < there ? transfer->remaining : there;

    return transfer_out(transfer, message->bytes + message->start, wanted) < wanted ? -EFAULT : (s32)wanted;
}

/* ---- Receiving ---- */

/* Waits for a message: 0, also at the end of all, where there is none; or -errno. */
static s32
socket_wait_message(struct file *file, bool at_once)
{
    struct socket *socket = file->data;
    s32 result = 0;

    while (result == 0 && STAILQ_EMPTY(&socket->messages)) {
        result = socket_take_error(file);
        /* Datagrams have no end; it is for nobody to wait for them in vain. */
        if (result < 0 || (socket->receives_no_more && (socket_is_connected(socket) || !at_once)))
            break;
        result = socket_sleep(socket, at_once);
    }
    return result;
}

/* What there is of a stream, over the borders of messages. */
static s32
socket_take_bytes(struct socket *socket, struct transfer *transfer, bool peek)
{
    struct socket_message *message, *following;
    u32 done = 0;

    STAILQ_FOREACH_SAFE(message, &socket->messages, link, following) {
        s32 piece = message_read(message, transfer);

        if (piece < 0)
            return done > 0 ? (s32)done : piece;
        done += piece;
        if (!peek) {
            message->start += piece;
            socket->bytes -= piece;
        }
        if (message->start == message->end)
            message_remove(socket);
        if (transfer->remaining == 0)
            break;
    }
    return (s32)done;
}

static s32
socket_receive_stream(struct file *file, struct transfer *transfer, struct socket_manner manner, u32 *length)
{
    u32 done = 0;
    s32 result;

    do {
        result = socket_wait_message(file, manner.at_once);
        if (result == 0)
            result = socket_take_bytes(file->data, transfer, manner.peek);
        if (result <= 0)
            break;
        done += result;
    } while (transfer->remaining > 0 && manner.whole && !manner.peek);
    *length = done;
    return done > 0 ? (s32)done : result;
}

/* One message, of which the rest is lost; all of it where it cannot be copied. */
static s32
socket_receive_message(struct file *file, struct transfer *transfer, struct socket_manner manner, u32 *length)
{
    struct socket *socket = file->data;
    const struct socket_message *message;
    s32 result = socket_take_error(file);

    if (result == 0)
        result = socket_wait_message(file, manner.at_once);
    message = STAILQ_FIRST(&socket->messages);
    if (result < 0 || message == NULL)
        return result;
    *length = message->end;
    result = message_read(message, transfer);
    if (!manner.peek)
        message_remove(socket);
    return result;
}

s32
socket_receive(struct file *file, struct transfer *transfer, struct socket_manner manner, u32 *length)
{
    struct socket *socket = file->data;
    s32 result;

    *length = 0;
    mutex_lock(&socket->pair->busy);
    if (socket->pair->type == SOCK_STREAM)
        result = socket_receive_stream(file, transfer, manner, length);
    else
        result = socket_receive_message(file, transfer, manner, length);
    mutex_unlock(&socket->pair->busy);
    wait_wake_events(&socket->peer->queue, POLL_WRITABLE);
    return result;
}

/* ---- Sending ---- */

/* Whether this end still takes a message. When memory is short, it keeps one at a time. */
static bool
socket_has_room(const struct socket *to)
{
    return STAILQ_EMPTY(&to->messages) || (to->cost < SOCKET_BYTES && !reserve_is_reached());
}

/*
 * Whether the other end receives at all: 0, or the error that sending is. Who sends datagrams to one that has gone is
 * refused once, which ends the pair for it: what was to be received is lost, as on Linux.
 */
static int
socket_check_peer(struct socket *socket)
{
    if (socket->sends_no_more)
        return -EPIPE;
    if (!socket->peer->is_open && !socket_is_connected(socket)) {
        if (socket->was_refused)
            return -ENOTCONN;
        socket->was_refused = true;
        socket_drain(socket);
        return -ECONNREFUSED;
    }
    return socket->peer->receives_no_more ? -EPIPE : 0;
}

static s32
socket_wait_room(struct socket *socket, bool at_once)
{
    s32 result = socket_check_peer(socket);

    while (result == 0 && !socket_has_room(socket->peer)) {
        result = socket_sleep(socket, at_once);
        if (result == 0)
            result = socket_check_peer(socket);
    }
    return result;
}

static s32
socket_send_stream(struct socket *socket, struct transfer *transfer, struct socket_manner manner)
{
    s32 result = socket_check_peer(socket);
    u32 done = 0;

    while (result == 0 && transfer->remaining > 0) {
        u32 piece = transfer->remaining < SOCKET_PIECE_BYTES ? transfer->remaining : SOCKET_PIECE_BYTES;

        result = socket_wait_room(socket, manner.at_once);
        if (result == 0)
            result = message_add(socket->peer, transfer, piece);
        if (result == 0)
            done += piece;
    }
    if (result == -EPIPE && done == 0 && !manner.silent)
        pipe_signal_broken();
    return done > 0 ? (s32)done : result;
}

static s32
socket_send_message(struct file *file, struct transfer *transfer, struct socket_manner manner)
{
    struct socket *socket = file->data;
    u32 bytes = transfer->remaining;
    s32 result;

    if (bytes > SOCKET_MESSAGE_BYTES)
        return -EMSGSIZE;
    result = socket_take_error(file);
    if (result == 0)
        result = socket_wait_room(socket, manner.at_once);
    if (result == 0)
        result = message_add(socket->peer, transfer, bytes);
    return result < 0 ? result : (s32)bytes;
}

s32
socket_send(struct file *file, struct transfer *transfer, struct socket_manner manner)
{
    struct socket *socket = file->data;
    s32 result;

    mutex_lock(&socket->pair->busy);
    if (socket->pair->type == SOCK_STREAM)
        result = socket_send_stream(socket, transfer, manner);
    else
        result = socket_send_message(file, transfer, manner);
    mutex_unlock(&socket->pair->busy);
    return result;
}

/* ---- As files ---- */

/* To read nothing takes no message; to receive nothing takes one. */
static s32
socket_read(struct file *file, struct transfer *transfer, u64 *offset)
{
    u32 length;

    (void)offset;
    if (transfer->remaining == 0)
        return 0;
    return socket_receive(file, transfer, (struct socket_manner){.at_once = file->flags & O_NONBLOCK}, &length);
}

static s32
socket_write(struct file *file, struct transfer *transfer, u64 *offset)
{
    (void)offset;
    return socket_send(file, transfer, (struct socket_manner){.at_once = file->flags & O_NONBLOCK});
}

/* As on Linux, one more message is announced only when most of what was sent has been received. */
static u32
socket_poll(struct file *file, struct wait_queue **queue)
{
    const struct socket *socket = file->data, *peer = socket->peer;
    u32 events = 0;

    *queue = &((struct socket *)file->data)->queue;
    if (socket->error != 0)
        events |= POLLERR;
    if (!STAILQ_EMPTY(&socket->messages) || socket->receives_no_more)
        events |= POLL_READABLE;
    if (socket->receives_no_more)
        events |= POLLRDHUP;
    if (socket->receives_no_more && socket->sends_no_more)
        events |= POLLHUP;
    if (peer->cost <= SOCKET_BYTES / 4 && socket_has_room(peer))
        events |= POLL_WRITABLE | POLLWRBAND;
    return events;
}

/* FIONREAD: of datagrams the next. TIOCOUTQ: what the other has not received yet, with the cost of keeping it. */
static s32
socket_ioctl(struct file *file, u32 command, u32 argument)
{
    const struct socket *socket = file->data;
    const struct socket_message *first = STAILQ_FIRST(&socket->messages);

    if (command == TIOCOUTQ)
        return user_write_word(argument, socket->peer->cost);
    if (command != FIONREAD)
        return -ENOTTY;
    return user_write_word(argument, first == NULL || socket_is_connected(socket) ? socket->bytes : first->end);
}

/* ---- Opening and closing ---- */

void
socket_shut(struct file *file, bool receiving, bool sending)
{
    struct socket *socket = file->data;

    socket->receives_no_more |= receiving;
    socket->sends_no_more |= sending;
    if (socket_is_connected(socket)) {
        socket->peer->sends_no_more |= receiving;
        socket->peer->receives_no_more |= sending;
    }
    wait_wake_all(&socket->queue);
    wait_wake_all(&socket->peer->queue);
}

static void
socket_release(struct file *file)
{
    struct socket *socket = file->data;

    socket->is_open = false;
    if (socket_is_connected(socket)) {
        if (!STAILQ_EMPTY(&socket->messages))
            socket->peer->error = -ECONNRESET;
        socket_shut(file, true, true);
    }
    socket_drain(socket);
    wait_wake_all(&socket->peer->queue);
    if (socket->peer->is_open)
        return;
    socket_drain(socket->peer);
    kmem_cache_free(&socket_cache, socket->pair);
}

static const struct file_operations socket_operations = {
    .read = socket_read,
    .write = socket_write,
    .ioctl = socket_ioctl,
    .poll = socket_poll,
    .release = socket_release,
    .splice_read = true,
    .splice_write = true,
    .tells_by_signal = true,
};

static const struct file_system socket_file_system = {"sockfs", DEVICE_SOCKETS, SOCKFS_MAGIC, false};

static const struct inode_operations socket_inode_operations = {
    .open = anonymous_file_refuse_open,
};

static struct socket_pair *
socket_pair_allocate(enum socket_type type)
{
    struct socket_pair *pair = reserve_is_reached() ? NULL : kmem_cache_allocate_zeroed(&socket_cache);

    if (pair == NULL)
        return NULL;
    pair->type = type == SOCK_RAW ? SOCK_DGRAM : type;
    for (u32 i = 0; i < 2; i++) {
        pair->ends[i].pair = pair;
        pair->ends[i].peer = &pair->ends[1 - i];
        STAILQ_INIT(&pair->ends[i].messages);
    }
    return pair;
}

/* The open file of one end; NULL if memory is short. */
static struct file *
socket_open(struct socket *socket, u32 flags)
{
    struct inode *inode = inode_create(&socket_inode_operations, &socket_file_system, S_IFSOCK | 0777);
    struct file *file = anonymous_file_create(inode, &socket_operations, socket, flags);

    socket->is_open = file != NULL;
    return file;
}

int
socket_create_pair(enum socket_type type, u32 flags, struct file *ends[2])
{
    struct socket_pair *pair = socket_pair_allocate(type);

    if (pair == NULL)
        return -ENFILE;
    ends[0] = socket_open(&pair->ends[0], flags);
    if (ends[0] == NULL) {
        kmem_cache_free(&socket_cache, pair);
        return -ENOMEM;
    }
    ends[1] = socket_open(&pair->ends[1], flags);
    if (ends[1] == NULL) {
        file_release(ends[0]);
        return -ENOMEM;
    }
    return 0;
}
