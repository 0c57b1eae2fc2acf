/* SPDX-License-Identifier: Apache-2.0 */
/* The option-table parser. */
#include "cli/opt.h"

#include "base/own.h"
#include "base/text.h"

#include <ctype.h>
#include <string.h>

enum { NAMES_MAX = 96 };

/** A row, and the struct that its offset is into. */
struct found {
	const struct opt *opt;
	char *into;
};

static struct found found_in(const struct opt_parse *p, const struct opt_set *set,
			     const struct opt *o)
{
	return (struct found){ o, o->flags & OPT_GLOBAL ? p->globals : set->into };
}

static struct found find_name(const struct opt_parse *p, const char *name, size_t len)
{
	for (size_t s = 0; s < ARRAY_SIZE(p->sets); s++) {
		const struct opt *o = p->sets[s].table;

		for (; o && o->name; o++)
			if (strlen(o->name) == len && memcmp(o->name, name, len) == 0)
				return found_in(p, &p->sets[s], o);
	}
	return (struct found){ 0 };
}

static struct found find_letter(const struct opt_parse *p, char letter)
{
	for (size_t s = 0; s < ARRAY_SIZE(p->sets); s++) {
		const struct opt *o = p->sets[s].table;

		for (; o && o->name; o++)
			if (o->letter == letter)
				return found_in(p, &p->sets[s], o);
	}
	return (struct found){ 0 };
}

static int unknown(const struct opt_parse *p, const char *token, struct err *e)
{
	const char *names[NAMES_MAX];
	size_t count = 0, len;
	char name[64];
	int near;

	token += strspn(token, "-");
	len = strcspn(token, "=");
	(void)err_say(e, -EINVAL, "flag provided but not defined: -%.*s", (int)len, token);
	if (len < 2 || len >= sizeof(name))
		return -EINVAL;
	memcpy(name, token, len);
	name[len] = '\0';
	for (size_t s = 0; s < ARRAY_SIZE(p->sets); s++)
		for (const struct opt *o = p->sets[s].table; o && o->name; o++)
			if (!(o->flags & OPT_HIDDEN) && count < NAMES_MAX)
				names[count++] = o->name;
	near = text_nearest(name, names, count);
	if (near >= 0)
		err_hint(e, "did you mean --%s?", names[near]);
	return -EINVAL;
}

struct choice {
	const char *value;
	size_t len;
	bool found;
};

static void match_choice(void *arg, const char *word, size_t len)
{
	struct choice *c = arg;

	c->found |= len == c->len && memcmp(word, c->value, len) == 0;
}

static int store_switch(const struct found *f, const char *value, struct err *e)
{
	static const struct {
		const char *text;
		bool value;
	} words[] = { { "true", true },	  { "1", true },  { "t", true },
		      { "false", false }, { "0", false }, { "f", false } };

	for (size_t i = 0; value && i < ARRAY_SIZE(words); i++) {
		if (strcasecmp(value, words[i].text) == 0) {
			*(bool *)(f->into + f->opt->offset) = words[i].value;
			return 0;
		}
	}
	if (value)
		return err_say(e, -EINVAL, "invalid boolean value '%s' for --%s", value,
			       f->opt->name);
	*(bool *)(f->into + f->opt->offset) = true;
	return 0;
}

static int store(const struct opt_parse *p, const struct found *f, char *value, struct err *e)
{
	const struct opt *o = f->opt;
	void *at = f->into + o->offset;
	struct choice choice;
	struct strv *list;
	char **item;

	if (o->check && o->check(value, e) < 0)
		return err_wrap(e, -EINVAL, "--%s", o->name);
	switch (o->type) {
	case OPT_SWITCH:
		return store_switch(f, value, e);
	case OPT_STR:
		*(const char **)at = value;
		return 0;
	case OPT_STRV:
		list = at;
		item = arena_grow(p->arena, &list->v, &list->n, sizeof(*item));
		if (!item)
			return err_set(e, -ENOMEM, "--%s", o->name);
		*item = value;
		return 0;
	case OPT_U32:
		if (text_u32(value, at) < 0)
			return err_say(e, -EINVAL, "--%s: '%s' is not a number of 0 to 4294967295",
				       o->name, value);
		return 0;
	case OPT_MS:
		if (text_ms(value, &((struct opt_u64 *)at)->v) < 0)
			return err_say(e, -EINVAL,
				       "--%s: '%s' is not a time such as 10, 10s or 250ms", o->name,
				       value);
		((struct opt_u64 *)at)->set = true;
		return 0;
	case OPT_CHOICE:
		choice = (struct choice){ value, strlen(value), false };
		opt_choices(o, match_choice, &choice);
		if (!choice.found)
			return err_say(e, -EINVAL, "--%s: '%s' is not one of %s", o->name, value,
				       o->arg);
		*(const char **)at = value;
		return 0;
	}
	return -EINVAL;
}

