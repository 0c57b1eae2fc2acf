/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A template from a directory or an archive that somebody else made.
 *
 * DOC: a hostile archive
 * tar(1) and cp(1) run confined (tool_run()): whatever name, link or order of entries makes them
 * step out of the new root, there they find a read-only host without devices, and no network. No
 * file grows beyond what the disk has free. Device nodes are refused to them and left out, which
 * is said; any other complaint of theirs fails the import.
 */
#include "runtime/storage/store_internal.h"

#include "runtime/storage/tool_internal.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/*
 * How the tools end a line about a device that they may not make, and what follows from it. Names
 * stand before these ends and are quoted onto one line, so that no name can pose as one.
 */
static const char *const harmless_ends[] = {
	": Cannot mknod: Operation not permitted",
	"Exiting with failure status due to previous errors",
	/* Notes about what was made safe or does not matter. */
	" from member names",
	" from hard link targets",
	" from symlink targets",
};
static const char cp_device_start[] = "cp: cannot create special file ";
static const char cp_device_end[] = ": Operation not permitted";

struct outcome {
	const struct template_opts *opts;
	size_t devices, complaints;
	char first[256];
};

static bool ends_with(const char *s, const char *end)
{
	size_t a = strlen(s), b = strlen(end);

	return a >= b && strcmp(s + a - b, end) == 0;
}

static void on_line(void *arg, const char *line)
{
	struct outcome *o = arg;

	if (strncmp(line, cp_device_start, strlen(cp_device_start)) == 0 &&
	    ends_with(line, cp_device_end)) {
		o->devices++;
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(harmless_ends); i++) {
		if (!ends_with(line, harmless_ends[i]))
			continue;
		o->devices += i == 0;
		return;
	}
	if (!o->complaints++)
		(void)snprintf(o->first, sizeof(o->first), "%s", line);
}

/* A file larger than this could not be filled; a sparse one that claims it is not for us. */
static uint64_t free_bytes(int fd)
{
	struct statvfs fs;

	return fstatvfs(fd, &fs) < 0 ? UINT64_MAX : (uint64_t)fs.f_bavail * fs.f_frsize;
}

static int finish(const struct template_job *job, const struct outcome *o, int status,
		  const char *name, struct err *e)
{
	/* Both say 1 or 2 for the devices alone; a signal is 128 and more. */
	if (status > 2 || o->complaints || (status && !o->devices))
		return err_say(e, -EINVAL, "%s of '%s' failed with status %d%s%s", name, job->from,
			       status, o->first[0] ? ": " : "", o->first);
	if (o->devices)
		template_say(job->opts, "%zu device nodes left out", o->devices);
	return 0;
}

static int unpack(const struct template_job *job, int archive, struct err *e)
{
	/* By name, because tar looks for the compression only in a file that it opens itself. */
	static const char *const argv[] = {
		"tar",
		"--extract",
		"--file=/proc/self/fd/0",
		"--force-local",
		"--numeric-owner",
		"--same-owner",
		"--preserve-permissions",
		"--delay-directory-restore",
		"--acls",
		"--xattrs",
		"--xattrs-include=security.capability",
		"--xattrs-include=user.*",
		"--quoting-style=escape",
		"--warning=no-timestamp",
		"--warning=no-unknown-keyword",
		NULL,
	};
	struct outcome outcome = { .opts = job->opts };
	const struct tool tar = { .argv = argv,
				  .input = archive,
				  .lock = job->lock,
				  .confine = true,
				  .directory = job->root,
				  .file_max_bytes = free_bytes(job->root),
				  .line = on_line,
				  .arg = &outcome };
	int r = tool_run(&tar, e);

	return r < 0 ? r : finish(job, &outcome, r, "unpacking", e);
}

static int copy(const struct template_job *job, const char *path, struct err *e)
{
	char from[PATH_MAX + 2];
	/* "/.": what is in the directory, with its own owner and mode. One file system: the
	 * directory may be the root of a running system, with /proc and more mounted. */
	const char *const argv[] = { "cp",
				     "--archive",
				     "--one-file-system",
				     "--reflink=auto",
				     "--sparse=auto",
				     "--",
				     from,
				     ".",
				     NULL };
	struct outcome outcome = { .opts = job->opts };
	const struct tool cp = { .argv = argv,
				 .input = -EBADF,
				 .lock = job->lock,
				 .confine = true,
				 .directory = job->root,
				 .file_max_bytes = free_bytes(job->root),
				 .line = on_line,
				 .arg = &outcome };
	int r;

	(void)snprintf(from, sizeof(from), "%s/.", path);
	r = tool_run(&cp, e);
	return r < 0 ? r : finish(job, &outcome, r, "copying", e);
}

int template_fill_import(struct template_job *job, struct err *e)
{
	/* O_NONBLOCK: a FIFO is refused below instead of waited for. */
	own_fd int fd = open(job->from, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	own_free char *path = realpath(job->from, NULL);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(e, -errno, "open '%s'", job->from);
	if (!path)
		return err_set(e, -errno, "find '%s'", job->from);
	(void)snprintf(job->source, sizeof(job->source), "%s", path);
	if (S_ISREG(st.st_mode))
		return unpack(job, fd, e);
	if (S_ISDIR(st.st_mode))
		return copy(job, path, e);
	return err_say(e, -EINVAL, "'%s' is neither a directory nor an archive file", job->from);
}
