/* SPDX-License-Identifier: Apache-2.0 */
/* D-Bus by bytes: messages that other implementations write, damaged ones, and a peer that
 * misbehaves. */
#include "cgroups/cg_internal.h"
#include "cgroups/dbus.h"

#include "base/own.h"

#include <check.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

/* The greeting that libdbus sends; it is the same from every client but for its serial. */
static const char hello_bytes[] =
	"l\x01\x00\x01\x00\x00\x00\x00\x01\x00\x00\x00\x6e\x00\x00\x00\x01\x01o\x00\x15\x00\x00\x00"
	"/org/freedesktop/DBus\x00\x00\x00\x06\x01s\x00\x14\x00\x00\x00org.freedesktop.DBus\x00\x00"
	"\x00\x00\x02\x01s\x00\x14\x00\x00\x00org.freedesktop.DBus\x00\x00\x00\x00\x03\x01s\x00\x05"
	"\x00\x00\x00Hello\x00\x00";

static const char job_bytes[] =
	"l\x04\x00\x01\x3d\x00\x00\x00\x05\x00\x00\x00\x7a\x00\x00\x00\x01\x01o\x00\x19\x00\x00\x00"
	"/org/freedesktop/systemd1\x00\x00\x00\x00\x00\x00\x00\x02\x01s\x00\x20\x00\x00\x00"
	"org.freedesktop.systemd1.Manager\x00\x00\x00\x00\x00\x00\x00\x00\x03\x01s\x00\x0a\x00\x00"
	"\x00JobRemoved\x00\x00\x00\x00\x00\x00\x08\x01g\x00\x04uoss\x00\x00\x00\x00\x00\x00\x00"
	"\x09\x00\x00\x00\x1f\x00\x00\x00/org/freedesktop/systemd1/job/9\x00\x07\x00\x00\x00"
	"x.scope\x00\x04\x00\x00\x00"
	"done";

static const char start_bytes[] =
	"\x07\x00\x00\x00x.scope\x00\x07\x00\x00\x00replace\x00\x70\x00\x00\x00\x00\x00\x00\x00"
	"\x05\x00\x00\x00Slice\x00\x01s\x00\x00\x00\x00\x07\x00\x00\x00"
	"a.slice\x00\x00\x00\x00\x00\x08\x00\x00\x00"
	"Delegate\x00\x01"
	"b\x00\x01\x00\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00PIDs\x00\x02"
	"au\x00\x00\x00\x00\x04\x00\x00\x00M\x00\x00\x00\x09\x00\x00\x00MemoryMax\x00\x01t\x00"
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	"\x00";

static void expect_bytes(const struct text *t, const char *want, size_t len)
{
	ck_assert(!text_failed(t));
	for (size_t i = 0; i < len && i < t->len; i++)
		ck_assert_msg(t->data[i] == want[i], "byte %zu is %02x, not %02x", i,
			      (unsigned char)t->data[i], (unsigned char)want[i]);
	ck_assert_uint_eq(t->len, len);
}

START_TEST(encode)
{
	const struct dbus_message hello = {
		.type = DBUS_CALL,
		.serial = 1,
		.path = "/org/freedesktop/DBus",
		.interface = "org.freedesktop.DBus",
		.member = "Hello",
		.destination = "org.freedesktop.DBus",
	};
	own_text struct text t = { 0 };

	ck_assert_int_eq(dbus_encode(&hello, &t), 0);
	expect_bytes(&t, hello_bytes, sizeof(hello_bytes));
}
END_TEST

START_TEST(encode_properties)
{
	const struct cg_resources res = { .memory_max_bytes = { 1 << 20, true } };
	own_text struct text t = { 0 };
	struct dbus_array array;

	dbus_add_str(&t, "x.scope");
	dbus_add_str(&t, "replace");
	array = dbus_array_begin(&t, 8);
	sd_prop_str(&t, "Slice", "a.slice");
	sd_prop_bool(&t, "Delegate", true);
	sd_prop_pid(&t, "PIDs", 77);
	ck_assert_int_eq(sd_limits(&res, 252, &t), 0);
	dbus_array_end(&t, array);
	array = dbus_array_begin(&t, 8);
	dbus_array_end(&t, array);
	expect_bytes(&t, start_bytes, sizeof(start_bytes) - 1);
}
END_TEST

START_TEST(decode)
{
	struct dbus_message m;
	struct dbus_in in;

	ck_assert_int_eq(dbus_decode(job_bytes, sizeof(job_bytes), &m), 0);
	ck_assert_uint_eq(m.type, DBUS_SIGNAL);
	ck_assert_uint_eq(m.serial, 5);
	ck_assert_str_eq(m.path, "/org/freedesktop/systemd1");
	ck_assert_str_eq(m.member, "JobRemoved");
	ck_assert_str_eq(m.signature, "uoss");
	ck_assert_ptr_null(m.error);
	in = (struct dbus_in){ .data = m.body, .len = m.body_len };
	ck_assert_uint_eq(dbus_get_u32(&in), 9);
	ck_assert_str_eq(dbus_get_str(&in), "/org/freedesktop/systemd1/job/9");
	ck_assert_str_eq(dbus_get_str(&in), "x.scope");
	ck_assert_str_eq(dbus_get_str(&in), "done");
	ck_assert(!in.bad);
	ck_assert_str_eq(dbus_get_str(&in), "");
	ck_assert(in.bad);
	ck_assert_uint_eq(dbus_get_u32(&in), 0);
}
END_TEST

