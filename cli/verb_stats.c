/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats and top: live use. CPU percent is the difference of two samples, so both take two; the
 * time between them is spent in poll(2), on the keyboard and signals where there is a terminal.
 */
#include "base/own.h"
#include "base/text.h"
#include "cgroups/cg.h"
#include "cli/cli.h"
#include "cli/out.h"
#include "cli/verbs.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <time.h>

enum { SAMPLE_MS = 200, TOP_MS = 2000, TOP_MIN_MS = 100 };

/** Every counter of struct cg_stats, under its name in the JSON. */
static const struct counter {
	const char *key;
	size_t offset;
	uint64_t unit; /* the value is divided by it, into a real number; 0: as it is */
} counters[] = {
#define COUNTER(name, field)                              \
	{                                                 \
		name, offsetof(struct cg_stats, field), 0 \
	}
#define PERCENT(name, field)                                \
	{                                                   \
		name, offsetof(struct cg_stats, field), 100 \
	}
	COUNTER("memoryBytes", memory_bytes),
	COUNTER("memoryPeakBytes", memory_peak_bytes),
	COUNTER("memoryLimitBytes", memory_max_bytes),
	COUNTER("swapBytes", swap_bytes),
	COUNTER("swapLimitBytes", swap_max_bytes),
	COUNTER("memoryAnonBytes", memory_anon_bytes),
	COUNTER("memoryFileBytes", memory_file_bytes),
	COUNTER("memoryKernelBytes", memory_kernel_bytes),
	COUNTER("memoryShmemBytes", memory_shmem_bytes),
	COUNTER("memoryLimitHits", memory_max_events),
	COUNTER("oomKills", oom_kills),
	COUNTER("cpuUsec", cpu_usage_us),
	COUNTER("cpuUserUsec", cpu_user_us),
	COUNTER("cpuSystemUsec", cpu_system_us),
	COUNTER("cpuPeriods", cpu_periods),
	COUNTER("cpuThrottledPeriods", cpu_throttled),
	COUNTER("cpuThrottledUsec", cpu_throttled_us),
	COUNTER("processes", pids),
	COUNTER("processesLimit", pids_max),
	COUNTER("processesPeak", pids_peak),
	COUNTER("processesLimitHits", pids_max_events),
	COUNTER("ioReadBytes", io_read_bytes),
	COUNTER("ioWriteBytes", io_write_bytes),
	COUNTER("ioReads", io_reads),
	COUNTER("ioWrites", io_writes),
	PERCENT("cpuPressurePercent", cpu_some_avg10),
	PERCENT("memoryPressurePercent", memory_some_avg10),
	PERCENT("memoryFullPressurePercent", memory_full_avg10),
	PERCENT("ioPressurePercent", io_some_avg10),
	PERCENT("ioFullPressurePercent", io_full_avg10),
	COUNTER("cpuPressureUsec", cpu_some_us),
	COUNTER("memoryPressureUsec", memory_some_us),
	COUNTER("memoryFullPressureUsec", memory_full_us),
	COUNTER("ioPressureUsec", io_some_us),
	COUNTER("ioFullPressureUsec", io_full_us),
};
_Static_assert(sizeof(struct cg_stats) == ARRAY_SIZE(counters) * sizeof(uint64_t),
	       "each counter has a key");

/* clang-format off */
static const struct out_col columns[] = {
	{ .title = "NAME", .key = "id" },
	{ .title = "CPU%", .key = "cpuPercent", .kind = OUT_PERCENT },
	{ .title = "CPU TIME", .key = "cpuMs", .kind = OUT_SPAN },
	{ .title = "MEMORY", .key = "memoryBytes", .kind = OUT_USE, .limit_key = "memoryLimitBytes" },
	{ .title = "SWAP", .key = "swapBytes", .kind = OUT_BYTES, .optional = true },
	{ .title = "PROCS", .key = "processes", .kind = OUT_COUNT, .limit_key = "processesLimit" },
	{ .title = "READ", .key = "ioReadBytes", .kind = OUT_BYTES, .optional = true },
	{ .title = "WRITTEN", .key = "ioWriteBytes", .kind = OUT_BYTES, .optional = true },
	{ .title = "THROTTLED", .key = "throttledMs", .kind = OUT_SPAN, .optional = true },
	{ .title = "WAIT CPU", .key = "cpuPressurePercent", .kind = OUT_PERCENT, .optional = true },
	{ .title = "MEM", .key = "memoryPressurePercent", .kind = OUT_PERCENT, .optional = true },
	{ .title = "IO", .key = "ioPressurePercent", .kind = OUT_PERCENT, .optional = true },
};
/* clang-format on */

struct sample {
	struct cg_stats stats;
	uint64_t at_us;
	bool ok;
};

/** What is watched, with the sample before and the one now. */
struct watch {
	struct ctr_info *infos;
	struct sample *before, *now;
	size_t count;
};

