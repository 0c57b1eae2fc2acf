/* SPDX-License-Identifier: Apache-2.0 */
/* Asking systemd: finding its instance, scopes made, changed and ended. */
#include "cgroups/cg_internal.h"

#include "base/own.h"
#include "cgroups/dbus.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define SERVICE "org.freedesktop.systemd1"
#define MANAGER SERVICE ".Manager"
#define OBJECT	"/org/freedesktop/systemd1"

/* A job of a scope is short; a systemd that is busy with hundreds of them takes seconds. */
enum { JOB_TIMEOUT_MS = 30000 };

static const char private_socket[] = "/run/systemd/private";
static const char bus_socket[] = "/run/dbus/system_bus_socket";

/*
 * root of a user namespace over somebody's account (as engines make for users) is no root to the
 * system's instance: its socket belongs to nobody there.
 */
enum cg_driver sd_driver(void)
{
	struct stat st;

	if (geteuid() != 0)
		return CG_SYSTEMD_USER;
	if (stat(private_socket, &st) < 0)
		return CG_SYSTEMD;
	return st.st_uid == 0 ? CG_SYSTEMD : CG_SYSTEMD_USER;
}

static int open_system(struct arena *arena, struct dbus *ret, struct err *e)
{
	struct stat st;
	int r;

	/* sd_booted(3) */
	if (lstat("/run/systemd/system", &st) < 0 || !S_ISDIR(st.st_mode)) {
		err_say(e, -ENOTSUP, "cgroup manager 'systemd': this host does not run systemd");
		err_hint(e, "choose cgroupfs");
		return -ENOTSUP;
	}
	r = dbus_open(private_socket, false, arena, ret, NULL);
	if (r < 0)
		r = dbus_open(bus_socket, true, arena, ret, NULL);
	if (r < 0)
		return err_say(e, -EHOSTUNREACH,
			       "cgroup manager 'systemd': cannot reach it at '%s' (%s)",
			       private_socket, strerror(-r));
	return 0;
}

/* The user's instance itself, else by way of the bus that the environment tells of. */
static int open_user(struct arena *arena, struct dbus *ret, struct err *e)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR"),
		   *address = getenv("DBUS_SESSION_BUS_ADDRESS");
	own_free char *session = NULL;
	const char *path;
	int r;

	if (!runtime || !*runtime)
		runtime = arena_printf(arena, "/run/user/%u", geteuid());
	path = runtime ? arena_printf(arena, "%s/systemd/private", runtime) : NULL;
	if (!path)
		return -ENOMEM;
	r = dbus_open(path, false, arena, ret, NULL);
	if (r < 0 && address) {
		session = dbus_unix_path(address);
		if (session)
			r = dbus_open(session, true, arena, ret, NULL);
	}
	if (r < 0) {
		path = arena_printf(arena, "%s/bus", runtime);
		if (!path)
			return -ENOMEM;
		r = dbus_open(path, true, arena, ret, NULL);
	}
	if (r == 0)
		return 0;
	err_say(e, -EHOSTUNREACH,
		"cgroup manager 'systemd': no systemd of this user in '%s' or at "
		"$DBUS_SESSION_BUS_ADDRESS (%s)",
		runtime, strerror(-r));
	err_hint(e, "it needs a login session or 'loginctl enable-linger', and XDG_RUNTIME_DIR in "
		    "the environment; or choose cgroupfs");
	return -EHOSTUNREACH;
}

static struct dbus_message call_to(const char *interface, const char *member, const char *signature,
				   const struct text *body)
{
	return (struct dbus_message){
		.path = OBJECT,
		.destination = SERVICE,
		.interface = interface,
		.member = member,
		.signature = signature,
		.body = body ? text_str(body) : NULL,
		.body_len = body ? body->len : 0,
	};
}

