/*
 * Sockets: pairs of them, connected from birth, as socketpair(AF_UNIX, SOCK_STREAM) makes them. Each end has a ring
 * of bytes on their way to it:
 *
 *     end 0  <── ring ── writes of end 1
 *            ── writes ─> ring ──> end 1
 *
 * There are no addresses, and no other families: nothing here leads out of the machine.
 */
#pragma once

#include "kernel/types.h"

struct file;
struct transfer;

/* How one receive or send differs from read and write: MSG_DONTWAIT, MSG_WAITALL and MSG_NOSIGNAL. */
struct socket_manner {
    bool at_once;               /* -EAGAIN rather than wait */
    bool whole;                 /* receive: wait until the transfer is full or the other end has no more to say */
    bool silent;                /* send: no SIGPIPE */
};

/* A connected pair, each with one reference. flags may have O_NONBLOCK. 0, -ENOMEM, or -ENFILE where memory is short. */
int socket_create_pair(u32 flags, struct file *ends[2]);

/* Whether the open file is a socket. */
bool socket_is(const struct file *file);

/* Bytes, or -EAGAIN, -ERESTARTSYS, -EPIPE (send), -EFAULT, -ENOMEM with none. Both may sleep. */
s32 socket_receive(struct file *file, struct transfer *transfer, struct socket_manner manner);
s32 socket_send(struct file *file, struct transfer *transfer, struct socket_manner manner);

/* No more is received, or sent, at this end. */
void socket_shut(struct file *file, bool receiving, bool sending);

/* socket_calls.c: the system calls, and the one that all of them went through once */
s32 sys_socket(s32 family, s32 type, s32 protocol);
s32 sys_socketpair(s32 family, s32 type, s32 protocol, u32 descriptors);
s32 sys_sendto(s32 descriptor, u32 address, u32 bytes, u32 flags, u32 to, u32 to_bytes);
s32 sys_recvfrom(s32 descriptor, u32 address, u32 bytes, u32 flags, u32 from, u32 from_bytes);
s32 sys_shutdown(s32 descriptor, s32 how);
s32 sys_getsockopt(s32 descriptor, s32 level, s32 option, u32 value, u32 value_bytes);
s32 sys_socketcall(u32 call, u32 arguments);
