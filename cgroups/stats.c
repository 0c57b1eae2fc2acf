/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Live use of a group: the read-back table, for both cgroup versions.
 *
 * DOC: rows of the same file stand together, so each file is opened and read once; a file that
 * this host lacks leaves its fields at "cannot tell". cgroup2's core accounts CPU time and
 * pressure by itself, so those are read there even where v1 holds the controllers.
 *
 * Authority: cgroup-v2.rst "Interface Files" of each controller; cgroup-v1/memory.rst 5.2,
 * blkio-controller.rst, pids.rst; accounting/psi.rst.
 */
#include "cgroups/cg_internal.h"

#include "base/own.h"

#include <ctype.h>
#include <string.h>

enum stat_where {
	AT_V2 = 1,
	AT_V1 = 2,
	AT_CORE = 4 /* v2's directory, whoever has the controller */
};
enum stat_flag { BRIEF = 1, NANOSECONDS = 2, LIMIT = 4 };

struct stat_row {
	enum cg_controller controller;
	enum stat_where where;
	const char *file;
	enum stat_kind kind;
	const char *key;
	size_t offset;
	unsigned int flags;
};

#define TO(f) offsetof(struct cg_stats, f)

static const struct stat_row rows[] = {
	/* clang-format off */
	{ CG_CPU, AT_CORE, "cpu.stat", STAT_KEY, "usage_usec",     TO(cpu_usage_us), BRIEF },
	{ CG_CPU, AT_CORE, "cpu.stat", STAT_KEY, "user_usec",      TO(cpu_user_us), 0 },
	{ CG_CPU, AT_CORE, "cpu.stat", STAT_KEY, "system_usec",    TO(cpu_system_us), 0 },
	{ CG_CPU, AT_CORE, "cpu.stat", STAT_KEY, "nr_periods",     TO(cpu_periods), 0 },
	{ CG_CPU, AT_CORE, "cpu.stat", STAT_KEY, "nr_throttled",   TO(cpu_throttled), 0 },
	{ CG_CPU, AT_CORE, "cpu.stat", STAT_KEY, "throttled_usec", TO(cpu_throttled_us), 0 },
	{ CG_CPU, AT_V1,   "cpu.stat", STAT_KEY, "nr_periods",     TO(cpu_periods), 0 },
	{ CG_CPU, AT_V1,   "cpu.stat", STAT_KEY, "nr_throttled",   TO(cpu_throttled), 0 },
	{ CG_CPU, AT_V1,   "cpu.stat", STAT_KEY, "throttled_time", TO(cpu_throttled_us), NANOSECONDS },

	{ CG_MEMORY, AT_V2, "memory.current",      STAT_ONE, NULL, TO(memory_bytes), BRIEF },
	{ CG_MEMORY, AT_V2, "memory.max",          STAT_ONE, NULL, TO(memory_max_bytes), BRIEF },
	{ CG_MEMORY, AT_V2, "memory.peak",         STAT_ONE, NULL, TO(memory_peak_bytes), 0 },
	{ CG_MEMORY, AT_V2, "memory.swap.current", STAT_ONE, NULL, TO(swap_bytes), 0 },
	{ CG_MEMORY, AT_V2, "memory.swap.max",     STAT_ONE, NULL, TO(swap_max_bytes), 0 },
	{ CG_MEMORY, AT_V2, "memory.stat",   STAT_KEY, "anon",     TO(memory_anon_bytes), 0 },
	{ CG_MEMORY, AT_V2, "memory.stat",   STAT_KEY, "file",     TO(memory_file_bytes), 0 },
	{ CG_MEMORY, AT_V2, "memory.stat",   STAT_KEY, "kernel",   TO(memory_kernel_bytes), 0 },
	{ CG_MEMORY, AT_V2, "memory.stat",   STAT_KEY, "shmem",    TO(memory_shmem_bytes), 0 },
	{ CG_MEMORY, AT_V2, "memory.events", STAT_KEY, "max",      TO(memory_max_events), 0 },
	{ CG_MEMORY, AT_V2, "memory.events", STAT_KEY, "oom_kill", TO(oom_kills), 0 },
	{ CG_MEMORY, AT_V1, "memory.usage_in_bytes",     STAT_ONE, NULL, TO(memory_bytes), BRIEF },
	{ CG_MEMORY, AT_V1, "memory.limit_in_bytes",     STAT_ONE, NULL, TO(memory_max_bytes), BRIEF | LIMIT },
	{ CG_MEMORY, AT_V1, "memory.max_usage_in_bytes", STAT_ONE, NULL, TO(memory_peak_bytes), 0 },
	/* memory + swap until cg_stats_read() has taken the memory off */
	{ CG_MEMORY, AT_V1, "memory.memsw.limit_in_bytes", STAT_ONE, NULL, TO(swap_max_bytes), LIMIT },
	{ CG_MEMORY, AT_V1, "memory.kmem.usage_in_bytes",  STAT_ONE, NULL, TO(memory_kernel_bytes), 0 },
	{ CG_MEMORY, AT_V1, "memory.stat", STAT_KEY, "total_rss",   TO(memory_anon_bytes), 0 },
	{ CG_MEMORY, AT_V1, "memory.stat", STAT_KEY, "total_cache", TO(memory_file_bytes), 0 },
	{ CG_MEMORY, AT_V1, "memory.stat", STAT_KEY, "total_shmem", TO(memory_shmem_bytes), 0 },
	{ CG_MEMORY, AT_V1, "memory.stat", STAT_KEY, "total_swap",  TO(swap_bytes), 0 },
	{ CG_MEMORY, AT_V1, "memory.failcnt",     STAT_ONE, NULL,       TO(memory_max_events), 0 },
	{ CG_MEMORY, AT_V1, "memory.oom_control", STAT_KEY, "oom_kill", TO(oom_kills), 0 },

	{ CG_PIDS, AT_V2 | AT_V1, "pids.current", STAT_ONE, NULL,  TO(pids), BRIEF },
	{ CG_PIDS, AT_V2 | AT_V1, "pids.max",     STAT_ONE, NULL,  TO(pids_max), 0 },
	{ CG_PIDS, AT_V2 | AT_V1, "pids.peak",    STAT_ONE, NULL,  TO(pids_peak), 0 },
	{ CG_PIDS, AT_V2 | AT_V1, "pids.events",  STAT_KEY, "max", TO(pids_max_events), 0 },

	{ CG_IO, AT_V2, "io.stat", STAT_SUM, "rbytes", TO(io_read_bytes), 0 },
	{ CG_IO, AT_V2, "io.stat", STAT_SUM, "wbytes", TO(io_write_bytes), 0 },
	{ CG_IO, AT_V2, "io.stat", STAT_SUM, "rios",   TO(io_reads), 0 },
	{ CG_IO, AT_V2, "io.stat", STAT_SUM, "wios",   TO(io_writes), 0 },
	{ CG_IO, AT_V1, "blkio.throttle.io_service_bytes_recursive", STAT_OP, "Read",  TO(io_read_bytes), 0 },
	{ CG_IO, AT_V1, "blkio.throttle.io_service_bytes_recursive", STAT_OP, "Write", TO(io_write_bytes), 0 },
	{ CG_IO, AT_V1, "blkio.throttle.io_serviced_recursive",      STAT_OP, "Read",  TO(io_reads), 0 },
	{ CG_IO, AT_V1, "blkio.throttle.io_serviced_recursive",      STAT_OP, "Write", TO(io_writes), 0 },

	{ CG_CPU,    AT_CORE, "cpu.pressure",    STAT_PSI_AVG, "some", TO(cpu_some_avg10), 0 },
	{ CG_CPU,    AT_CORE, "cpu.pressure",    STAT_PSI_SUM, "some", TO(cpu_some_us), 0 },
	{ CG_MEMORY, AT_CORE, "memory.pressure", STAT_PSI_AVG, "some", TO(memory_some_avg10), 0 },
	{ CG_MEMORY, AT_CORE, "memory.pressure", STAT_PSI_AVG, "full", TO(memory_full_avg10), 0 },
	{ CG_MEMORY, AT_CORE, "memory.pressure", STAT_PSI_SUM, "some", TO(memory_some_us), 0 },
	{ CG_MEMORY, AT_CORE, "memory.pressure", STAT_PSI_SUM, "full", TO(memory_full_us), 0 },
	{ CG_IO,     AT_CORE, "io.pressure",     STAT_PSI_AVG, "some", TO(io_some_avg10), 0 },
	{ CG_IO,     AT_CORE, "io.pressure",     STAT_PSI_AVG, "full", TO(io_full_avg10), 0 },
	{ CG_IO,     AT_CORE, "io.pressure",     STAT_PSI_SUM, "some", TO(io_some_us), 0 },
	{ CG_IO,     AT_CORE, "io.pressure",     STAT_PSI_SUM, "full", TO(io_full_us), 0 },
	/* clang-format on */
};
_Static_assert(sizeof(struct cg_stats) == 35 * sizeof(uint64_t), "a row fills each field");