/* A call to the manager. */
static int ask(struct dbus *bus, const char *member, const char *signature, const struct text *body,
	       const char *what, struct dbus_message *ret, struct err *e)
{
	struct dbus_message call = call_to(MANAGER, member, signature, body);

	return text_failed(body) ? -ENOMEM : dbus_call(bus, &call, what, ret, e);
}

/* The ends of our jobs, which a bus passes on only to who has asked for them. */
static int subscribe(struct dbus *bus, struct err *e)
{
	static const char rule[] = "type='signal',sender='" SERVICE "',path='" OBJECT
				   "',interface='" MANAGER "',member='JobRemoved'";
	own_text struct text body = { 0 };
	struct dbus_message add = {
		.path = "/org/freedesktop/DBus",
		.interface = "org.freedesktop.DBus",
		.member = "AddMatch",
		.destination = "org.freedesktop.DBus",
		.signature = "s",
	};
	struct dbus_message call = call_to(MANAGER, "Subscribe", NULL, NULL), reply;
	int r;

	dbus_add_str(&body, rule);
	if (text_failed(&body))
		return -ENOMEM;
	add.body = body.data;
	add.body_len = body.len;
	r = dbus_call(bus, &add, "listen for jobs", &reply, e);
	return r < 0 ? r : dbus_call(bus, &call, "listen for jobs", &reply, e);
}

static int open_driver(enum cg_driver driver, struct arena *arena, struct dbus *ret, struct err *e)
{
	int r = driver == CG_SYSTEMD ? open_system(arena, ret, e) : open_user(arena, ret, e);

	if (r == 0 && ret->is_bus)
		r = subscribe(ret, e);
	return r;
}

int sd_check(enum cg_driver driver, struct err *e)
{
	own_arena struct arena arena = { 0 };
	own_dbus struct dbus bus = DBUS_EMPTY;

	return open_driver(driver, &arena, &bus, e);
}

/* A property that is a string. */
static int get_property(struct dbus *bus, const char *path, const char *interface, const char *name,
			const char **ret, struct err *e)
{
	own_text struct text body = { 0 };
	struct dbus_message call, reply;
	struct dbus_in in;
	int r;

	dbus_add_str(&body, interface);
	dbus_add_str(&body, name);
	if (text_failed(&body))
		return -ENOMEM;
	call = call_to("org.freedesktop.DBus.Properties", "Get", "ss", &body);
	call.path = path;
	r = dbus_call(bus, &call, name, &reply, e);
	if (r < 0)
		return r;
	in = (struct dbus_in){ .data = reply.body, .len = reply.body_len };
	if (!reply.signature || strcmp(reply.signature, "v") != 0 ||
	    strcmp(dbus_get_sig(&in), "s") != 0)
		return err_set(e, -EBADMSG, "read property '%s' of systemd", name);
	*ret = dbus_get_str(&in);
	return in.bad ? err_set(e, -EBADMSG, "read property '%s' of systemd", name) : 0;
}

/* "252.38-1~deb12u1" or "v252"; 0 when it cannot be told, and then nothing new is used. */
static int get_version(struct dbus *bus, unsigned int *ret, struct err *e)
{
	const char *text;
	int r = get_property(bus, OBJECT, MANAGER, "Version", &text, e);

	if (r < 0)
		return r;
	text += strcspn(text, "0123456789");
	*ret = (unsigned int)strtoul(text, NULL, 10);
	return 0;
}

/* The one string or path that a reply is. */
static int only_string(const struct dbus_message *reply, const char *what, const char **ret,
		       struct err *e)
{
	struct dbus_in in = { .data = reply->body, .len = reply->body_len };

	*ret = dbus_get_str(&in);
	if (in.bad || !reply->signature || strcmp(reply->signature, "o") != 0)
		return err_set(e, -EBADMSG, "%s: read the answer of systemd", what);
	return 0;
}

static int find(struct dbus *bus, const char *unit, struct arena *arena, const char **ret,
		struct err *e)
{
	own_text struct text body = { 0 };
	struct dbus_message reply;
	const char *object, *path;
	int r;

