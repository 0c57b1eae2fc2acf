/* SPDX-License-Identifier: Apache-2.0 */
/* Signal names, and what an init's signal masks say about how to halt it. */
#include "runtime/halt.h"

#include "base/own.h"
#include "base/text.h"

#include <signal.h>
#include <string.h>

struct signal_masks {
	uint64_t blocked, caught; /* bit n-1 is signal n: proc(5) SigBlk, SigCgt */
};

/* Line by line: that of the groups comes first and may have 65536 of them. */
static int read_masks(pid_t pid, struct signal_masks *ret, char *ret_name, size_t size)
{
	own_file FILE *file = NULL;
	own_free char *line = NULL;
	size_t room = 0;
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	*ret = (struct signal_masks){ 0 };
	while (getline(&line, &room, file) > 0) {
		if (strncmp(line, "SigBlk:", 7) == 0)
			ret->blocked = strtoull(line + 7, NULL, 16);
		else if (strncmp(line, "SigCgt:", 7) == 0)
			ret->caught = strtoull(line + 7, NULL, 16);
		else if (strncmp(line, "Name:\t", 6) == 0)
			(void)snprintf(ret_name, size, "%.*s", (int)strcspn(line + 6, "\n"),
				       line + 6);
	}
	return ferror(file) ? -EIO : 0;
}

static bool in(uint64_t mask, int sig)
{
	return mask & (UINT64_C(1) << (sig - 1));
}

bool halt_can_catch(pid_t pid, int sig)
{
	struct signal_masks masks;
	char name[64];

	if (read_masks(pid, &masks, name, sizeof(name)) < 0)
		return false;
	return in(masks.blocked | masks.caught, sig);
}

int halt_detect(pid_t pid)
{
	struct signal_masks masks;
	char name[64] = "";
	int systemd = SIGRTMIN + 3;

	if (read_masks(pid, &masks, name, sizeof(name)) < 0)
		return SIGTERM;
	if (strcmp(name, "systemd") == 0 && in(masks.blocked | masks.caught, systemd))
		return systemd;
	/* busybox init reads its signals by sigtimedwait, so they are blocked, not caught. */
	if (strcmp(name, "init") == 0 && in(masks.blocked | masks.caught, SIGUSR2))
		return SIGUSR2;
	if (!in(masks.caught | masks.blocked, SIGTERM) && in(masks.caught | masks.blocked, SIGPWR))
		return SIGPWR;
	return SIGTERM;
}
