/* SPDX-License-Identifier: Apache-2.0 */
/* Records of the log, and the places that take them. */
#include "cli/log.h"

#include "base/fd.h"
#include "base/own.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/out.h"

#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>

/* clang-format off */
static const struct {
	const char *name;
	int priority; /* syslog(3) */
} levels[] = {
	[LOG_LEVEL_ERROR]   = { "error",   LOG_ERR },
	[LOG_LEVEL_WARNING] = { "warning", LOG_WARNING },
	[LOG_LEVEL_DEBUG]   = { "debug",   LOG_DEBUG },
};
/* clang-format on */

/* key="value" of a text record: quotes and backslashes escaped; err_set() left no newline. */
static void add_quoted(struct text *t, const char *s)
{
	text_add(t, "\"");
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			text_add(t, "\\");
		text_addn(t, s, 1);
	}
	text_add(t, "\"");
}

char *log_record(const char *format, const char *level, const char *msg, const char *time)
{
	own_text struct text t = { 0 };

	if (format && strcmp(format, "json") == 0) {
		own_json json_t *doc =
			json_pack("{s:s, s:o, s:s}", "level", level, "msg",
				  json_stringn_nocheck(msg, strlen(msg)), "time", time);
		own_free char *line = doc ? json_dumps(doc, JSON_COMPACT) : NULL;

		if (!line && doc) { /* bytes that are not UTF-8, out of a file name */
			own_free char *ascii = strdup(msg);

			for (char *p = ascii; p && *p; p++)
				if ((unsigned char)*p >= 0x80)
					*p = '?';
			return ascii ? log_record(format, level, ascii, time) : NULL;
		}
		text_addf(&t, "%s\n", line ? line : "");
		t.failed |= !line;
		return text_take(&t);
	}
	text_addf(&t, "time=%s level=%s msg=", time, level);
	add_quoted(&t, msg);
	text_add(&t, "\n");
	return text_take(&t);
}

/* In one write, so that verbs which share a log do not mix their lines. */
static int to_file(const struct globals *g, const char *path, enum log_level level, const char *msg)
{
	own_fd int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	own_free char *line = NULL;
	char time[32];

	if (fd < 0)
		return -errno;
	line = log_record(g->log_format, levels[level].name, msg,
			  out_fmt_time(time, sizeof(time), out_now_ms()));
	return line ? fd_write_all(fd, line, strlen(line)) : -ENOMEM;
}

static int to_syslog(const struct globals *g, const char *id, enum log_level level, const char *msg)
{
	(void)g;
	openlog(id, LOG_PID, LOG_DAEMON);
	syslog(levels[level].priority, "%s", msg);
	closelog();
	return 0;
}

/* systemd.journal-fields(7) over the protocol of sd_journal_send(3): one datagram of lines. */
static int to_journal(const struct globals *g, const char *id, enum log_level level,
		      const char *msg)
{
	const struct sockaddr_un addr = { .sun_family = AF_UNIX,
					  .sun_path = "/run/systemd/journal/socket" };
	own_fd int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	own_text struct text t = { 0 };

	(void)g;
	if (sock < 0)
		return -errno;
	text_addf(&t, "MESSAGE=%s\nPRIORITY=%d\nSYSLOG_IDENTIFIER=%s\n", msg,
		  levels[level].priority, id);
	if (text_failed(&t))
		return -ENOMEM;
	if (sendto(sock, t.data, t.len, MSG_NOSIGNAL, (const struct sockaddr *)&addr,
		   sizeof(addr)) < 0)
		return -errno;
	return 0;
}

/* clang-format off */
static const struct {
	const char *prefix;
	int (*append)(const struct globals *g, const char *where, enum log_level level,
		      const char *msg);
} places[] = {
	{ "file:",     to_file },
	{ "syslog:",   to_syslog },
	{ "journald:", to_journal },
	{ "",	       to_file },
};
/* clang-format on */

bool log_wants(const struct globals *g, enum log_level level)
{
	enum log_level most = g->debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING;

	for (unsigned int i = 0; g->log_level && i < ARRAY_SIZE(levels); i++)
		if (strcmp(g->log_level, levels[i].name) == 0)
			most = i;
	return g->log && level <= most;
}

int log_append(const struct globals *g, enum log_level level, const char *msg)
{
	size_t i = 0;

	while (strncmp(g->log, places[i].prefix, strlen(places[i].prefix)) != 0)
		i++; /* ends at the empty prefix */
	return places[i].append(g, g->log + strlen(places[i].prefix), level, msg);
}
