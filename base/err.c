/* SPDX-License-Identifier: Apache-2.0 */
/* Errors by value: set at the source, wrapped on the way up, printed once by cli/. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* One failure is one line, whatever bytes a file name or a kernel message brought along. */
static void one_line(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

/* Some errnos of the kernel have no name in libc: ENOTSUPP (524) of many a driver. */
static void add_cause(struct err *e, const char *join)
{
	size_t len = strlen(e->msg), room = sizeof(e->msg) - len;
	const char *text = strerrordesc_np(-e->code);

	if (text)
		(void)snprintf(e->msg + len, room, "%s%s", join, text);
	else
		(void)snprintf(e->msg + len, room, "%serror %d", join, -e->code);
}

static void set_message(struct err *e, int code, const char *fmt, va_list ap)
{
	e->code = code;
	e->hint[0] = '\0';
	(void)vsnprintf(e->msg, sizeof(e->msg), fmt, ap); /* truncation of a message is fine */
	one_line(e->msg);
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return code;
	va_start(ap, fmt);
	set_message(e, code, fmt, ap);
	va_end(ap);
	add_cause(e, ": ");
	return code;
}

int err_say(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return code;
	va_start(ap, fmt);
	set_message(e, code, fmt, ap);
	va_end(ap);
	return code;
}

int err_wrap(struct err *e, int code, const char *fmt, ...)
{
	char prefix[sizeof(((struct err *)0)->msg)];
	size_t len, keep;
	va_list ap;

	if (!e)
		return code;
	va_start(ap, fmt);
	(void)vsnprintf(prefix, sizeof(prefix) - 2, fmt, ap);
	va_end(ap);
	one_line(prefix);
	e->code = code;
	if (!e->msg[0])
		add_cause(e, ""); /* a bare -ENOMEM from below */
	len = strlen(prefix);
	memcpy(prefix + len, ": ", 3);
	len += 2;
	keep = strnlen(e->msg, sizeof(e->msg) - 1 - len);
	memmove(e->msg + len, e->msg, keep);
	memcpy(e->msg, prefix, len);
	e->msg[len + keep] = '\0';
	return code;
}

void err_hint(struct err *e, const char *fmt, ...)
{
	va_list ap;

	if (!e || e->hint[0])
		return;
	va_start(ap, fmt);
	(void)vsnprintf(e->hint, sizeof(e->hint), fmt, ap);
	va_end(ap);
	one_line(e->hint);
}
