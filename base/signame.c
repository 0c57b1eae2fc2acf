/* SPDX-License-Identifier: Apache-2.0 */
/* Signal names to numbers. */
#include "base/signame.h"

#include "base/text.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* "RTMIN+3", "RTMAX-1", and the two alone. */
static int realtime(const char *s)
{
	bool from_min = strncasecmp(s, "RTMIN", 5) == 0;
	uint32_t offset = 0;

	if (!from_min && strncasecmp(s, "RTMAX", 5) != 0)
		return -EINVAL;
	if (s[5] && (s[5] != (from_min ? '+' : '-') || text_u32(s + 6, &offset) < 0))
		return -EINVAL;
	if (offset > (uint32_t)(SIGRTMAX - SIGRTMIN))
		return -EINVAL;
	return from_min ? SIGRTMIN + (int)offset : SIGRTMAX - (int)offset;
}

int signame_parse(const char *s)
{
	uint32_t number;

	if (text_u32(s, &number) == 0)
		return number <= (uint32_t)SIGRTMAX ? (int)number : -EINVAL;
	if (strncasecmp(s, "SIG", 3) == 0)
		s += 3;
	for (int sig = 1; sig < SIGRTMIN; sig++) {
		const char *name = sigabbrev_np(sig);

		if (name && strcasecmp(name, s) == 0)
			return sig;
	}
	return realtime(s);
}
