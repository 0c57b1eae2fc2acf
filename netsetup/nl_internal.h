/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A netlink socket and a queue of requests on it.
 *
 * DOC: nl_add() queues a request with a text that says what it does; nl_run() sends the queue with
 * one system call and reads every answer. The kernel works on the requests in order, so what a
 * container needs goes out as one or two datagrams. The queue is sticky: queue freely, check the
 * result of nl_run() once. It is empty after nl_run(), whatever the result.
 */
#ifndef CTR_NETSETUP_NL_INTERNAL_H
#define CTR_NETSETUP_NL_INTERNAL_H

#include "base/err.h"

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nl;

/** nl_open() - a socket on @bus (NETLINK_ROUTE, NETLINK_NETFILTER) in our network namespace */
int nl_open(int bus, struct nl **ret, struct err *e);
void nl_done(struct nl **nl);
#define own_nl __attribute__((cleanup(nl_done)))

/** nl_in_netns() - call @fn inside the network namespace @netns_fd and come back. Sockets opened
 * there stay there. This process has one thread, so nobody else notices.
 * Return: what @fn returned, or -errno. */
int nl_in_netns(int netns_fd, int (*fn)(void *arg, struct err *e), void *arg, struct err *e);

/** nl_add() - queue a request; @fmt says what it does ("add address '%s'"), for the error.
 * @header: size of the zeroed family header after the netlink header, at mnl_nlmsg_get_payload()
 * Return: the message, for attributes of 4 KiB at most in all; never NULL (when memory or room is
 * missing it is a scrap one, and nl_run() returns the failure). */
struct nlmsghdr *nl_add(struct nl *nl, uint16_t type, uint16_t flags, size_t header,
			const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/** nl_accept() - -@code as the answer to the request queued last is fine too; three at most */
void nl_accept(struct nl *nl, int code);
/** nl_add_silent() - queue a message that the kernel does not answer (the ends of a batch) */
struct nlmsghdr *nl_add_silent(struct nl *nl, uint16_t type, size_t header);

/** nl_run() - send what is queued, and read the answers; @cb (or NULL) gets each data message.
 * A dump that was interrupted by a change is asked for again, so @cb may see an object twice.
 * Return: 0 or the first failure, with the kernel's own text in @e. */
int nl_run(struct nl *nl, mnl_cb_t cb, void *data, struct err *e);

/** nl_open_events() - a socket that only hears the notifications of @group (RTNLGRP_) */
int nl_open_events(unsigned int group, struct nl **ret, struct err *e);
/** nl_hear() - wait for a notification and drop it: it only says that it is time to look again.
 * Return: 1, 0 after @timeout_ms without any, or -errno. */
int nl_hear(struct nl *nl, int timeout_ms);

/** nl_queued() - the raw bytes of the queue, for tests */
const void *nl_queued(const struct nl *nl, size_t *ret_len);

#endif