START_TEST(round_trip)
{
	static const char body[] = "\x05\x00\x00\x00words";
	const struct dbus_message error = {
		.type = DBUS_ERROR,
		.serial = 7,
		.reply_to = 3,
		.error = "org.example.Error",
		.signature = "s",
		.body = body,
		.body_len = sizeof(body),
	};
	own_text struct text t = { 0 };
	struct dbus_message m;

	ck_assert_int_eq(dbus_encode(&error, &t), 0);
	ck_assert_int_eq(dbus_message_size(t.data, 15), 0);
	ck_assert_int_eq(dbus_message_size(t.data, 16), (ssize_t)t.len);
	ck_assert_int_eq(dbus_decode(t.data, t.len, &m), 0);
	ck_assert_uint_eq(m.reply_to, 3);
	ck_assert_str_eq(m.error, "org.example.Error");
	ck_assert_str_eq(m.signature, "s");
	ck_assert_uint_eq(m.body_len, sizeof(body));
	ck_assert_int_eq(memcmp(m.body, body, sizeof(body)), 0);
}
END_TEST

/* Whatever is read from bytes that are no message stays within them. */
static void read_all(const unsigned char *bytes, size_t len)
{
	struct dbus_message m;
	struct dbus_in in;

	if (dbus_decode(bytes, len, &m) < 0)
		return;
	ck_assert((const unsigned char *)m.body >= bytes);
	ck_assert_uint_le((size_t)((const unsigned char *)m.body - bytes) + m.body_len, len);
	in = (struct dbus_in){ .data = m.body, .len = m.body_len };
	for (int i = 0; i < 64 && !in.bad; i++) {
		(void)dbus_get_u32(&in);
		(void)strlen(dbus_get_str(&in));
		(void)strlen(dbus_get_sig(&in));
	}
}

START_TEST(damaged)
{
	unsigned int seed = 1;

	for (size_t len = 0; len < sizeof(job_bytes); len++) {
		own_free unsigned char *cut = malloc(len + 1);

		memcpy(cut, job_bytes, len);
		ck_assert_int_eq(dbus_decode(cut, len, &(struct dbus_message){ 0 }), -EBADMSG);
	}
	for (size_t i = 0; i < sizeof(job_bytes) * 256; i++) {
		own_free unsigned char *copy = malloc(sizeof(job_bytes));

		memcpy(copy, job_bytes, sizeof(job_bytes));
		copy[i / 256] = (unsigned char)i;
		read_all(copy, sizeof(job_bytes));
	}
	for (int round = 0; round < 20000; round++) {
		own_free unsigned char *copy = malloc(sizeof(job_bytes));

		memcpy(copy, job_bytes, sizeof(job_bytes));
		for (int i = 0; i < 8; i++)
			copy[(size_t)rand_r(&seed) % sizeof(job_bytes)] =
				(unsigned char)rand_r(&seed);
		read_all(copy, sizeof(job_bytes));
	}
}
END_TEST

static const struct {
	const char *address, *path;
} addresses[] = {
	{ "unix:path=/run/user/1000/bus", "/run/user/1000/bus" },
	{ "unix:path=/run/bus,guid=1234", "/run/bus" },
	{ "unix:guid=1,path=/a%20b%2Cc", "/a b,c" },
	{ "unix:abstract=/tmp/x", "@/tmp/x" },
	{ "tcp:host=x;unix:path=/y", "/y" },
	{ "unix:tmpdir=/tmp;unix:path=/z", "/z" },
	{ "unix:path=/a%2", "/a%2" },
	{ "unix:path=", NULL },
	{ "unix:", NULL },
	{ "autolaunch:", NULL },
	{ "", NULL },
	{ ";;", NULL },
};

START_TEST(unix_paths)
{
	own_free char *path = dbus_unix_path(addresses[_i].address);

	if (!addresses[_i].path)
		ck_assert_ptr_null(path);
	else
		ck_assert_str_eq(path, addresses[_i].path);
}
END_TEST

/* A peer: it takes the authentication, then a call, answers with @bytes, and hangs up. */
static pid_t serve(const char *path, const char *auth, const char *bytes, size_t len)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	(void)snprintf(addr.sun_path + 1, sizeof(addr.sun_path) - 1, "%s", path + 1);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&addr,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))),
			 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	pid = fork();
	if (pid == 0) {
		char buf[4096];
		int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		memset(buf, 0, sizeof(buf));
		while (read(peer, buf, sizeof(buf)) > 0 && !memmem(buf, sizeof(buf), "BEGIN", 5))
			;
		(void)!write(peer, auth, strlen(auth));
		if (len) {
			(void)!read(peer, buf, sizeof(buf));
			(void)!write(peer, bytes, len);
		}
		_exit(0);
	}
	(void)close(fd);
	return pid;
}

