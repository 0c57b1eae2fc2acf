/* SPDX-License-Identifier: Apache-2.0 */
/* D-Bus messages as bytes: both directions, pure. */
#include "cgroups/dbus.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	VERSION = 1,
	FIXED_BYTES = 16,
	/* The specification allows 128 MiB; nothing that systemd says to us comes near this. */
	MESSAGE_MAX_BYTES = 1024 * 1024,
};
static const char endianness = __BYTE_ORDER == __LITTLE_ENDIAN ? 'l' : 'B';

/* "Header Fields" */
enum { PATH = 1, INTERFACE, MEMBER, ERROR_NAME, REPLY_SERIAL, DESTINATION, SENDER, SIGNATURE };

void dbus_align(struct text *t, size_t n)
{
	static const char zeros[8];

	text_addn(t, zeros, (n - t->len % n) % n);
}

void dbus_add_u32(struct text *t, uint32_t v)
{
	dbus_align(t, sizeof(v));
	text_addn(t, (const char *)&v, sizeof(v));
}

void dbus_add_u64(struct text *t, uint64_t v)
{
	dbus_align(t, sizeof(v));
	text_addn(t, (const char *)&v, sizeof(v));
}

void dbus_add_str(struct text *t, const char *s)
{
	dbus_add_u32(t, (uint32_t)strlen(s));
	text_addn(t, s, strlen(s) + 1);
}

void dbus_add_sig(struct text *t, const char *sig)
{
	char len = (char)strlen(sig); /* ours are short */

	text_addn(t, &len, 1);
	text_addn(t, sig, strlen(sig) + 1);
}

/* The length does not count the padding before the first element. */
struct dbus_array dbus_array_begin(struct text *t, size_t align)
{
	struct dbus_array array;

	dbus_add_u32(t, 0);
	array.length_at = t->len - sizeof(uint32_t);
	dbus_align(t, align);
	array.first_at = t->len;
	return array;
}

void dbus_array_end(struct text *t, struct dbus_array array)
{
	uint32_t len = (uint32_t)(t->len - array.first_at);

	if (!text_failed(t))
		memcpy(t->data + array.length_at, &len, sizeof(len));
}

size_t dbus_alignment(char type)
{
	switch (type) {
	case 'y':
	case 'g':
	case 'v':
		return 1;
	case 'n':
	case 'q':
		return 2;
	case 'x':
	case 't':
	case 'd':
	case '(':
	case '{':
		return 8;
	default:
		return 4;
	}
}

static bool need(struct dbus_in *in, size_t n)
{
	in->bad = in->bad || n > in->len - in->at;
	return !in->bad;
}

static void skip_padding(struct dbus_in *in, size_t n)
{
	size_t pad = (n - in->at % n) % n;

	if (need(in, pad))
		in->at += pad;
}

static uint8_t get_u8(struct dbus_in *in)
{
	return need(in, 1) ? in->data[in->at++] : 0;
}

uint32_t dbus_get_u32(struct dbus_in *in)
{
	uint32_t v = 0;

	skip_padding(in, sizeof(v));
	if (!need(in, sizeof(v)))
		return 0;
	memcpy(&v, in->data + in->at, sizeof(v));
	in->at += sizeof(v);
	return v;
}

/* @len bytes without a NUL among them, and a NUL behind them. */
static const char *get_chars(struct dbus_in *in, size_t len)
{
	const char *s;

	if (len >= MESSAGE_MAX_BYTES || !need(in, len + 1)) {
		in->bad = true;
		return "";
	}
	s = (const char *)in->data + in->at;
	if (strnlen(s, len + 1) != len) {
		in->bad = true;
		return "";
	}
	in->at += len + 1;
	return s;
}

const char *dbus_get_str(struct dbus_in *in)
{
	return get_chars(in, dbus_get_u32(in));
}

const char *dbus_get_sig(struct dbus_in *in)
{
	return get_chars(in, get_u8(in));
}

static void add_field(struct text *t, uint8_t code, const char *sig, const char *value)
{
	if (!value)
		return;
	dbus_align(t, 8);
	text_addn(t, (const char *)&code, 1);
	dbus_add_sig(t, sig);
	if (*sig == 'g')
		dbus_add_sig(t, value);
	else
		dbus_add_str(t, value);
}

static void add_serial_field(struct text *t, uint8_t code, uint32_t value)
{
	if (!value)
		return;
	dbus_align(t, 8);
	text_addn(t, (const char *)&code, 1);
	dbus_add_sig(t, "u");
	dbus_add_u32(t, value);
}

