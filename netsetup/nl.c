/* SPDX-License-Identifier: Apache-2.0 */
/* A netlink socket with a queue of requests: one send, all answers, errors with their texts. */
#include "netsetup/nl_internal.h"

#include "base/fd.h"
#include "base/own.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

enum {
	QUEUE_SIZE = 192 * 1024, /* below the kernel's default limit of one send */
	ANSWER_SIZE = 32 * 1024, /* the most that the kernel puts into one dump message */
	MESSAGE_ROOM = 4096,
	ACCEPTED_MAX = 3,
};

struct request {
	char what[88];
	int accepted[ACCEPTED_MAX];
};

struct nl {
	struct mnl_socket *sock;
	uint32_t first_seq, next_seq; /* of the queue: request i has first_seq + i */
	struct request *requests;
	size_t count, size; /* of requests */
	size_t answers;	    /* how many of them the kernel answers */
	size_t used;
	int failed; /* sticky: why a message could not be queued */
	char queue[QUEUE_SIZE];
	char scrap[MESSAGE_ROOM];
	char answer[ANSWER_SIZE];
};

int nl_open(int bus, struct nl **ret, struct err *e)
{
	own_nl struct nl *nl = calloc(1, sizeof(*nl)); /* so large that pages are had on touch */
	int one = 1;

	if (!nl) {
		(void)err_set(e, -ENOMEM, "open netlink socket");
		return -ENOMEM;
	}
	nl->first_seq = nl->next_seq = 1;
	nl->sock = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!nl->sock)
		return err_set(e, -errno, "open netlink socket %d", bus);
	/* Old kernels lack some of these; then errors have no text and dumps are not filtered. */
	(void)mnl_socket_setsockopt(nl->sock, NETLINK_EXT_ACK, &one, sizeof(one));
	(void)mnl_socket_setsockopt(nl->sock, NETLINK_CAP_ACK, &one, sizeof(one));
	(void)mnl_socket_setsockopt(nl->sock, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	*ret = take_ptr(nl);
	return 0;
}

void nl_done(struct nl **nl)
{
	int saved = errno;

	if (*nl) {
		if ((*nl)->sock)
			(void)mnl_socket_close((*nl)->sock); /* nothing to do about a failure */
		free((*nl)->requests);
		free(*nl);
	}
	errno = saved;
}

