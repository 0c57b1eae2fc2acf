/* SPDX-License-Identifier: Apache-2.0 */
/*
 * D-Bus, as much of it as asking systemd for a unit takes.
 *
 * DOC: a message is built and read by hand: a header, and a body whose values are aligned to their
 * size from its beginning. Values are in this machine's byte order, as every peer is on this
 * machine. A connection is for one command: calls one after the other, each with a deadline, and
 * the signals that come meanwhile are kept for whoever waits for one.
 *
 * Authority: D-Bus Specification ("Message Protocol", "Authentication Protocol").
 */
#ifndef CTR_CGROUPS_DBUS_H
#define CTR_CGROUPS_DBUS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Writing: appends to a sticky builder, whose beginning is aligned. */

/** dbus_align() - pad with zeros to a multiple of @n */
void dbus_align(struct text *t, size_t n);
void dbus_add_u32(struct text *t, uint32_t v);
void dbus_add_u64(struct text *t, uint64_t v);
/** dbus_add_str() - of type "s" or "o" */
void dbus_add_str(struct text *t, const char *s);
/** dbus_add_sig() - of type "g"; the first part of a variant too */
void dbus_add_sig(struct text *t, const char *sig);
/** dbus_array_begin() - of elements aligned to @align; dbus_array_end() writes its length */
struct dbus_array {
	size_t length_at, first_at;
};
struct dbus_array dbus_array_begin(struct text *t, size_t align);
void dbus_array_end(struct text *t, struct dbus_array array);
/** dbus_alignment() - of a value whose signature begins with @type */
size_t dbus_alignment(char type);

/* Reading: a cursor over received bytes. Once something does not fit, all that follows fails. */

struct dbus_in {
	const unsigned char *data;
	size_t len, at;
	bool bad;
};
uint32_t dbus_get_u32(struct dbus_in *in);
/** dbus_get_str() - of type "s" or "o"; lives in the bytes. "" once bad. */
const char *dbus_get_str(struct dbus_in *in);
/** dbus_get_sig() - of type "g" */
const char *dbus_get_sig(struct dbus_in *in);

enum dbus_type { DBUS_CALL = 1, DBUS_REPLY, DBUS_ERROR, DBUS_SIGNAL };

struct dbus_message {
	uint8_t type; /* enum dbus_type */
	uint32_t serial, reply_to;
	const char *path, *interface, *member, *error, *destination, *signature; /* NULL: none */
	const void *body;
	size_t body_len;
};

/** dbus_encode() - pure: the bytes of @m. Return: 0 or -ENOMEM. */
int dbus_encode(const struct dbus_message *m, struct text *ret);
/** dbus_message_size() - pure: the length of the message that @data begins with, of which 16 bytes
 * are needed. Return: length, 0 when that is not known yet, -EBADMSG. */
ssize_t dbus_message_size(const void *data, size_t len);
/** dbus_decode() - pure: the message in @data, which must be all of it. Strings point into @data.
 * Return: 0 or -EBADMSG. */
int dbus_decode(const void *data, size_t len, struct dbus_message *ret);

/** dbus_unix_path() - pure: of the first unix address in "unix:path=/x,guid=...;tcp:...",
 * unescaped; an abstract name begins with '@'. Return: heap string, NULL when there is none. */
char *dbus_unix_path(const char *address);

/** A connection. */
struct dbus {
	int fd;
	bool is_bus;
	uint32_t serial;
	struct text in;	     /* received, and not looked at yet */
	struct arena *arena; /* of the signals that are kept */
	struct dbus_message *signals;
	size_t signal_count;
};

/** dbus_open() - connect to the unix socket @path and authenticate as who we are
 * @is_bus: a bus, which has to be greeted; else the peer itself. Return: 0 or -errno. */
int dbus_open(const char *path, bool is_bus, struct arena *arena, struct dbus *ret, struct err *e);
void dbus_close(struct dbus *bus);
#define own_dbus __attribute__((cleanup(dbus_close)))
#define DBUS_EMPTY           \
	{                    \
		.fd = -EBADF \
	}
/** dbus_call() - a method call and its reply, which is in the connection's arena
 * @what: for messages, "start unit 'x'". Return: 0; the errno that the peer's error stands for,
 * with its words; -ETIMEDOUT; -EBADMSG. */
int dbus_call(struct dbus *bus, struct dbus_message *call, const char *what,
	      struct dbus_message *ret, struct err *e);
/** dbus_wait_signal() - the next signal @member that was kept or comes
 * @until_ms: of CLOCK_MONOTONIC. Return: 0, -ETIMEDOUT, -errno. */
int dbus_wait_signal(struct dbus *bus, const char *member, int64_t until_ms,
		     struct dbus_message *ret);
int64_t dbus_now_ms(void);

#endif