/* A number at @s; UINT64_MAX for "max", for anything else and when it does not fit. */
static uint64_t number_at(const char *s)
{
	uint64_t value = 0;

	if (!isdigit((unsigned char)*s))
		return UINT64_MAX;
	for (; isdigit((unsigned char)*s); s++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*s - '0'), &value))
			return UINT64_MAX;
	return value;
}

/* What follows @key and @separator where they begin a word of [@s, @end); NULL without them. */
static const char *after_word(const char *s, const char *end, const char *key, char separator)
{
	size_t len = strlen(key);

	while (s < end) {
		if ((size_t)(end - s) > len && strncmp(s, key, len) == 0 && s[len] == separator)
			return s + len + 1;
		s += strcspn(s, " \n");
		s += strspn(s, " ");
		if (*s == '\n')
			break;
	}
	return NULL;
}

static void add_number(uint64_t *sum, const char *at)
{
	uint64_t value = at ? number_at(at) : UINT64_MAX;

	if (value == UINT64_MAX)
		return;
	if (*sum == UINT64_MAX)
		*sum = 0;
	if (__builtin_add_overflow(*sum, value, sum))
		*sum = UINT64_MAX;
}

/* "1.25" in hundredths. */
static uint64_t hundredths(const char *at)
{
	uint64_t whole = number_at(at);
	const char *dot = at + strspn(at, "0123456789");

	if (whole > UINT32_MAX || dot[0] != '.' || !isdigit((unsigned char)dot[1]) ||
	    !isdigit((unsigned char)dot[2]))
		return UINT64_MAX;
	return whole * 100 + (uint64_t)((dot[1] - '0') * 10 + (dot[2] - '0'));
}