	dbus_add_str(&body, unit);
	r = ask(bus, "GetUnit", "s", &body, "find the scope", &reply, e);
	if (r == 0)
		r = only_string(&reply, "find the scope", &object, e);
	if (r == 0)
		r = get_property(bus, object, SERVICE ".Scope", "ControlGroup", &path, e);
	if (r < 0)
		return r;
	if (!*path)
		return err_say(e, -ENOENT, "unit '%s' has no cgroup", unit);
	*ret = arena_strdup(arena, path);
	return *ret ? 0 : -ENOMEM;
}

int sd_find(enum cg_driver driver, const char *unit, struct arena *arena, const char **ret,
	    struct err *e)
{
	own_arena struct arena messages = { 0 };
	own_dbus struct dbus bus = DBUS_EMPTY;
	int r = open_driver(driver, &messages, &bus, e);

	return r < 0 ? r : find(&bus, unit, arena, ret, e);
}

/* Wait until the job @job is over. @what: "start scope 'x'" */
static int wait_job(struct dbus *bus, const char *job, const char *what, struct err *e)
{
	int64_t until_ms = dbus_now_ms() + JOB_TIMEOUT_MS;

	for (;;) {
		struct dbus_message m;
		struct dbus_in in;
		const char *path, *result;
		int r = dbus_wait_signal(bus, "JobRemoved", until_ms, &m);

		if (r == -ETIMEDOUT)
			return err_say(e, r, "%s: systemd has not done it within %d s", what,
				       JOB_TIMEOUT_MS / 1000);
		if (r < 0)
			return err_set(e, r, "%s: wait for systemd", what);
		if (!m.signature || strcmp(m.signature, "uoss") != 0)
			continue;
		in = (struct dbus_in){ .data = m.body, .len = m.body_len };
		(void)dbus_get_u32(&in);
		path = dbus_get_str(&in);
		(void)dbus_get_str(&in); /* the unit */
		result = dbus_get_str(&in);
		if (in.bad || strcmp(path, job) != 0)
			continue;
		if (strcmp(result, "done") == 0)
			return 0;
		err_say(e, -EIO, "%s: systemd's job ended as '%s'", what, result);
		err_hint(e, "its log says more: journalctl -b _PID=1");
		return -EIO;
	}
}

/* What a scope that has failed leaves would keep the name from us. No unit, no failure: fine. */
static void reset_failed(struct dbus *bus, const char *unit)
{
	own_text struct text body = { 0 };
	struct dbus_message reply;

	dbus_add_str(&body, unit);
	(void)ask(bus, "ResetFailedUnit", "s", &body, "reset", &reply, NULL);
}

static int start_body(const struct sd_unit *unit, const char *description, pid_t pid,
		      const struct cg_resources *res, unsigned int version, struct text *body)
{
	struct dbus_array props, others;
	int r;

	dbus_add_str(body, unit->name);
	dbus_add_str(body, "replace");
	props = dbus_array_begin(body, 8);
	sd_prop_str(body, "Description", description);
	sd_prop_str(body, "Slice", unit->slice);
	sd_prop_bool(body, "Delegate", true);
	sd_prop_pid(body, "PIDs", pid);
	sd_prop_bool(body, "MemoryAccounting", true);
	sd_prop_bool(body, "CPUAccounting", true);
	sd_prop_bool(body, "IOAccounting", true);
	sd_prop_bool(body, "TasksAccounting", true);
	sd_prop_bool(body, "DefaultDependencies", false);
	sd_prop_str(body, "DevicePolicy", "auto");
	r = sd_limits(res, version, body);
	if (r < 0)
		return r;
	if (unit->props_len) { /* last: what the config says holds */
		dbus_align(body, 8);
		text_addn(body, unit->props, unit->props_len);
	}
	dbus_array_end(body, props);
	others = dbus_array_begin(body, 8);
	dbus_array_end(body, others);
	return text_failed(body) ? -ENOMEM : 0;
}

