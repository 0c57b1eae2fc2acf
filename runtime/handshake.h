/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What parent and child say to each other while a container is being set up.
 *
 * DOC: one message per datagram on a SOCK_SEQPACKET pair; each side says what it expects next and
 * anything else is an error that names both. The child answers any failure with HS_ERROR and its
 * struct err, then exits. The end of the channel is a message too: before HS_EXEC or HS_GATE it
 * means that the other side died; after HS_GATE, that the child waits at the gate; after HS_EXEC,
 * that execve succeeded, because the socket is close-on-exec.
 *
 *   parent                              child
 *     | ---- HS_GO (root mount) --------> |   id maps written
 *     |   limits, network, rlimits ...    |   mounts, devices, pivot, hostname, sysctl ...
 *     | <--- HS_MAP (mount) ------------- |   for each bind of the root's own that is id-mapped
 *     | ---- HS_MAPPED ----------------> |   in a user namespace
 *     | <--- HS_MOUNTED ---------------- |   only with hooks of a create, when nothing is
 *     | ---- HS_HOOKED ----------------> |   pivoted yet; the parent's have run in between
 *     | <--- HS_CONSOLE (pty master) ---- |   only with a terminal
 *     | <--- HS_READY ------------------- |   all is done but the last confinement
 *     | ---- HS_EXEC -------------------> |   state is committed: confine and execve
 *     |   or HS_GATE                      |   `create`: close this channel, and wait at the gate
 *     |                                   |   socket for HS_EXEC on another one
 *     | <--- HS_LISTENER (its number) --- |   only with a filter that notifies: listener.h
 *     | ---- HS_LISTENED ---------------> |
 */
#ifndef CTR_RUNTIME_HANDSHAKE_H
#define CTR_RUNTIME_HANDSHAKE_H

#include "base/err.h"

enum hs_kind {
	HS_GO = 1,
	HS_MAP,
	HS_MAPPED,
	HS_MOUNTED,
	HS_HOOKED,
	HS_CONSOLE,
	HS_READY,
	HS_EXEC,
	HS_GATE,
	HS_LISTENER,
	HS_LISTENED,
	HS_ERROR
};

/** hs_pair() - both ends, close-on-exec. Return: 0 or -errno. */
int hs_pair(int ret[2], struct err *e);
/** hs_send() - @fd goes along unless it is negative. Return: 0 or -errno (-EPIPE: peer gone). */
int hs_send(int sock, enum hs_kind kind, int fd, struct err *e);
/** hs_send_error() - tell the peer why; a peer that is gone cannot be told */
void hs_send_error(int sock, const struct err *why);
/** hs_expect() - wait for @kind. *ret_fd (may be NULL) is the descriptor that came along.
 * Return: 0; the peer's own error when it sent HS_ERROR; -EPIPE when it is gone. */
int hs_expect(int sock, enum hs_kind kind, int *ret_fd, struct err *e);
/** hs_expect_end() - wait for the channel to close, which is success after HS_EXEC and HS_GATE.
 * Return: 0, or the peer's error. */
int hs_expect_end(int sock, struct err *e);
/** hs_expect_end_or_listener() - the same, but HS_LISTENER may come first.
 * Return: 0 at the end; 1 with the descriptor's number in the peer; or -errno. */
int hs_expect_end_or_listener(int sock, int *ret_number, struct err *e);
/** hs_show_listener() - the peer may take descriptor @number of ours; returns when it has. One
 * write(2), then reads: the filter that has the listener may notify about every other call. */
int hs_show_listener(int sock, int number, struct err *e);
/** hs_either() - wait for HS_EXEC or HS_GATE. Return: which one, or -errno. */
int hs_either(int sock, struct err *e);

#endif