static uint64_t monotonic_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with a valid clock */
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void take_samples(const struct cli *cli, const struct watch *w, struct sample *into)
{
	for (size_t i = 0; i < w->count; i++) {
		into[i].ok = container_stats(&cli->env, &w->infos[i], &into[i].stats, NULL) == 0;
		into[i].at_us = monotonic_us();
	}
}

/* What runs now, by name or all of it. */
static int find(struct cli *cli, struct arena *arena, const struct args *args, struct watch *ret,
		struct err *e)
{
	struct ctr_info *infos = NULL;
	size_t count = 0, used = 0;
	int r;

	if (args->n) {
		infos = arena_alloc(arena, args->n * sizeof(*infos));
		if (!infos)
			return cli_oom(e);
		for (; count < args->n; count++) {
			r = container_info(&cli->env, args->v[count], arena, &infos[count], e);
			if (r < 0)
				return r;
			if (infos[count].status == CTR_STOPPED)
				return err_say(e, -ESRCH, "container '%s' not running",
					       infos[count].id);
		}
	} else {
		r = container_list(&cli->env, arena, &infos, &count, e);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < count; i++)
		if (!infos[i].problem && infos[i].status != CTR_STOPPED)
			infos[used++] = infos[i];
	*ret = (struct watch){ infos, arena_alloc(arena, (used + 1) * sizeof(struct sample)),
			       arena_alloc(arena, (used + 1) * sizeof(struct sample)), used };
	return ret->before && ret->now ? 0 : cli_oom(e);
}

static json_t *counter_value(const struct counter *c, const struct cg_stats *stats)
{
	uint64_t value;

	memcpy(&value, (const char *)stats + c->offset, sizeof(value));
	if (value > INT64_MAX)
		return json_null();
	return c->unit ? json_real((double)value / (double)c->unit)
		       : json_integer((json_int_t)value);
}

static uint64_t to_ms(uint64_t us)
{
	return us == UINT64_MAX ? UINT64_MAX : us / 1000;
}

static void add_row(struct out *o, const struct ctr_info *info, const struct sample *before,
		    const struct sample *now)
{
	out_row(o);
	out_str(o, "id", info->id);
	out_str(o, "status", ctr_status_name(info->status));
	if (before->ok && now->at_us > before->at_us && now->stats.cpu_usage_us != UINT64_MAX &&
	    now->stats.cpu_usage_us >= before->stats.cpu_usage_us)
		out_json(o, "cpuPercent",
			 json_real((double)(now->stats.cpu_usage_us - before->stats.cpu_usage_us) *
				   100 / (double)(now->at_us - before->at_us)));
	else
		out_json(o, "cpuPercent", json_null());
	out_u64(o, "cpuMs", to_ms(now->stats.cpu_usage_us));
	out_u64(o, "throttledMs", to_ms(now->stats.cpu_throttled_us));
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
		out_json(o, counters[i].key, counter_value(&counters[i], &now->stats));
}

static void add_rows(struct out *o, const struct watch *w)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->now[i].ok) /* else it has ended meanwhile */
			add_row(o, &w->infos[i], &w->before[i], &w->now[i]);
}

static int snapshot(struct cli *cli, const struct args *args, bool sort, struct err *e)
{
	own_out struct out o = OUT(columns);
	struct watch w = { 0 };
	int r = find(cli, cli->arena, args, &w, e);

	if (r < 0)
		return r;
	take_samples(cli, &w, w.before);
	if (w.count)
		(void)poll(NULL, 0, SAMPLE_MS); /* cut short by a signal, the span is measured */
	take_samples(cli, &w, w.now);
	add_rows(&o, &w);
	if (sort)
		out_sort(&o, "cpuPercent");
	return out_print(&o, cli->json, e);
}

static int run_stats(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	(void)opts;
	return snapshot(cli, args, false, e);
}

struct top {
	struct opt_u64 delay_ms;
};

/** The terminal in the mode of a full-screen program, and the signals that end it as a file. */
struct screen {
	struct termios saved;
	sigset_t saved_mask;
	int signals;
};

static int screen_open(struct screen *s, struct err *e)
{
	struct termios raw;
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGWINCH);
	if (tcgetattr(STDIN_FILENO, &s->saved) < 0)
		return err_set(e, -errno, "read the terminal's mode");
	s->signals = signalfd(-1, &mask, SFD_CLOEXEC);
	if (s->signals < 0)
		return err_set(e, -errno, "watch signals");
	raw = s->saved;
	raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	(void)sigprocmask(SIG_BLOCK, &mask, &s->saved_mask);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw); /* worst case: keys need a newline */
	(void)fputs("\033[?1049h\033[?25l", stdout);	/* alternate screen, no cursor */
	return 0;
}

static void screen_close(struct screen *s)
{
	(void)fputs("\033[?25h\033[?1049l", stdout);
	(void)fflush(stdout);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &s->saved); /* nothing left to try */
	(void)sigprocmask(SIG_SETMASK, &s->saved_mask, NULL);
	close_fd(&s->signals);
}

