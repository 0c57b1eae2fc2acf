/* SPDX-License-Identifier: Apache-2.0 */
/* The exit status of a partition's last run, as one decimal number. */
#include "runtime/exitnote.h"

#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "runtime/storage/store.h"

#include <fcntl.h>
#include <string.h>

static const char name[] = "last-exit";

static int open_partition(const struct ctr_env *env, const char *id)
{
	own_fd int store = store_open(env->store, NULL);

	return store < 0 ? store : partition_dir_open(store, id, NULL);
}

void exitnote_save(const struct ctr_env *env, const char *id, int status)
{
	own_fd int dir = open_partition(env, id);
	char text[16];

	if (dir < 0)
		return;
	(void)snprintf(text, sizeof(text), "%d\n", status);
	(void)file_replace(dir, name, text, strlen(text), 0600, FILE_NOSYNC); /* best effort */
}

int exitnote_load(const struct ctr_env *env, const char *id)
{
	own_fd int dir = open_partition(env, id);
	char text[16];
	uint32_t status;

	if (dir < 0 || file_read(dir, name, text, sizeof(text)) < 0 ||
	    text_u32(text, &status) < 0 || status > 255)
		return -1;
	return (int)status;
}