void opt_choices(const struct opt *o, void (*each)(void *arg, const char *word, size_t len),
		 void *arg)
{
	const char *word = o->arg;

	if (o->type != OPT_CHOICE)
		return;
	for (;;) {
		size_t len = strcspn(word, "|");

		each(arg, word, len);
		if (!word[len])
			return;
		word += len + 1;
	}
}

/* `--name`, `--name=value`, and the same behind one dash. Return: entries used. */
static int parse_long(const struct opt_parse *p, const struct found *f, int argc, char **argv,
		      struct err *e)
{
	char *value = strchr(argv[0], '=');
	int used = 1, r;

	if (value)
		value++;
	if (!value && f->opt->type != OPT_SWITCH) {
		if (argc < 2)
			return err_say(e, -EINVAL, "flag needs an argument: --%s", f->opt->name);
		value = argv[1];
		used = 2;
	}
	r = store(p, f, value, e);
	return r < 0 ? r : used;
}

/* `-x`, `-x value`, `-xvalue`, `-x=value`, `-xyz` of switches. Return: entries used. */
static int parse_letters(const struct opt_parse *p, int argc, char **argv, struct err *e)
{
	char *s = argv[0] + 1;
	int r;

	for (;; s++) {
		struct found f = find_letter(p, *s);
		char *value = s[1] == '=' ? s + 2 : s[1] ? s + 1 : NULL;
		int used = 1;

		if (!f.opt)
			return unknown(p, argv[0], e);
		if (f.opt->type == OPT_SWITCH && s[1] != '=') {
			r = store(p, &f, NULL, e);
			if (r < 0)
				return r;
			if (!s[1])
				return 1;
			continue;
		}
		if (!value) {
			if (argc < 2)
				return err_say(e, -EINVAL, "flag needs an argument: -%c", *s);
			value = argv[1];
			used = 2;
		}
		r = store(p, &f, value, e);
		return r < 0 ? r : used;
	}
}

/* A bundle is known when its first letter is: then a message about it names the right part. */
static int parse_option(const struct opt_parse *p, int argc, char **argv, struct err *e)
{
	const char *name = argv[0] + (argv[0][1] == '-' ? 2 : 1);
	size_t len = strcspn(name, "=");
	struct found f = { 0 };

	if (name == argv[0] + 2 || len > 1)
		f = find_name(p, name, len);
	if (f.opt)
		return parse_long(p, &f, argc, argv, e);
	if (name == argv[0] + 2)
		return unknown(p, argv[0], e);
	return parse_letters(p, argc, argv, e);
}

static bool is_option(const char *s)
{
	return s[0] == '-' && s[1] && !isdigit((unsigned char)s[1]);
}

int opt_parse(const struct opt_parse *p, int argc, char **argv, struct args *ret, struct err *e)
{
	struct args args = { 0 };
	bool dashes = false;
	int i = 0;

	args.v = arena_alloc(p->arena, sizeof(*args.v) * ((size_t)argc + 1));
	if (!args.v)
		return err_set(e, -ENOMEM, "parse arguments");
	while (i < argc) {
		bool literal = dashes || (p->mode == OPT_STOP && args.n);
		int used;

		if (!literal && strcmp(argv[i], "--") == 0) {
			dashes = true;
			args.rest = args.n;
			i++;
			continue;
		}
		if (!literal && is_option(argv[i])) {
			used = parse_option(p, argc - i, argv + i, e);
			if (used < 0)
				return used;
			i += used;
			continue;
		}
		if (p->mode == OPT_PREFIX)
			break;
		args.v[args.n++] = argv[i++];
	}
	if (!dashes)
		args.rest = args.n;
	*ret = args;
	return i;
}
