/*
 * Sockets: pairs of them, connected from birth, as socketpair(AF_UNIX) makes them. Each end has a queue of messages
 * on their way to it:
 *
 *     end 0  <── messages ── sends of end 1
 *            ── sends ──> messages ──> end 1
 *
 * A stream (SOCK_STREAM) forgets where one message ends and the next begins. SOCK_SEQPACKET and SOCK_DGRAM keep them
 * apart: each is received by itself, and what the receiver has no room for is lost. The ends of datagrams are shut
 * each for itself, since nothing connects them that could end.
 *
 * There are no addresses, and no other families: nothing here leads out of the machine.
 */
#pragma once

#include "kernel/types.h"

struct file;
struct transfer;

/* What may be on its way to one end, messages and what they cost to keep; as Linux, which counts so too (SO_SNDBUF). */
#define SOCKET_BYTES 212992u

/* The largest message that keeps together. */
#define SOCKET_MESSAGE_BYTES (SOCKET_BYTES - 32)

/* Not in the UAPI headers: the C library names them. */
enum socket_type {
    SOCK_STREAM = 1,
    SOCK_DGRAM = 2,
    SOCK_RAW = 3,               /* a pair of these is one of SOCK_DGRAM */
    SOCK_SEQPACKET = 5,
};

/* How one receive or send differs from read and write: MSG_DONTWAIT, MSG_WAITALL, MSG_PEEK and MSG_NOSIGNAL. */
struct socket_manner {
    bool at_once;               /* -EAGAIN rather than wait */
    bool whole;                 /* receive from a stream: wait until the transfer is full or the peer has no more */
    bool peek;                  /* receive: what is received stays */
    bool silent;                /* send: no SIGPIPE */
};

/* A connected pair, each with one reference. flags may have O_NONBLOCK. 0; -ENOMEM, or -ENFILE if memory is short. */
int socket_create_pair(enum socket_type type, u32 flags, struct file *ends[2]);

/* Whether the open file is a socket. */
bool socket_is(const struct file *file);

enum socket_type socket_type(const struct file *file);

/*
 * Bytes, or -errno with none. Both may sleep. Receiving: 0 at the end; -EAGAIN, -ERESTARTSYS, -EFAULT, and what
 * socket_take_error says. *length, unless NULL, becomes the length that the message had, of a stream the result.
 * Sending: -EPIPE, with SIGPIPE in a stream; -EMSGSIZE, -EAGAIN, -ERESTARTSYS, -EFAULT, -ENOBUFS; and to an end of
 * datagrams that is closed -ECONNREFUSED once, then -ENOTCONN.
 */
s32 socket_receive(struct file *file, struct transfer *transfer, struct socket_manner manner, u32 *length);
s32 socket_send(struct file *file, struct transfer *transfer, struct socket_manner manner);

/* No more is received, or sent, at this end. */
void socket_shut(struct file *file, bool receiving, bool sending);

/* What went wrong, once: 0, or -ECONNRESET after the other end was closed with bytes that it had not received. */
int socket_take_error(struct file *file);

/* socket_calls.c: the system calls, and the one that all of them went through once */
s32 sys_socket(s32 family, s32 type, s32 protocol);
s32 sys_socketpair(s32 family, s32 type, s32 protocol, u32 descriptors);
s32 sys_sendto(s32 descriptor, u32 address, u32 bytes, u32 flags, u32 name, s32 name_bytes);
s32 sys_recvfrom(s32 descriptor, u32 address, u32 bytes, u32 flags, u32 name, u32 name_bytes);
s32 sys_sendmsg(s32 descriptor, u32 message, u32 flags);
s32 sys_recvmsg(s32 descriptor, u32 message, u32 flags);
s32 sys_shutdown(s32 descriptor, s32 how);
s32 sys_getsockopt(s32 descriptor, s32 level, s32 option, u32 value, u32 value_bytes);
s32 sys_setsockopt(s32 descriptor, s32 level);
s32 sys_getsockname(s32 descriptor, u32 name, u32 name_bytes);
s32 sys_bind(s32 descriptor);
s32 sys_connect(s32 descriptor);
s32 sys_listen(s32 descriptor);
s32 sys_socketcall(u32 call, u32 arguments);