static int call(const char *auth, const char *bytes, size_t len, struct dbus_message *ret,
		struct arena *arena, struct err *e)
{
	struct dbus_message m = { .path = "/x", .interface = "a.b", .member = "C" };
	own_dbus struct dbus bus = DBUS_EMPTY;
	char path[64];
	pid_t pid;
	int r;

	(void)snprintf(path, sizeof(path), "@ctr-test-dbus-%d", getpid());
	pid = serve(path, auth, bytes, len);
	r = dbus_open(path, false, arena, &bus, e);
	if (r == 0)
		r = dbus_call(&bus, &m, "do it", ret, e);
	if (r == 0 && dbus_wait_signal(&bus, "JobRemoved", dbus_now_ms() + 5000, ret) < 0)
		r = -ENOMSG;
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	return r;
}

static const char auth_ok[] = "DATA\r\nOK 0123\r\n";

START_TEST(calls)
{
	const struct dbus_message reply = { .type = DBUS_REPLY, .serial = 1, .reply_to = 1 };
	const struct dbus_message other = { .type = DBUS_REPLY, .serial = 2, .reply_to = 9 };
	own_arena struct arena arena = { 0 };
	own_text struct text t = { 0 };
	struct dbus_message m;
	struct err e = { 0 };

	/* A signal before the reply is kept, and a reply to somebody else is nobody's. */
	text_addn(&t, job_bytes, sizeof(job_bytes));
	{
		own_text struct text one = { 0 }, two = { 0 };

		ck_assert_int_eq(dbus_encode(&other, &one), 0);
		ck_assert_int_eq(dbus_encode(&reply, &two), 0);
		text_addn(&t, one.data, one.len);
		text_addn(&t, two.data, two.len);
	}
	ck_assert_msg(call(auth_ok, t.data, t.len, &m, &arena, &e) == 0, "%s", e.msg);
	ck_assert_str_eq(m.member, "JobRemoved");
}
END_TEST

START_TEST(peer_says_no)
{
	static const char body[] = "\x0e\x00\x00\x00Unit x exists.";
	const struct dbus_message error = {
		.type = DBUS_ERROR,
		.serial = 1,
		.reply_to = 1,
		.error = "org.freedesktop.systemd1.UnitExists",
		.signature = "s",
		.body = body,
		.body_len = sizeof(body),
	};
	own_arena struct arena arena = { 0 };
	own_text struct text t = { 0 };
	struct dbus_message m;
	struct err e = { 0 };

	ck_assert_int_eq(dbus_encode(&error, &t), 0);
	ck_assert_int_eq(call(auth_ok, t.data, t.len, &m, &arena, &e), -EEXIST);
	ck_assert_str_eq(e.msg, "do it: systemd says: Unit x exists.");
}
END_TEST

START_TEST(peer_misbehaves)
{
	static const char garbage[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
	own_arena struct arena arena = { 0 };
	struct dbus_message m;

	ck_assert_int_eq(call("REJECTED EXTERNAL\r\n", NULL, 0, &m, &arena, NULL), -EACCES);
	ck_assert_int_eq(call("DATA\r\nERROR\r\n", NULL, 0, &m, &arena, NULL), -EACCES);
	ck_assert_int_lt(call("", NULL, 0, &m, &arena, NULL), 0);
	ck_assert_int_lt(call(auth_ok, NULL, 0, &m, &arena, NULL), 0);
	ck_assert_int_eq(call(auth_ok, garbage, sizeof(garbage), &m, &arena, NULL), -EBADMSG);
	ck_assert_int_lt(call(auth_ok, job_bytes, 40, &m, &arena, NULL), 0);
}
END_TEST

START_TEST(nobody_there)
{
	own_dbus struct dbus bus = DBUS_EMPTY;
	own_arena struct arena arena = { 0 };
	char longer[200];

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	ck_assert_int_eq(dbus_open("/no/such", false, &arena, &bus, NULL), -ENOENT);
	ck_assert_int_eq(dbus_open(longer, false, &arena, &bus, NULL), -ENAMETOOLONG);
	ck_assert_int_eq(bus.fd, -EBADF);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cgroups/dbus");
	TCase *tcase = tcase_create("dbus");
	SRunner *runner = srunner_create(suite);
	int failed;

	if (__BYTE_ORDER != __LITTLE_ENDIAN)
		return 0; /* the golden bytes are of such machines */
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, encode);
	tcase_add_test(tcase, encode_properties);
	tcase_add_test(tcase, decode);
	tcase_add_test(tcase, round_trip);
	tcase_add_test(tcase, damaged);
	tcase_add_loop_test(tcase, unix_paths, 0, (int)ARRAY_SIZE(addresses));
	tcase_add_test(tcase, calls);
	tcase_add_test(tcase, peer_says_no);
	tcase_add_test(tcase, peer_misbehaves);
	tcase_add_test(tcase, nobody_there);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