int dbus_encode(const struct dbus_message *m, struct text *ret)
{
	const char start[4] = { endianness, (char)m->type, 0, VERSION };
	struct dbus_array fields;

	text_addn(ret, start, sizeof(start));
	dbus_add_u32(ret, (uint32_t)m->body_len);
	dbus_add_u32(ret, m->serial);
	fields = dbus_array_begin(ret, 8);
	add_field(ret, PATH, "o", m->path);
	add_field(ret, DESTINATION, "s", m->destination);
	add_field(ret, INTERFACE, "s", m->interface);
	add_field(ret, MEMBER, "s", m->member);
	add_field(ret, ERROR_NAME, "s", m->error);
	add_serial_field(ret, REPLY_SERIAL, m->reply_to);
	add_field(ret, SIGNATURE, "g", m->signature);
	dbus_array_end(ret, fields);
	dbus_align(ret, 8);
	text_addn(ret, m->body, m->body_len);
	return text_failed(ret) ? -ENOMEM : 0;
}

ssize_t dbus_message_size(const void *data, size_t len)
{
	struct dbus_in in = { .data = data, .len = len, .at = 4 };
	uint32_t body, fields;

	if (len < FIXED_BYTES)
		return 0;
	body = dbus_get_u32(&in);
	(void)dbus_get_u32(&in);
	fields = dbus_get_u32(&in);
	if (in.data[0] != (unsigned char)endianness || in.data[3] != VERSION ||
	    body > MESSAGE_MAX_BYTES || fields > MESSAGE_MAX_BYTES)
		return -EBADMSG;
	return (ssize_t)FIXED_BYTES + (ssize_t)(fields + 7) / 8 * 8 + (ssize_t)body;
}

/* One field: a code and a variant, which is a string, a path, a signature or a number. */
static void get_field(struct dbus_in *in, struct dbus_message *m)
{
	const char *text = NULL, *sig;
	uint32_t number = 0;
	uint8_t code;

	skip_padding(in, 8);
	code = get_u8(in);
	sig = dbus_get_sig(in);
	if (strcmp(sig, "s") == 0 || strcmp(sig, "o") == 0)
		text = dbus_get_str(in);
	else if (strcmp(sig, "g") == 0)
		text = dbus_get_sig(in);
	else if (strcmp(sig, "u") == 0)
		number = dbus_get_u32(in);
	else
		in->bad = true;
	switch (code) {
	case PATH:
		m->path = text;
		break;
	case INTERFACE:
		m->interface = text;
		break;
	case MEMBER:
		m->member = text;
		break;
	case ERROR_NAME:
		m->error = text;
		break;
	case REPLY_SERIAL:
		m->reply_to = number;
		break;
	case DESTINATION:
		m->destination = text;
		break;
	case SIGNATURE:
		m->signature = text;
		break;
	default:
		break; /* "unknown fields must be ignored" */
	}
}

int dbus_decode(const void *data, size_t len, struct dbus_message *ret)
{
	struct dbus_in in = { .data = data, .len = len, .at = 1 };
	struct dbus_message m = { 0 };
	size_t end;

	if (len < FIXED_BYTES || dbus_message_size(data, len) != (ssize_t)len)
		return -EBADMSG;
	m.type = get_u8(&in);
	in.at = 4;
	m.body_len = dbus_get_u32(&in);
	m.serial = dbus_get_u32(&in);
	end = dbus_get_u32(&in);
	end += in.at;
	in.len = end;
	while (!in.bad && in.at < end)
		get_field(&in, &m);
	if (in.bad)
		return -EBADMSG;
	m.body = (const char *)data + (len - m.body_len);
	*ret = m;
	return 0;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "Server Addresses": "%" and two hex digits stand for a byte. */
static char *unescape(const char *s, size_t len)
{
	struct text t = { 0 };

	for (size_t i = 0; i < len; i++) {
		char c = s[i];

		if (c == '%' && i + 2 < len && hex(s[i + 1]) >= 0 && hex(s[i + 2]) >= 0) {
			c = (char)(hex(s[i + 1]) << 4 | hex(s[i + 2]));
			i += 2;
		}
		text_addn(&t, &c, 1);
	}
	return text_take(&t);
}

static char *unix_key(const char *entry, size_t len, const char *key, const char *before)
{
	size_t key_len = strlen(key);

	while (len) {
		const char *comma = memchr(entry, ',', len);
		size_t n = comma ? (size_t)(comma - entry) : len;

		if (n > key_len && strncmp(entry, key, key_len) == 0) {
			char *value = unescape(entry + key_len, n - key_len), *all = NULL;

			if (value && asprintf(&all, "%s%s", before, value) < 0)
				all = NULL;
			free(value);
			return all;
		}
		entry += comma ? n + 1 : n;
		len -= comma ? n + 1 : n;
	}
	return NULL;
}

char *dbus_unix_path(const char *address)
{
	while (*address) {
		size_t len = strcspn(address, ";");

		if (len > 5 && strncmp(address, "unix:", 5) == 0) {
			char *path = unix_key(address + 5, len - 5, "path=", "");

			if (!path)
				path = unix_key(address + 5, len - 5, "abstract=", "@");
			if (path)
				return path;
		}
		address += len;
		address += *address == ';';
	}
	return NULL;
}
