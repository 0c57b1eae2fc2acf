/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's apt sources that offer a Debian suite, so that a template comes from the mirror that
 * the host itself uses. Both styles of sources.list(5) are read: one line, and deb822 stanzas.
 * Only main of Debian itself counts: a third party's packages have no place in a template.
 */
#include "runtime/storage/store_internal.h"

#include "base/file.h"
#include "base/text.h"

#include <fcntl.h>
#include <string.h>

enum { SOURCES_BYTES_MAX = 1024 * 1024 };

struct source {
	char *types, *uris, *suites, *components, *signed_by;
	bool disabled;
};

struct search {
	const char *suite;
	struct arena *arena;
	struct strv found;
	bool has_suite; /* the suite itself, not only its updates */
};

/* Does the list @words (separated by blanks) have @word? */
static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = words; p && *p; p += strcspn(p, " \t\n")) {
		p += strspn(p, " \t\n");
		if (strncmp(p, word, len) == 0 && strchr(" \t\n", p[len]))
			return true;
	}
	return false;
}

/* ".../debian", ".../debian-security", or a snapshot of one of them */
static bool is_debian(const char *uri)
{
	size_t len = strlen(uri);
	const char *last;

	while (len && uri[len - 1] == '/')
		len--;
	last = memrchr(uri, '/', len);
	if (!last || !strstr(uri, "://"))
		return false;
	if (strstr(uri, "snapshot.debian.org/archive/debian"))
		return true;
	len -= (size_t)(last + 1 - uri);
	return (len == strlen("debian") && strncmp(last + 1, "debian", len) == 0) ||
	       (len == strlen("debian-security") && strncmp(last + 1, "debian-security", len) == 0);
}

static int add_line(struct search *s, const char *uri, const char *suite, const char *signed_by)
{
	char **slot = arena_grow(s->arena, &s->found.v, &s->found.n, sizeof(*s->found.v));

	if (!slot)
		return -ENOMEM;
	/* A key given in place, not as a file, cannot be said in one line. */
	if (signed_by && signed_by[0] == '/' && !strpbrk(signed_by, " \t\n]"))
		*slot = arena_printf(s->arena, "deb [signed-by=%s] %s %s main", signed_by, uri,
				     suite);
	else
		*slot = arena_printf(s->arena, "deb %s %s main", uri, suite);
	return *slot ? 0 : -ENOMEM;
}

/* One stanza or line: every wanted suite at every Debian mirror. Cuts up @src->uris. */
static int consider(struct search *s, const struct source *src)
{
	static const char *const kinds[] = { "", "-updates", "-security", "/updates" };
	char *save = NULL;

	if (src->disabled || !has_word(src->types, "deb") || !has_word(src->components, "main") ||
	    !src->uris || !src->suites)
		return 0;
	for (char *uri = strtok_r(src->uris, " \t\n", &save); uri;
	     uri = strtok_r(NULL, " \t\n", &save)) {
		for (size_t i = 0; is_debian(uri) && i < ARRAY_SIZE(kinds); i++) {
			char suite[128];
			int r;

			(void)snprintf(suite, sizeof(suite), "%s%s", s->suite, kinds[i]);
			if (!has_word(src->suites, suite))
				continue;
			r = add_line(s, uri, suite, src->signed_by);
			if (r < 0)
				return r;
			s->has_suite |= i == 0;
		}
	}
	return 0;
}

