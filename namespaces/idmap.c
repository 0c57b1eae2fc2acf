/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The id maps of a user namespace.
 *
 * DOC: user_namespaces(7) lets a process without CAP_SETUID map one id, its own, once setgroups(2)
 * is denied for good. Any other ids of an ordinary user are those that /etc/subuid and /etc/subgid
 * lend to it, and only newuidmap(1) and newgidmap(1), which are setuid root, may write them.
 */
#include "namespaces/ns_internal.h"

#include "base/fd.h"
#include "base/feat.h"
#include "base/file.h"
#include "base/own.h"
#include "base/sys.h"
#include "base/text.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

struct map_kind {
	const char *file, *tool, *lent; /* beneath /proc/PID; the helper; where its ranges are */
	int cap;			/* that writes any map */
};

static const struct map_kind uid_kind = { "uid_map", "newuidmap", "/etc/subuid", CAP_SETUID };
static const struct map_kind gid_kind = { "gid_map", "newgidmap", "/etc/subgid", CAP_SETGID };

/* Setuid programs are the system's: never by the caller's PATH. The last is NixOS's. */
static const char *const tool_dirs[] = { "/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin",
					 "/run/wrappers/bin" };

static int write_proc(pid_t pid, const char *file, const char *value, struct err *e)
{
	char path[40];
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, file); /* always fits */
	r = file_write(AT_FDCWD, path, value);
	return r < 0 ? err_set(e, r, "write %s of the user namespace", file) : 0;
}

static int write_map(pid_t pid, const struct map_kind *kind, const struct id_map *maps,
		     size_t count, struct err *e)
{
	own_text struct text t = { 0 };

	for (size_t i = 0; i < count; i++)
		text_addf(&t, "%u %u %u\n", maps[i].inside, maps[i].outside, maps[i].count);
	if (text_failed(&t))
		return -ENOMEM;
	return write_proc(pid, kind->file, text_str(&t), e);
}

static int find_tool(const char *name, char *buf, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(tool_dirs); i++) {
		(void)snprintf(buf, size, "%s/%s", tool_dirs[i], name);
		if (access(buf, X_OK) == 0)
			return 0;
	}
	return -ENOENT;
}

static void free_words(char ***words)
{
	for (char **w = *words; w && *w; w++)
		free(*w);
	free(*words);
}

/* TOOL PID INSIDE OUTSIDE COUNT... */
static char **tool_words(const struct map_kind *kind, pid_t pid, const struct id_map *maps,
			 size_t count)
{
	char **words = calloc(3 + 3 * count, sizeof(*words));
	size_t n = 0;
	bool ok = words;

	if (ok)
		ok = asprintf(&words[n++], "%s", kind->tool) >= 0;
	if (ok)
		ok = asprintf(&words[n++], "%d", pid) >= 0;
	for (size_t i = 0; ok && i < count; i++) {
		const uint32_t numbers[] = { maps[i].inside, maps[i].outside, maps[i].count };

		for (size_t j = 0; ok && j < ARRAY_SIZE(numbers); j++)
			ok = asprintf(&words[n++], "%u", numbers[j]) >= 0;
	}
	if (ok)
		return words;
	if (words && n)
		words[n - 1] = NULL; /* what asprintf(3) left there is undefined */
	free_words(&words);
	return NULL;
}

static _Noreturn void become_tool(const char *path, char **words, int errors)
{
	static char *const no_env[] = { NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(errors, 2) < 0 ||
	    sys_close_range(3, ~0U, 0) < 0)
		_exit(127);
	(void)execve(path, words, no_env);
	_exit(127);
}

static int tool_failed(const struct map_kind *kind, char *said, struct err *e)
{
	size_t prefix = strlen(kind->tool);

	said[strcspn(said, "\n")] = '\0';
	if (strncmp(said, kind->tool, prefix) == 0)
		said += prefix + strspn(said + prefix, ": ");
	(void)err_say(e, -EPERM, "%s: %s", kind->tool, *said ? said : "failed without a word");
	err_hint(e,
		 "a line of %s must lend these ids to the user ('USER:FIRST:COUNT'), and %s "
		 "must be setuid root",
		 kind->lent, kind->tool);
	return -EPERM;
}

static int run_tool(const char *path, char **words, char *said, size_t size, int *ret_status)
{
	own_fd int out = -EBADF, in = -EBADF;
	int ends[2], status;
	ssize_t n;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	out = ends[0];
	in = ends[1];
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		become_tool(path, words, in);
	close_fd(&in);
	n = fd_read_all(out, said, size - 1);
	said[n > 0 ? n : 0] = '\0';
	close_fd(&out); /* a tool with more to say than we keep gets EPIPE, and ends */
	if (TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) < 0)
		return -errno;
	*ret_status = status;
	return 0;
}

