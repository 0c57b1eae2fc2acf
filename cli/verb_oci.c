/* SPDX-License-Identifier: Apache-2.0 */
/* spec, features, checkpoint, restore: what an OCI runtime has beside the life of containers. */
#include "base/file.h"
#include "base/own.h"
#include "cli/cli.h"
#include "cli/out.h"
#include "cli/verbs.h"
#include "namespaces/mount/options.h"
#include "runtime/spec/spec.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/statfs.h>

struct spec_options {
	const char *bundle;
	bool rootless;
};

/* clang-format off */
static const struct opt spec_options[] = {
	{ "bundle", 'b', OPT_STR, 0, "DIR", offsetof(struct spec_options, bundle), NULL,
	  "where config.json is written (default: the working directory)" },
	{ "rootless", 0, OPT_SWITCH, 0, NULL, offsetof(struct spec_options, rootless), NULL,
	  "for an ordinary user: a user namespace with your own id mapped to root" },
	{ 0 },
};
/* clang-format on */

static int write_config(const char *bundle, json_t *doc, struct err *e)
{
	own_fd int dir = open(bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_free char *text = NULL;
	int r;

	if (dir < 0)
		return err_set(e, -errno, "open '%s'", bundle);
	if (faccessat(dir, "config.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return err_say(e, -EEXIST, "'config.json' exists in '%s': remove it first", bundle);
	text = json_dumps(doc, JSON_INDENT(4));
	if (!text)
		return cli_oom(e);
	r = file_replace(dir, "config.json", text, strlen(text), 0666, FILE_NOSYNC);
	return r < 0 ? err_set(e, r, "write 'config.json' in '%s'", bundle) : 0;
}

static int run_spec(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	const struct spec_options *s = opts;
	own_json json_t *doc = NULL;
	struct statfs fs;
	int r;

	if (args->n) {
		if (s->bundle || s->rootless)
			return cli_usage(cli, e,
					 "a partition config is converted to stdout: no "
					 "--bundle, no --rootless");
		r = partition_spec(&cli->env, args->v[0], &doc, e);
		return r < 0 ? r : out_print_json(take_ptr(doc), e);
	}
	doc = spec_default(s->rootless,
			   statfs("/sys/fs/cgroup", &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC,
			   geteuid(), getegid());
	if (!doc)
		return cli_oom(e);
	return write_config(s->bundle ? s->bundle : ".", doc, e);
}

static int run_features(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	size_t count;
	const char *const *options = mnt_option_names(&count);

	(void)cli;
	(void)opts;
	(void)args;
	return out_print_json(spec_features(options, count), e);
}

struct checkpoint {
	const char *image_path, *work_path, *parent_path, *page_server, *manage_cgroups_mode;
	const char *lsm_profile, *lsm_mount_context, *status_fd;
	struct strv empty_ns;
	bool leave_running, pre_dump, tcp_established, tcp_skip_in_flight, tcp_close, ext_unix_sk;
	bool shell_job, file_locks, lazy_pages, auto_dedup, link_remap;
	/* restore */
	const char *bundle, *pid_file, *console_socket, *pidfd_socket;
	uint32_t preserve_fds;
	bool detach, no_pivot, no_subreaper, keep;
};

#define AT(field) offsetof(struct checkpoint, field)

/* clang-format off */
#define CRIU_OPTIONS \
	{ "image-path", 0, OPT_STR, 0, "DIR", AT(image_path), NULL, \
	  "where the images are (default: ./checkpoint)" }, \
	{ "work-path", 0, OPT_STR, 0, "DIR", AT(work_path), NULL, "where criu puts its logs" }, \
	{ "tcp-established", 0, OPT_SWITCH, 0, NULL, AT(tcp_established), NULL, \
	  "keep TCP connections" }, \
	{ "ext-unix-sk", 0, OPT_SWITCH, 0, NULL, AT(ext_unix_sk), NULL, \
	  "allow unix sockets that lead outside" }, \
	{ "shell-job", 0, OPT_SWITCH, 0, NULL, AT(shell_job), NULL, "allow a terminal of outside" }, \
	{ "file-locks", 0, OPT_SWITCH, 0, NULL, AT(file_locks), NULL, "keep file locks" }, \
	{ "manage-cgroups-mode", 0, OPT_CHOICE, 0, "soft|full|strict|ignore", \
	  AT(manage_cgroups_mode), NULL, "what criu does with cgroups" }, \
	{ "empty-ns", 0, OPT_STRV, 0, "NAMESPACE", AT(empty_ns), NULL, \
	  "leave the contents of this namespace to others" }, \
	{ "lazy-pages", 0, OPT_SWITCH, 0, NULL, AT(lazy_pages), NULL, "leave memory for later" }, \
	{ "auto-dedup", 0, OPT_SWITCH, 0, NULL, AT(auto_dedup), NULL, "drop what parents have" }, \
	{ "link-remap", 0, OPT_SWITCH, 0, NULL, AT(link_remap), NULL, "allow deleted files" }

static const struct opt checkpoint_options[] = {
	CRIU_OPTIONS,
	{ "parent-path", 0, OPT_STR, 0, "DIR", AT(parent_path), NULL,
	  "images of an earlier --pre-dump, relative to --image-path" },
	{ "leave-running", 0, OPT_SWITCH, 0, NULL, AT(leave_running), NULL,
	  "do not end the container" },
	{ "pre-dump", 0, OPT_SWITCH, 0, NULL, AT(pre_dump), NULL,
	  "only copy its memory, while it goes on" },
	{ "tcp-skip-in-flight", 0, OPT_SWITCH, 0, NULL, AT(tcp_skip_in_flight), NULL,
	  "leave out connections that are being made" },
	{ "page-server", 0, OPT_STR, 0, "ADDRESS:PORT", AT(page_server), NULL,
	  "send its memory there" },
	{ "status-fd", 0, OPT_STR, 0, "FD", AT(status_fd), NULL,
	  "write a byte there when lazy pages can be asked for" },
	{ 0 },
};

static const struct opt restore_options[] = {
	CRIU_OPTIONS,
	{ "tcp-close", 0, OPT_SWITCH, 0, NULL, AT(tcp_close), NULL, "reset TCP connections" },
	{ "lsm-profile", 0, OPT_STR, 0, "TYPE:LABEL", AT(lsm_profile), NULL,
	  "security label of its processes" },
	{ "lsm-mount-context", 0, OPT_STR, 0, "CONTEXT", AT(lsm_mount_context), NULL,
	  "security label of its mounts" },
	{ "bundle", 'b', OPT_STR, 0, "DIR", AT(bundle), NULL,
	  "OCI bundle (default: the working directory)" },
	{ "detach", 'd', OPT_SWITCH, 0, NULL, AT(detach), NULL, "leave it running and return" },
	{ "keep", 0, OPT_SWITCH, 0, NULL, AT(keep), NULL, "do not delete it when it has ended" },
	{ "pid-file", 0, OPT_STR, 0, "FILE", AT(pid_file), NULL,
	  "write the pid of the first process to FILE" },
	{ "console-socket", 0, OPT_STR, 0, "SOCKET", AT(console_socket), NULL,
	  "send the terminal's master end over this unix socket" },
	{ "pidfd-socket", 0, OPT_STR, 0, "SOCKET", AT(pidfd_socket), NULL,
	  "send a pidfd of the first process over this unix socket" },
	{ "preserve-fds", 0, OPT_U32, 0, "N", AT(preserve_fds), NULL,
	  "pass N descriptors, 3 and up, to the container" },
	{ "no-pivot", 0, OPT_SWITCH, 0, NULL, AT(no_pivot), NULL,
	  "move the root mount instead of pivot_root(2), for a root on ramfs" },
	{ "no-subreaper", 0, OPT_SWITCH, OPT_HIDDEN, NULL, AT(no_subreaper), NULL,
	  "ctr never becomes a subreaper" },
	{ 0 },
};
/* clang-format on */

static int check_checkpoint(struct cli *cli, const struct checkpoint *c, struct err *e)
{
	if (c->parent_path && c->parent_path[0] == '/')
		return cli_usage(cli, e, "--parent-path '%s': must be relative to --image-path",
				 c->parent_path);
	if (c->parent_path) {
		const char *parent =
			arena_printf(cli->arena, "%s/%s",
				     c->image_path ? c->image_path : "checkpoint", c->parent_path);

		if (!parent)
			return cli_oom(e);
		if (access(parent, F_OK) < 0)
			return err_set(e, -errno, "--parent-path '%s'", parent);
	}
	for (size_t i = 0; i < c->empty_ns.n; i++)
		if (strcmp(c->empty_ns.v[i], "network") != 0)
			return cli_usage(cli, e, "--empty-ns '%s': only 'network' can be left out",
					 c->empty_ns.v[i]);
	return 0;
}

static int run_checkpoint(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	struct ctr_info info;
	int r = check_checkpoint(cli, opts, e);

	if (r == 0)
		r = container_info(&cli->env, args->v[0], cli->arena, &info, e);
	if (r < 0)
		return r;
	if (info.status != CTR_RUNNING && info.status != CTR_PAUSED)
		return err_say(e, -ESRCH, "container not running");
	return err_say(e, -ENOTSUP, "checkpoint: this version does not implement it");
}

static int run_restore(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	int r = check_checkpoint(cli, opts, e);

	(void)args;
	return r < 0 ? r : err_say(e, -ENOTSUP, "restore: this version does not implement it");
}

const struct verb verb_spec = {
	.name = "spec",
	.args = "[FILE]",
	.summary = "write an OCI config to begin with",
	.help = "Writes a config.json into an OCI bundle: a shell on a terminal, to be changed to "
		"what is wanted. With the config FILE of a partition, it prints the OCI "
		"config.json "
		"that this becomes.",
	.group = GROUP_CONFIG,
	.max_args = 1,
	.opts = spec_options,
	.opts_size = sizeof(struct spec_options),
	.fn = run_spec,
};

const struct verb verb_features = {
	.name = "features",
	.args = "",
	.summary = "print what OCI configs may ask for",
	.help = "Prints what this build can do on this host as the OCI runtime specification "
		"defines it (features.md).",
	.group = GROUP_HOST,
	.fn = run_features,
};

const struct verb verb_checkpoint = {
	.name = "checkpoint",
	.args = "NAME",
	.summary = "save a running container to files",
	.help = "Saves the processes of a container with criu. This version only checks the "
		"command line, and refuses.",
	.group = GROUP_LIFE,
	.flags = VERB_ROOT,
	.min_args = 1,
	.max_args = 1,
	.opts = checkpoint_options,
	.opts_size = sizeof(struct checkpoint),
	.fn = run_checkpoint,
};

const struct verb verb_restore = {
	.name = "restore",
	.args = "NAME",
	.summary = "bring a saved container back",
	.help = "Starts a container from what checkpoint has saved. This version only checks the "
		"command line, and refuses.",
	.group = GROUP_LIFE,
	.flags = VERB_ROOT,
	.min_args = 1,
	.max_args = 1,
	.opts = restore_options,
	.opts_size = sizeof(struct checkpoint),
	.fn = run_restore,
};