static int draw(const struct out *o, size_t count, struct err *e)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	own_text struct text t = { 0 };
	char time[32];

	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size); /* else the classic 80x24 */
	text_addf(&t, "\033[H\033[Jctr top, %.8s UTC, %zu running; q quits\n\n",
		  out_fmt_time(time, sizeof(time), out_now_ms()) + 11, count);
	out_render(o, &t, size.ws_col, size.ws_row > 4 ? size.ws_row - 3u : 1);
	if (text_failed(&t))
		return cli_oom(e);
	(void)fputs(text_str(&t), stdout);
	if (fflush(stdout) != 0)
		return err_set(e, -errno, "write to the terminal");
	return 0;
}

/* Wait for the next turn. Return: false when the user or a signal wants an end. */
static bool wait_turn(const struct screen *s, uint64_t delay_ms)
{
	struct pollfd fds[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = s->signals, .events = POLLIN },
	};
	int ready = poll(fds, ARRAY_SIZE(fds), delay_ms < 3600000 ? (int)delay_ms : 3600000);
	struct signalfd_siginfo signal;
	char key = 0;

	if (ready <= 0)
		return true;
	if (fds[1].revents && (read(s->signals, &signal, sizeof(signal)) != sizeof(signal) ||
			       signal.ssi_signo != SIGWINCH))
		return false;
	if (fds[0].revents)
		return read(STDIN_FILENO, &key, 1) == 1 && key != 'q' && key != 'Q' &&
		       key != '\x04';
	return true;
}

/* Give each entry the sample that it had a turn ago, by name: entries come and go. */
static void carry_over(const struct watch *last, struct watch *w)
{
	for (size_t i = 0, j = 0; i < w->count; i++) {
		for (size_t tries = 0; tries < last->count; tries++, j++) {
			if (strcmp(last->infos[j % last->count].id, w->infos[i].id) != 0)
				continue;
			w->before[i] = last->now[j++ % last->count];
			break;
		}
	}
}

static int top_loop(struct cli *cli, const struct args *args, const struct screen *s,
		    uint64_t delay_ms, struct err *e)
{
	struct arena arenas[2] = { 0 }; /* this turn's and the last one's, in turns */
	struct watch last = { 0 };
	int r = 0;

	for (unsigned int turn = 0; r == 0; turn++) {
		struct arena *arena = &arenas[turn % 2];
		own_out struct out o = OUT(columns);
		struct watch w = { 0 };

		arena_done(arena);
		r = find(cli, arena, args, &w, e);
		if (r < 0)
			break;
		carry_over(&last, &w);
		take_samples(cli, &w, w.now);
		add_rows(&o, &w);
		out_sort(&o, "cpuPercent");
		r = draw(&o, w.count, e);
		last = w;
		if (r < 0 || !wait_turn(s, turn ? delay_ms : SAMPLE_MS))
			break;
	}
	arena_done(&arenas[0]);
	arena_done(&arenas[1]);
	return r;
}

static int run_top(struct cli *cli, const void *opts, const struct args *args, struct err *e)
{
	const struct top *t = opts;
	uint64_t delay_ms = t->delay_ms.set ? t->delay_ms.v : TOP_MS;
	struct screen screen;
	int r;

	if (cli->json || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return snapshot(cli, args, true, e);
	r = screen_open(&screen, e);
	if (r < 0)
		return r;
	r = top_loop(cli, args, &screen, delay_ms < TOP_MIN_MS ? TOP_MIN_MS : delay_ms, e);
	screen_close(&screen);
	return r;
}

/* clang-format off */
static const struct opt stats_options[] = {
	{ "format", 'f', OPT_CHOICE, OPT_GLOBAL, "table|json", offsetof(struct globals, format),
	  NULL, "table for people, or JSON" },
	{ 0 },
};

static const struct opt top_options[] = {
	{ "delay", 'd', OPT_MS, 0, "TIME", offsetof(struct top, delay_ms), NULL,
	  "time between two looks (default 2s)" },
	{ "format", 'f', OPT_CHOICE, OPT_GLOBAL, "table|json", offsetof(struct globals, format),
	  NULL, "table for people, or JSON" },
	{ 0 },
};
/* clang-format on */

const struct verb verb_stats = {
	.name = "stats",
	.args = "[NAME...]",
	.summary = "print live use of resources",
	.help = "Prints what running partitions and containers use: CPU over the last 200 ms, "
		"memory, "
		"swap, processes, I/O, the time that the CPU limit held them back, and the share "
		"of "
		"the last 10 s in which some process waited for CPU, memory or I/O.",
	.group = GROUP_LOOK,
	.max_args = ARGS_MANY,
	.opts = stats_options,
	.opts_size = sizeof(struct top),
	.fn = run_stats,
};

const struct verb verb_top = {
	.name = "top",
	.args = "[NAME...]",
	.summary = "watch use of resources",
	.help = "Shows the table of stats, the busiest first, and refreshes it until q is pressed. "
		"In "
		"a pipe it prints the table once.",
	.group = GROUP_LOOK,
	.max_args = ARGS_MANY,
	.opts = top_options,
	.opts_size = sizeof(struct top),
	.fn = run_top,
};
