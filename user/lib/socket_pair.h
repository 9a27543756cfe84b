/*
 * Pairs of connected sockets, as the programs in tests/user/ open and watch them.
 */
#pragma once

/* Opens a pair of a type (SOCK_STREAM, ...) as ends[0] and ends[1]; a failing check where it cannot be had. */
void socket_pair_open(int ends[2], int type);
void socket_pair_close(const int ends[2]);

/* What poll says of one end now, asked for reading, writing and the end of what comes; -1: it failed. */
short socket_pair_events(int end);