uint64_t stat_parse(const char *text, enum stat_kind kind, const char *key)
{
	uint64_t sum = UINT64_MAX;

	if (kind == STAT_ONE)
		return number_at(text);
	for (const char *line = text, *end; *line; line = end + (*end == '\n')) {
		size_t len = strlen(key);
		bool starts = strncmp(line, key, len) == 0 && line[len] == ' ';
		const char *at;

		end = strchrnul(line, '\n');
		switch (kind) {
		case STAT_ONE:
			break;
		case STAT_KEY:
			if (starts)
				return number_at(line + len + 1);
			break;
		case STAT_SUM:
			add_number(&sum, after_word(line, end, key, '='));
			break;
		case STAT_OP:
			/* "Total N" has no device before it, and is not asked for. */
			add_number(&sum, after_word(line, end, key, ' '));
			break;
		case STAT_PSI_AVG:
			at = starts ? after_word(line, end, "avg10", '=') : NULL;
			if (at)
				return hundredths(at);
			break;
		case STAT_PSI_SUM:
			at = starts ? after_word(line, end, "total", '=') : NULL;
			if (at)
				return number_at(at);
			break;
		}
	}
	/* A group without any I/O yet has an empty file: that is zero, and known. */
	return sum == UINT64_MAX && (kind == STAT_SUM || kind == STAT_OP) ? 0 : sum;
}

