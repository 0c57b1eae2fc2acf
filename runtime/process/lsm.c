/* SPDX-License-Identifier: Apache-2.0 */
/* AppArmor, SELinux, and session keyrings. */
#include "runtime/process/lsm.h"

#include "base/file.h"
#include "base/own.h"
#include "base/sys.h"
#include "runtime/spec/spec.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#define ATTR "/proc/thread-self/attr/"

/* keyctl_setperm(3): all to its possessor, as a session keyring has it; view, read and search to
 * its user, who joins it by name in exec. */
enum { KEYRING_PERMISSIONS = 0x3f0b0000 };

static const char *said(const char *s)
{
	return s && *s ? s : NULL;
}

struct lsm lsm_plan(const struct spec_process *process)
{
	return (struct lsm){ .apparmor = said(process->apparmor_profile),
			     .selinux = said(process->selinux_label) };
}

static bool has_apparmor(void)
{
	char text[8];

	return file_read(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", text, sizeof(text)) >
		       0 &&
	       *text == 'Y';
}

static bool has_selinux(void)
{
	struct statfs fs;

	return statfs("/sys/fs/selinux", &fs) == 0 && fs.f_type == SELINUX_MAGIC;
}

/* The profile that every process has anyway where there is no AppArmor. */
static bool is_unconfined(const struct lsm *lsm)
{
	return strcmp(lsm->apparmor, "unconfined") == 0;
}

int lsm_check(const struct lsm *lsm, struct err *e)
{
	if (lsm->apparmor && !is_unconfined(lsm) && !has_apparmor()) {
		err_say(e, -ENOTSUP,
			"process.apparmorProfile '%s': AppArmor is not enabled on this host",
			lsm->apparmor);
		err_hint(e, "leave it out, or boot with apparmor=1 security=apparmor");
		return -ENOTSUP;
	}
	if (lsm->selinux && !has_selinux()) {
		err_say(e, -ENOTSUP,
			"process.selinuxLabel '%s': selinux is disabled or not supported on this "
			"host",
			lsm->selinux);
		err_hint(e, "leave it out, or boot with selinux=1");
		return -ENOTSUP;
	}
	return 0;
}

static int open_attr(const char *path, struct err *e)
{
	own_fd int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	struct statfs fs;

	if (fd < 0)
		return err_set(e, -errno, "open `%s`", path);
	if (fstatfs(fd, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
		return err_say(e, -EPERM, "`%s` is not of procfs", path);
	return take_fd(&fd);
}

void lsm_files_done(struct lsm_files *files)
{
	close_fd(&files->apparmor);
	close_fd(&files->selinux);
	close_fd(&files->keys);
}

int lsm_open(const struct lsm *lsm, struct lsm_files *ret, struct err *e)
{
	struct lsm_files files = LSM_FILES_EMPTY;
	int r = 0;

	/* Before Linux 5.1 all modules share one file. */
	if (lsm->apparmor && has_apparmor())
		r = files.apparmor =
			open_attr(access(ATTR "apparmor/exec", F_OK) == 0 ? ATTR "apparmor/exec"
									  : ATTR "exec",
				  e);
	if (r >= 0 && lsm->selinux)
		r = files.selinux = open_attr(ATTR "exec", e);
	if (r >= 0 && lsm->selinux)
		r = files.keys = open_attr(ATTR "keycreate", e);
	if (r < 0) {
		lsm_files_done(&files);
		return r;
	}
	*ret = files;
	return 0;
}

static int label_keys(int fd, const char *label, struct err *e)
{
	if (fd >= 0 && TEMP_FAILURE_RETRY(write(fd, label, strlen(label))) < 0)
		return err_set(e, -errno, "write `%s`", ATTR "keycreate");
	return 0;
}

int lsm_join_keys(const struct lsm *lsm, const struct lsm_files *files, const char *id,
		  struct err *e)
{
	char name[160];
	int r, key;

	(void)snprintf(name, sizeof(name), "_ses.%s", id);
	r = label_keys(files->keys, lsm->selinux, e);
	if (r < 0)
		return r;
	key = sys_keyctl_join_session(name);
	/* ENOSYS: a kernel without keys; EDQUOT, EPERM: no key of ours, none of theirs. */
	if (key < 0 && key != -ENOSYS && key != -EDQUOT && key != -EPERM && key != -EACCES)
		return err_set(e, key, "join session keyring '%s'", name);
	if (key >= 0) /* an older one, of another user, works as it is */
		(void)sys_keyctl_setperm(key, KEYRING_PERMISSIONS);
	return label_keys(files->keys, "\n", e); /* keys of the payload are its own business */
}

int lsm_apply(const struct lsm *lsm, struct lsm_files *files, struct err *e)
{
	char text[4096];
	int n = snprintf(text, sizeof(text), "exec %s", lsm->apparmor ? lsm->apparmor : "");

	if (files->apparmor >= 0) {
		if ((size_t)n >= sizeof(text))
			return err_say(e, -ENAMETOOLONG, "process.apparmorProfile is too long");
		if (write(files->apparmor, text, (size_t)n) < 0)
			return err_set(e, -errno, "apparmor profile '%s': write `%s`",
				       lsm->apparmor, ATTR "apparmor/exec");
	}
	if (files->selinux >= 0 && write(files->selinux, lsm->selinux, strlen(lsm->selinux)) < 0)
		return err_set(e, -errno, "selinux label '%s': write `%s`", lsm->selinux,
			       ATTR "exec");
	lsm_files_done(files);
	return 0;
}