/* "deb [signed-by=FILE arch=amd64] URI SUITE COMPONENT..." */
static int read_line_style(struct search *s, char *text)
{
	char *lines = NULL;

	for (char *line = strtok_r(text, "\n", &lines); line; line = strtok_r(NULL, "\n", &lines)) {
		struct source src = { 0 };
		char *save = NULL, *comment = strchr(line, '#'), *close;
		int r;

		if (comment)
			*comment = '\0';
		src.types = strtok_r(line, " \t", &save);
		if (!src.types || !save)
			continue;
		save += strspn(save, " \t");
		if (*save == '[' && (close = strchr(save, ']'))) {
			*close = '\0';
			src.signed_by = strstr(save, "signed-by=");
			if (src.signed_by) {
				src.signed_by += strlen("signed-by=");
				src.signed_by[strcspn(src.signed_by, " \t")] = '\0';
			}
			save = close + 1;
		}
		src.uris = strtok_r(NULL, " \t", &save);
		src.suites = strtok_r(NULL, " \t", &save);
		src.components = save;
		r = consider(s, &src);
		if (r < 0)
			return r;
	}
	return 0;
}

static void set_field(struct source *src, const char *key, size_t len, char *value)
{
	/* clang-format off */
	const struct {
		const char *key;
		char **field;
	} fields[] = {
		{ "Types",      &src->types },
		{ "URIs",       &src->uris },
		{ "Suites",     &src->suites },
		{ "Components", &src->components },
		{ "Signed-By",  &src->signed_by },
	};
	/* clang-format on */

	value += strspn(value, " \t");
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (strlen(fields[i].key) == len && strncasecmp(fields[i].key, key, len) == 0)
			*fields[i].field = value;
	if (len == strlen("Enabled") && strncasecmp("Enabled", key, len) == 0)
		src->disabled = strncasecmp(value, "no", 2) == 0;
}

/* Stanzas of "Key: value", apart by empty lines; a line that begins with a blank continues. */
static int read_deb822(struct search *s, char *text)
{
	struct source src = { 0 };
	char *line = text, *value_end = NULL;

	for (;;) {
		size_t len = strcspn(line, "\n");
		bool last = line[len] == '\0';
		char *colon;

		if (len && (line[0] == ' ' || line[0] == '\t')) {
			if (value_end)
				*value_end = ' '; /* joins it to the value that it continues */
			value_end = line + len;
		} else if (len && line[0] != '#') {
			colon = memchr(line, ':', len);
			if (colon)
				set_field(&src, line, (size_t)(colon - line), colon + 1);
			value_end = line + len;
		}
		line[len] = '\0';
		if (!len || last) {
			int r = consider(s, &src);

			if (r < 0 || last)
				return r;
			src = (struct source){ 0 };
			value_end = NULL;
		}
		line += len + 1;
	}
}

static bool ends_with(const char *s, const char *end)
{
	size_t a = strlen(s), b = strlen(end);

	return a > b && strcmp(s + a - b, end) == 0;
}

static int read_one(struct search *s, int dir, const char *name, bool deb822)
{
	own_free char *text = NULL;

	if (file_load(dir, name, SOURCES_BYTES_MAX, &text) < 0)
		return 0; /* absent, or of a kind that apt does not read either */
	return deb822 ? read_deb822(s, text) : read_line_style(s, text);
}

int apt_mirrors(const char *etc_apt, const char *suite, struct arena *arena, struct strv *ret)
{
	struct search s = { .suite = suite, .arena = arena };
	own_fd int fd = open(etc_apt, O_RDONLY | O_DIRECTORY | O_CLOEXEC), parts = -EBADF;
	own_dir DIR *dir = NULL;
	const struct dirent *d;
	int r;

	*ret = (struct strv){ 0 };
	if (fd < 0)
		return 0;
	r = read_one(&s, fd, "sources.list", false);
	parts = openat(fd, "sources.list.d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = parts < 0 ? NULL : fdopendir(parts);
	if (dir)
		(void)take_fd(&parts); /* dir owns it now */
	while (r == 0 && dir && (d = readdir(dir))) {
		if (ends_with(d->d_name, ".list"))
			r = read_one(&s, dirfd(dir), d->d_name, false);
		else if (ends_with(d->d_name, ".sources"))
			r = read_one(&s, dirfd(dir), d->d_name, true);
	}
	if (r == 0 && s.has_suite)
		*ret = s.found;
	return r;
}
