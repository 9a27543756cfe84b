/* Pairs of connected sockets. See socket_pair.h. */
#define _GNU_SOURCE
#include "user/lib/socket_pair.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "user/lib/check.h"

void
socket_pair_open(int ends[2], int type)
{
    if (socketpair(AF_UNIX, type, 0, ends) != 0)
        check_that(false, "socketpair: %s", strerror(errno));
}

void
socket_pair_close(const int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

short
socket_pair_events(int end)
{
    struct pollfd entry = { .fd = end, .events = POLLIN | POLLOUT | POLLRDHUP };

    return poll(&entry, 1, 0) < 0 ? -1 : entry.revents;
}
