/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one error type: by value on the caller's stack, so it needs no allocation, cannot be
 * uninitialised by accident, and crosses the parent/child socket as one datagram.
 *
 * Functions return 0 (or a count or descriptor >= 0) or a negative errno, and take
 * `struct err *e` last; NULL means that the caller does not care. The message is lower case, has
 * no full stop, quotes user text 'so', and reads from the outside in. Only cli/ prints.
 */
#ifndef CTR_BASE_ERR_H
#define CTR_BASE_ERR_H

struct err {
	int code;	/* negative errno of the cause; 0 while there is none */
	char msg[480];	/* what failed, on one line */
	char hint[240]; /* what to do about it; may be empty */
};

/**
 * err_set() - record a failure at its source, with the cause's text appended
 * @code: negative errno; its strerror text is appended to the message
 * Return: @code, so that `return err_set(e, -errno, "open '%s'", path);` reads as one step.
 */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/**
 * err_say() - record a failure whose message says all, without the errno's text
 * Use it where the errno would add nothing ("memory limit 1M is below ...").
 */
int err_say(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/**
 * err_wrap() - put the name of the thing that the caller was working on before the message
 * Return: @code.
 */
int err_wrap(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/** err_hint() - advice for the user, unless a deeper layer has given some already */
void err_hint(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