static int map_by_tool(pid_t pid, const struct map_kind *kind, const struct id_map *maps,
		       size_t count, struct err *e)
{
	__attribute__((cleanup(free_words))) char **words = NULL;
	char path[64], said[320];
	int status = 0, r;

	if (find_tool(kind->tool, path, sizeof(path)) < 0) {
		(void)err_say(e, -EPERM, "no '%s' on this host, which maps more than one's own id",
			      kind->tool);
		err_hint(e, "install it (package uidmap or shadow-utils), or map one id: your own");
		return -EPERM;
	}
	words = tool_words(kind, pid, maps, count);
	if (!words)
		return -ENOMEM;
	r = run_tool(path, words, said, sizeof(said), &status);
	if (r < 0)
		return err_set(e, r, "run '%s'", path);
	return status == 0 ? 0 : tool_failed(kind, said, e);
}

bool idmap_is_own(const struct id_map *maps, size_t count, uint32_t own)
{
	return count == 1 && maps[0].count == 1 && maps[0].outside == own;
}

static int map(pid_t pid, const struct map_kind *kind, const struct id_map *maps, size_t count,
	       uint32_t own, struct err *e)
{
	int r = 0;

	if (feat_has_cap(kind->cap))
		return write_map(pid, kind, maps, count, e);
	if (!idmap_is_own(maps, count, own))
		return map_by_tool(pid, kind, maps, count, e);
	/* Without it a process could drop a group that takes rights away: CVE-2014-8989. */
	if (kind == &gid_kind)
		r = write_proc(pid, "setgroups", "deny", e);
	return r < 0 ? r : write_map(pid, kind, maps, count, e);
}

bool ns_denies_groups(const struct ns_set *set)
{
	return set->create[NS_USER] && !feat_has_cap(CAP_SETGID) &&
	       idmap_is_own(set->gid_maps, set->gid_map_count, getegid());
}

int ns_write_id_maps(pid_t pid, const struct ns_set *set, struct err *e)
{
	int r = map(pid, &gid_kind, set->gid_maps, set->gid_map_count, getegid(), e);

	return r < 0 ? r : map(pid, &uid_kind, set->uid_maps, set->uid_map_count, geteuid(), e);
}

/* Podman's way to name no mapping where a schema wants one. */
static bool is_dummy(const struct id_map *maps, size_t count)
{
	return count == 1 && maps[0].inside == 0 && maps[0].outside == 0 && maps[0].count == 1;
}

bool idmap_is(const char *text, const struct id_map *maps, size_t count)
{
	size_t lines = 0;

	for (unsigned int inside, outside, n; sscanf(text, "%u %u %u", &inside, &outside, &n) == 3;
	     lines++) {
		bool known = false;

		for (size_t i = 0; i < count; i++)
			known |= maps[i].inside == inside && maps[i].outside == outside &&
				 maps[i].count == n;
		if (!known)
			return false;
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return lines == count;
}

static int check(pid_t pid, const struct map_kind *kind, const char *key, const struct id_map *maps,
		 size_t count, const char *joined, struct err *e)
{
	enum { MAP_MAX_BYTES = 340 * 3 * 11 + 1 };
	own_free char *text = malloc(MAP_MAX_BYTES);
	char path[40];
	ssize_t n;

	if (!count || is_dummy(maps, count))
		return 0;
	if (!text)
		return -ENOMEM;
	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, kind->file); /* always fits */
	n = file_read(AT_FDCWD, path, text, MAP_MAX_BYTES);
	if (n < 0)
		return err_set(e, (int)n, "read '%s'", path);
	if (idmap_is(text, maps, count))
		return 0;
	(void)err_say(e, -EINVAL, "linux.%s: is not what user namespace '%s' has", key, joined);
	err_hint(e, "leave it out: what is joined has its own");
	return -EINVAL;
}

int ns_check_id_maps(pid_t pid, const struct ns_set *set, struct err *e)
{
	const char *joined = set->path[NS_USER];
	int r = check(pid, &uid_kind, "uidMappings", set->uid_maps, set->uid_map_count, joined, e);

	return r < 0 ? r
		     : check(pid, &gid_kind, "gidMappings", set->gid_maps, set->gid_map_count,
			     joined, e);
}