/** The directories of one group and the file that was read last. */
struct reader {
	const struct cg_layout *layout;
	const char *path;
	int dirs[CG_HIERS_MAX]; /* -EBADF until it is asked for */
	const char *file;
	const struct cg_hier *file_hier;
	struct text text;
	bool readable;
};

static void reader_done(struct reader *r)
{
	for (size_t i = 0; i < CG_HIERS_MAX; i++)
		own_fd_done(&r->dirs[i]);
	text_done(&r->text);
}

static const struct cg_hier *row_hier(const struct cg_layout *layout, const struct stat_row *row)
{
	const struct cg_hier *hier = layout_hier(layout, row->controller);

	if (row->where & AT_CORE)
		return &layout->hiers[0];
	if (!hier || !(row->where & (hier->v2 ? AT_V2 : AT_V1)))
		return NULL;
	return hier;
}

static bool read_row_file(struct reader *r, const struct cg_hier *hier, const char *file)
{
	int *dir = &r->dirs[hier - r->layout->hiers];

	if (hier == r->file_hier && r->file && strcmp(file, r->file) == 0)
		return r->readable;
	if (*dir == -EBADF)
		*dir = tree_open(hier, r->path);
	r->file = file;
	r->file_hier = hier;
	r->text.len = 0;
	r->readable = *dir >= 0 && tree_load(*dir, file, &r->text) == 0;
	return r->readable;
}

static void read_row(struct reader *r, const struct stat_row *row, struct cg_stats *stats)
{
	const struct cg_hier *hier = row_hier(r->layout, row);
	uint64_t *field = (uint64_t *)(void *)((char *)stats + row->offset), value;

	if (!hier || !read_row_file(r, hier, row->file))
		return;
	value = stat_parse(text_str(&r->text), row->kind, row->key);
	if (value == UINT64_MAX)
		return;
	if (row->flags & NANOSECONDS)
		value /= 1000;
	*field = row->flags & LIMIT ? cg_limit_v1(value) : value;
}

static int read_stats(const struct cg_layout *layout, const char *path, unsigned int wanted,
		      struct cg_stats *ret)
{
	__attribute__((cleanup(reader_done))) struct reader r = { .layout = layout, .path = path };
	int err = tree_path(path, NULL);
	struct cg_stats stats;

	for (size_t i = 0; i < CG_HIERS_MAX; i++)
		r.dirs[i] = -EBADF;
	if (err < 0)
		return err;
	r.dirs[0] = tree_open(&layout->hiers[0], path);
	if (r.dirs[0] < 0)
		return r.dirs[0];
	memset(&stats, 0xff, sizeof(stats)); /* UINT64_MAX: cannot tell */
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if ((rows[i].flags & wanted) == wanted)
			read_row(&r, &rows[i], &stats);
	if (!cg_is_v2(layout, CG_MEMORY))
		stats.swap_max_bytes = cg_swap_of(stats.swap_max_bytes, stats.memory_max_bytes);
	*ret = stats;
	return 0;
}

int cg_stats_read(const struct cg_layout *layout, const char *path, struct cg_stats *ret)
{
	return read_stats(layout, path, 0, ret);
}

int cg_stats_brief(const struct cg_layout *layout, const char *path, struct cg_stats *ret)
{
	return read_stats(layout, path, BRIEF, ret);
}
