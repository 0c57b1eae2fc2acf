/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of /proc/PID/mountinfo. */
#include "namespaces/mount/mountinfo.h"

#include <stdbool.h>
#include <string.h>

static bool is_octal(const char *s)
{
	return s[0] >= '0' && s[0] <= '3' && s[1] >= '0' && s[1] <= '7' && s[2] >= '0' &&
	       s[2] <= '7';
}

/* Space, tab, newline and backslash are written as three octal digits. */
static char *unescape(char *s)
{
	char *to = s;

	for (const char *from = s; *from; to++)
		if (from[0] == '\\' && is_octal(from + 1)) {
			*to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	*to = '\0';
	return s;
}

/* "36 35 98:0 /root /target opts optional... - type source super_options" */
static bool parse(char *line, struct mountinfo *ret)
{
	char *tail = strstr(line, " - "), *words[5], *type;

	if (!tail)
		return false;
	*tail = '\0';
	tail += 3;
	for (size_t i = 0; i < 5; i++) {
		words[i] = strsep(&line, " ");
		if (!words[i])
			return false;
	}
	type = strsep(&tail, " ");
	if (!strsep(&tail, " ") || !tail)
		return false;
	*ret = (struct mountinfo){ .root = unescape(words[3]),
				   .target = unescape(words[4]),
				   .type = type,
				   .super_options = tail };
	return true;
}

int mountinfo_next(char **text, struct mountinfo *ret)
{
	char *line;

	while (*text && **text) {
		line = strsep(text, "\n");
		if (parse(line, ret))
			return 1;
	}
	return 0;
}
