/* SPDX-License-Identifier: Apache-2.0 */
/* Network of a container: records in the run directory, undo from the saved config. */
#include "runtime/network.h"

#include "base/json.h"
#include "base/own.h"
#include "netsetup/net.h"
#include "runtime/config/config.h"
#include "runtime/state.h"

#include <fcntl.h>
#include <sys/stat.h>

static int open_records(int run, struct err *e)
{
	int fd;

	if (mkdirat(run, ".net", 0700) < 0 && errno != EEXIST)
		return err_set(e, -errno, "make the network record directory");
	fd = openat(run, ".net", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_set(e, -errno, "open the network record directory") : fd;
}

int network_apply(int run, const struct net_config *net, int netns, struct err *e)
{
	own_fd int records = open_records(run, e);

	return records < 0 ? records : net_apply(net, records, netns, e);
}

int network_undo(int run, const struct net_config *net, struct err *e)
{
	own_fd int records = open_records(run, e);

	return records < 0 ? records : net_undo(net, records, e);
}

int network_undo_recorded(int run, const char *id, struct err *e)
{
	own_arena struct arena arena = { 0 };
	struct js_issues issues = { .arena = &arena };
	own_json json_t *doc = NULL;
	struct net_config net = { 0 };
	struct config config = { 0 };
	int r;

	r = state_load_json(run, id, "partition.json", &doc, e);
	if (r < 0)
		return r;
	r = config_decode(doc, &issues, &config);
	if (r < 0)
		return r == -EINVAL ? js_issues_err(&issues, "partition.json", e) : r;
	r = config_to_net(&config, id, &arena, &net, e);
	return r < 0 ? r : network_undo(run, &net, e);
}