int sd_start(enum cg_driver driver, const struct sd_unit *unit, const char *description, pid_t pid,
	     const struct cg_resources *res, struct arena *arena, const char **ret_path,
	     struct err *e)
{
	static const char member[] = "StartTransientUnit", sig[] = "ssa(sv)a(sa(sv))";
	own_arena struct arena messages = { 0 };
	own_dbus struct dbus bus = DBUS_EMPTY;
	own_text struct text body = { 0 };
	struct dbus_message reply;
	unsigned int version;
	const char *what, *job;
	int r = open_driver(driver, &messages, &bus, e);

	if (r == 0)
		r = get_version(&bus, &version, e);
	if (r == 0)
		r = start_body(unit, description, pid, res, version, &body);
	if (r < 0)
		return r;
	what = arena_printf(&messages, "start scope '%s'", unit->name);
	if (!what)
		return -ENOMEM;
	r = ask(&bus, member, sig, &body, what, &reply, e);
	if (r == -EEXIST) {
		reset_failed(&bus, unit->name);
		r = ask(&bus, member, sig, &body, what, &reply, e);
	}
	if (r == 0)
		r = only_string(&reply, what, &job, e);
	if (r == 0)
		r = wait_job(&bus, job, what, e);
	return r < 0 ? r : find(&bus, unit->name, arena, ret_path, e);
}

int sd_set(enum cg_driver driver, const char *unit, const struct cg_resources *res, struct err *e)
{
	own_arena struct arena messages = { 0 };
	own_dbus struct dbus bus = DBUS_EMPTY;
	own_text struct text body = { 0 };
	struct dbus_message reply;
	struct dbus_array props;
	unsigned int version;
	int r = open_driver(driver, &messages, &bus, e);

	if (r == 0)
		r = get_version(&bus, &version, e);
	if (r < 0)
		return r;
	dbus_add_str(&body, unit);
	dbus_add_u32(&body, 1); /* until the next boot, as the unit itself */
	props = dbus_array_begin(&body, 8);
	r = sd_limits(res, version, &body);
	if (r < 0)
		return r;
	if (body.len == props.first_at)
		return 0; /* nothing that systemd has a name for */
	dbus_array_end(&body, props);
	return ask(&bus, "SetUnitProperties", "sba(sv)", &body, "change the scope's limits", &reply,
		   e);
}

int sd_stop(enum cg_driver driver, const char *unit, struct err *e)
{
	own_arena struct arena messages = { 0 };
	own_dbus struct dbus bus = DBUS_EMPTY;
	own_text struct text body = { 0 };
	struct dbus_message reply;
	const char *what, *job;
	struct err why = { 0 };
	int r = open_driver(driver, &messages, &bus, e);

	if (r < 0)
		return r;
	what = arena_printf(&messages, "stop scope '%s'", unit);
	if (!what)
		return -ENOMEM;
	dbus_add_str(&body, unit);
	dbus_add_str(&body, "replace");
	r = ask(&bus, "StopUnit", "ss", &body, what, &reply, &why);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = only_string(&reply, what, &job, &why);
	if (r == 0)
		r = wait_job(&bus, job, what, &why);
	reset_failed(&bus, unit);
	if (r < 0 && e)
		*e = why;
	return r;
}

int sd_attach(enum cg_driver driver, const char *unit, pid_t pid, struct err *e)
{
	own_arena struct arena messages = { 0 };
	own_dbus struct dbus bus = DBUS_EMPTY;
	own_text struct text body = { 0 };
	struct dbus_message reply;
	struct dbus_array pids;
	int r = open_driver(driver, &messages, &bus, e);

	if (r < 0)
		return r;
	dbus_add_str(&body, unit);
	dbus_add_str(&body, "/");
	pids = dbus_array_begin(&body, 4);
	dbus_add_u32(&body, (uint32_t)pid);
	dbus_array_end(&body, pids);
	return ask(&bus, "AttachProcessesToUnit", "ssau", &body, "move a process into the scope",
		   &reply, e);
}
