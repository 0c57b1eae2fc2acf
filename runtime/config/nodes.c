/* SPDX-License-Identifier: Apache-2.0 */
/* The one question that a config asks the host: which device is behind a path. */
#include "base/own.h"
#include "runtime/config/config.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

int config_nodes(const struct config *config, struct arena *arena, const struct config_node **ret,
		 struct err *e)
{
	const struct config_device *devices = config->devices.v;
	struct config_node *nodes = arena_alloc(arena, config->devices.n * sizeof(*nodes));

	if (!nodes)
		return err_set(e, -ENOMEM, "devices");
	for (size_t i = 0; i < config->devices.n; i++) {
		struct stat st;

		if (stat(devices[i].path, &st) < 0)
			return err_set(e, -errno, "devices[%zu]: '%s'", i, devices[i].path);
		if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
			return err_say(e, -ENODEV, "devices[%zu]: '%s' is not a device node", i,
				       devices[i].path);
		nodes[i] = (struct config_node){
			.type = S_ISCHR(st.st_mode) ? 'c' : 'b',
			.major = major(st.st_rdev),
			.minor = minor(st.st_rdev),
			.mode = st.st_mode & 0777,
		};
	}
	*ret = nodes;
	return 0;
}