int nl_open_events(unsigned int group, struct nl **ret, struct err *e)
{
	own_nl struct nl *nl = NULL;
	int r = nl_open(NETLINK_ROUTE, &nl, e);

	if (!nl)
		return r;
	/* Bound: a socket without an address of its own does not get the kernel's events. */
	if (mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return err_set(e, -errno, "subscribe to network events");
	*ret = take_ptr(nl);
	return 0;
}

int nl_hear(struct nl *nl, int timeout_ms)
{
	int r = fd_wait(mnl_socket_get_fd(nl->sock), timeout_ms);

	if (r <= 0)
		return r;
	/* ENOBUFS says that there were more than fit: that is news as well. */
	if (TEMP_FAILURE_RETRY(mnl_socket_recvfrom(nl->sock, nl->answer, sizeof(nl->answer))) < 0)
		return errno == ENOBUFS ? 1 : -errno;
	return 1;
}

int nl_in_netns(int netns_fd, int (*fn)(void *arg, struct err *e), void *arg, struct err *e)
{
	own_fd int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int r;

	if (home < 0)
		return err_set(e, -errno, "open '/proc/self/ns/net'");
	if (setns(netns_fd, CLONE_NEWNET) < 0)
		return err_set(e, -errno, "enter the container's network namespace");
	r = fn(arg, e);
	if (setns(home, CLONE_NEWNET) < 0)
		return err_set(e, -errno, "come back to the host's network namespace");
	return r;
}

static struct request *add_request(struct nl *nl)
{
	if (nl->count == nl->size) {
		size_t size = nl->size ? nl->size * 2 : 32;
		struct request *grown = reallocarray(nl->requests, size, sizeof(*grown));

		if (!grown) {
			nl->failed = -ENOMEM;
			return NULL;
		}
		nl->requests = grown;
		nl->size = size;
	}
	return memset(&nl->requests[nl->count++], 0, sizeof(*nl->requests));
}

static size_t aligned(size_t len)
{
	return (len + MNL_ALIGNTO - 1) & ~((size_t)MNL_ALIGNTO - 1);
}

/* The length of a message is known only when its attributes are in, so each is closed by the next
 * one, or by nl_run(). */
static void close_message(struct nl *nl)
{
	char *p = nl->queue + nl->used;

	if (nl->count && !nl->failed)
		nl->used += aligned(((struct nlmsghdr *)(void *)p)->nlmsg_len);
}

static struct nlmsghdr *start(struct nl *nl, uint16_t type, uint16_t flags, size_t header)
{
	struct nlmsghdr *nlh;
	char *at = nl->scrap;

	close_message(nl);
	if (!nl->failed && nl->used + MESSAGE_ROOM > sizeof(nl->queue))
		nl->failed = -E2BIG;
	if (!nl->failed && add_request(nl))
		at = nl->queue + nl->used;
	nlh = mnl_nlmsg_put_header(at);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = flags;
	nlh->nlmsg_seq = nl->next_seq++;
	mnl_nlmsg_put_extra_header(nlh, header);
	return nlh;
}

struct nlmsghdr *nl_add(struct nl *nl, uint16_t type, uint16_t flags, size_t header,
			const char *fmt, ...)
{
	struct nlmsghdr *nlh =
		start(nl, type, (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags), header);
	struct request *request;
	va_list ap;

	if (nl->failed)
		return nlh;
	request = &nl->requests[nl->count - 1];
	nl->answers++;
	va_start(ap, fmt);
	(void)vsnprintf(request->what, sizeof(request->what), fmt, ap); /* a long one is cut */
	va_end(ap);
	return nlh;
}

struct nlmsghdr *nl_add_silent(struct nl *nl, uint16_t type, size_t header)
{
	return start(nl, type, NLM_F_REQUEST, header);
}

void nl_accept(struct nl *nl, int code)
{
	struct request *request;

	if (nl->failed)
		return;
	request = &nl->requests[nl->count - 1];
	for (size_t i = 0; i < ACCEPTED_MAX; i++)
		if (!request->accepted[i]) {
			request->accepted[i] = code;
			return;
		}
}

const void *nl_queued(const struct nl *nl, size_t *ret_len)
{
	const struct nlmsghdr *last = (const void *)(nl->queue + nl->used);

	*ret_len = nl->used + (nl->count ? aligned(last->nlmsg_len) : 0);
	return nl->queue;
}

static int read_text(const struct nlattr *attr, void *data)
{
	const char **text = data;

	if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
	    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
		*text = mnl_attr_get_str(attr);
	return MNL_CB_OK;
}

/* The kernel's own words about a failure, or NULL. */
static const char *kernel_text(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(nlh);
	size_t offset = sizeof(*error);
	const char *text = NULL;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		offset += mnl_nlmsg_get_payload_len(&error->msg);
	(void)mnl_attr_parse(nlh, (unsigned int)offset, read_text, &text); /* no text is fine */
	return text;
}

static int fail(const struct request *request, const struct nlmsghdr *nlh, int code, struct err *e)
{
	const char *what = request->what[0] ? request->what : "change the packet rules";
	const char *text = kernel_text(nlh);

	for (size_t i = 0; i < ACCEPTED_MAX; i++)
		if (request->accepted[i] && -request->accepted[i] == code)
			return 0;
	if (text)
		(void)err_set(e, code, "%s (%s)", what, text);
	else
		(void)err_set(e, code, "%s", what);
	if (code == -EPERM)
		err_hint(e, "needs root (CAP_NET_ADMIN) in the host's network namespace");
	return code;
}

struct reading {
	size_t left; /* requests without an answer so far */
	int result;
	bool interrupted;
};

static int read_message(struct nl *nl, const struct nlmsghdr *nlh, mnl_cb_t cb, void *data,
			struct reading *in, struct err *e)
{
	uint32_t index = nlh->nlmsg_seq - nl->first_seq;
	const struct request *request = &nl->requests[index];
	int r = 0;

	if (index >= nl->count)
		return 0; /* a late answer to an older queue that failed as a whole */
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		in->interrupted = true;
	if (nlh->nlmsg_type >= NLMSG_MIN_TYPE) {
		if (cb && cb(nlh, data) < 0)
			return err_set(e, -EBADMSG, "%s", request->what);
		return 0;
	}
	if (nlh->nlmsg_type != NLMSG_ERROR && nlh->nlmsg_type != NLMSG_DONE)
		return 0;
	if (nlh->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *error = mnl_nlmsg_get_payload(nlh);

		if (error->error)
			r = fail(request, nlh, error->error, in->result ? NULL : e);
	}
	if (r && !in->result)
		in->result = r;
	if (!request->what[0] && r)
		in->left = 0; /* the whole batch failed at its end: no more answers count */
	else if (in->left)
		in->left--;
	return 0;
}

static int exchange(struct nl *nl, mnl_cb_t cb, void *data, struct reading *in, struct err *e)
{
	*in = (struct reading){ .left = nl->answers };
	if (TEMP_FAILURE_RETRY(mnl_socket_sendto(nl->sock, nl->queue, nl->used)) < 0)
		return err_set(e, -errno, "%s", nl->requests[0].what);
	while (in->left) {
		const struct nlmsghdr *nlh;
		ssize_t n = TEMP_FAILURE_RETRY(
			mnl_socket_recvfrom(nl->sock, nl->answer, sizeof(nl->answer)));
		int len = (int)n;

		if (n < 0)
			return err_set(e, -errno, "%s", nl->requests[0].what);
		for (nlh = (const void *)nl->answer; mnl_nlmsg_ok(nlh, len);
		     nlh = mnl_nlmsg_next(nlh, &len)) {
			int r = read_message(nl, nlh, cb, data, in, e);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

int nl_run(struct nl *nl, mnl_cb_t cb, void *data, struct err *e)
{
	struct reading in = { 0 };
	int r = nl->failed;

	if (r)
		(void)err_set(e, r, "queue netlink requests");
	close_message(nl);
	if (nl->used && !r) {
		/* The kernel only interrupts a dump when something changed during it, so the
		 * repetition ends as soon as the others pause for the time of one dump. */
		do {
			r = exchange(nl, cb, data, &in, e);
		} while (r == 0 && in.result == 0 && in.interrupted);
	}
	nl->first_seq = nl->next_seq;
	nl->count = nl->answers = nl->used = 0;
	nl->failed = 0;
	return r ? r : in.result;
}
