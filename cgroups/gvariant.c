/* SPDX-License-Identifier: Apache-2.0 */
/* GVariant text to D-Bus values. */
#include "cgroups/gvariant.h"

#include "base/own.h"
#include "base/table.h"
#include "cgroups/dbus.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

enum { DEPTH_MAX = 16, SIGNATURE_MAX = 255 };

/* Words that may stand before a literal to give it a type. */
static const struct name type_words[] = {
	{ "boolean", 'b' },   { "byte", 'y' },	 { "int16", 'n' },  { "uint16", 'q' },
	{ "int32", 'i' },     { "uint32", 'u' }, { "int64", 'x' },  { "uint64", 't' },
	{ "handle", 'h' },    { "double", 'd' }, { "string", 's' }, { "objectpath", 'o' },
	{ "signature", 'g' }, { NULL, 0 },
};

/* What a whole number of each type may be. */
static const struct {
	char type;
	int64_t min;
	uint64_t max;
} ranges[] = {
	{ 'y', 0, UINT8_MAX },	       { 'n', INT16_MIN, INT16_MAX }, { 'q', 0, UINT16_MAX },
	{ 'i', INT32_MIN, INT32_MAX }, { 'h', INT32_MIN, INT32_MAX }, { 'u', 0, UINT32_MAX },
	{ 'x', INT64_MIN, INT64_MAX }, { 't', 0, UINT64_MAX },
};

struct parser {
	const char *text, *p;
	struct arena *arena;
	struct err *e;
	int depth;
};

static int fail(const struct parser *g, const char *what)
{
	return err_say(g->e, -EINVAL, "'%s': %s at character %zu", g->text, what,
		       (size_t)(g->p - g->text) + 1);
}

static void skip_spaces(struct parser *g)
{
	g->p += strspn(g->p, " \t\r\n");
}

/* The length of the one complete type that @sig begins with; 0 when there is none. */
static size_t type_length(const char *sig, int depth)
{
	size_t n = 1;

	if (depth > DEPTH_MAX)
		return 0;
	if (*sig && strchr("ybnqiuxtdhsogv", *sig))
		return 1;
	if (*sig == 'a') {
		size_t of = type_length(sig + 1, depth + 1);

		return of ? 1 + of : 0;
	}
	if (*sig != '(')
		return 0;
	while (sig[n] && sig[n] != ')') {
		size_t of = type_length(sig + n, depth + 1);

		if (!of)
			return 0;
		n += of;
	}
	return sig[n] == ')' && n > 1 ? n + 1 : 0;
}

static int parse_value(struct parser *g, const char *want, struct gvariant *ret);

static int parse_escape(struct parser *g, struct text *t)
{
	static const char from[] = "abfnrtv", to[] = "\a\b\f\n\r\t\v";
	const char *at = *g->p ? strchr(from, *g->p) : NULL;

	if (!*g->p || *g->p == 'u' || *g->p == 'U')
		return fail(g, "an escape that is not supported");
	text_addn(t, at ? &to[at - from] : g->p, 1);
	g->p++;
	return 0;
}

static int parse_string(struct parser *g, struct gvariant *ret)
{
	own_text struct text t = { 0 };
	char quote = *g->p++;

	text_addn(&t, "", 0);
	while (*g->p != quote) {
		if (!*g->p)
			return fail(g, "a string without its end");
		if (*g->p == '\\') {
			int r;

			g->p++;
			r = parse_escape(g, &t);
			if (r < 0)
				return r;
			continue;
		}
		text_addn(&t, g->p++, 1);
	}
	g->p++;
	ret->text = text_failed(&t) ? NULL : arena_strdup(g->arena, text_str(&t));
	return ret->text ? 0 : -ENOMEM;
}

static int parse_whole(struct parser *g, const char *word, char type, struct gvariant *ret)
{
	bool negative = *word == '-';
	uint64_t v;
	char *end;

	word += *word == '-' || *word == '+';
	if (!isdigit((unsigned char)*word))
		return fail(g, "not a value");
	errno = 0;
	v = strtoull(word, &end, 0);
	if (*end || errno)
		return fail(g, "not a number");
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		if (ranges[i].type != type)
			continue;
		if (negative ? v > (uint64_t)0 - (uint64_t)ranges[i].min : v > ranges[i].max)
			return fail(g, "a number out of its type's range");
		ret->number = negative ? (uint64_t)0 - v : v;
		return 0;
	}
	return fail(g, "a number where none belongs");
}

static int parse_real(struct parser *g, const char *word, struct gvariant *ret)
{
	char *end;

	ret->real = strtod(word, &end);
	if (end == word || *end || !isfinite(ret->real))
		return fail(g, "not a number");
	return 0;
}

/* true, false, 15, -0x1f, 1.5e3. @want: a type of one letter, or NULL for what it looks like. */
static int parse_word(struct parser *g, const char *want, struct gvariant *ret)
{
	size_t len = strcspn(g->p, " \t\r\n,])");
	const char *word = arena_strndup(g->arena, g->p, len);
	bool hexadecimal, flag;
	int r;

	if (!word)
		return -ENOMEM;
	flag = strcmp(word, "true") == 0 || strcmp(word, "false") == 0;
	hexadecimal = strpbrk(word, "xX") != NULL;
	if (!want)
		want = flag ? "b" : !hexadecimal && strpbrk(word, ".eE") ? "d" : "i";
	if ((*want == 'b') != flag)
		return fail(g, "not a value of the type");
	if (flag) {
		ret->number = *word == 't';
		r = 0;
	} else {
		r = *want == 'd' ? parse_real(g, word, ret) : parse_whole(g, word, *want, ret);
	}
	if (r < 0)
		return r;
	ret->sig = want;
	g->p += len;
	return 0;
}

/* Up to @close: elements of one type, which the first decides, or of the types in @want. */
static int parse_items(struct parser *g, char close, const char *want, struct gvariant *ret)
{
	bool tuple = close == ')';
	const char *type = want;
	int r;

	for (g->p++, skip_spaces(g); *g->p != close;) {
		size_t len = type ? type_length(type, 0) : 0;
		const char *one = len ? arena_strndup(g->arena, type, len) : NULL;
		struct gvariant *item =
			arena_grow(g->arena, &ret->items, &ret->count, sizeof(*item));

		if (!item || (len && !one))
			return -ENOMEM;
		if (type && !len)
			return fail(g, "one value too many");
		r = parse_value(g, one, item);
		if (r < 0)
			return r;
		if (tuple && type)
			type += len;
		if (!tuple)
			type = ret->items[0].sig;
		skip_spaces(g);
		if (*g->p == ',')
			g->p++;
		else if (*g->p != close)
			return fail(g, "a ',' is missing");
		skip_spaces(g);
	}
	g->p++;
	return tuple && type && *type != ')' ? fail(g, "a value is missing") : 0;
}

static int parse_container(struct parser *g, const char *want, struct gvariant *ret)
{
	own_text struct text sig = { 0 };
	bool tuple = *g->p == '(';
	int r;

	if (want && *want != (tuple ? '(' : 'a'))
		return fail(g, "not a value of the type");
	if (++g->depth > DEPTH_MAX)
		return fail(g, "nested too deep");
	r = parse_items(g, tuple ? ')' : ']', want ? want + 1 : NULL, ret);
	g->depth--;
	if (r < 0)
		return r;
	if (!want && !ret->count)
		return fail(g, "an empty one needs its type before it, as '@as []'");
	text_add(&sig, tuple ? "(" : "a");
	for (size_t i = 0; i < (tuple || !ret->count ? ret->count : 1); i++)
		text_add(&sig, ret->items[i].sig);
	if (tuple)
		text_add(&sig, ")");
	ret->sig = want ? want : text_failed(&sig) ? NULL : arena_strdup(g->arena, sig.data);
	if (!ret->sig)
		return -ENOMEM;
	return strlen(ret->sig) > SIGNATURE_MAX ? fail(g, "too complex") : 0;
}

/* "uint64 5", "@as []": the type, then the value. */
static int parse_typed(struct parser *g, const char *want, struct gvariant *ret)
{
	size_t len = strcspn(g->p + 1, " \t\r\n") + 1;
	const char *word = arena_strndup(g->arena, g->p, len), *type;
	uint64_t letter;

	if (!word)
		return -ENOMEM;
	if (*word == '@') {
		type = word + 1;
		if (strlen(type) > SIGNATURE_MAX || type_length(type, 0) != strlen(type))
			return fail(g, "not a type");
	} else {
		if (name_value(type_words, word, &letter) < 0)
			return fail(g, "not a value");
		type = arena_printf(g->arena, "%c", (char)letter);
		if (!type)
			return -ENOMEM;
	}
	if (want && strcmp(want, type) != 0)
		return fail(g, "not a value of the type");
	g->p += len;
	skip_spaces(g);
	return parse_value(g, type, ret);
}

static int parse_value(struct parser *g, const char *want, struct gvariant *ret)
{
	skip_spaces(g);
	if (want && *want == 'v')
		return fail(g, "a variant, which is not supported");
	if (*g->p == '\'' || *g->p == '"') {
		if (want && !strchr("sog", *want))
			return fail(g, "not a value of the type");
		ret->sig = want ? want : "s";
		return parse_string(g, ret);
	}
	if (*g->p == '[' || *g->p == '(')
		return parse_container(g, want, ret);
	if (*g->p == '@' || (isalpha((unsigned char)*g->p) && g->p[strcspn(g->p, " ,])")] == ' ' &&
			     strncmp(g->p, "true", 4) != 0 && strncmp(g->p, "false", 5) != 0)) {
		int r;

		if (++g->depth > DEPTH_MAX)
			return fail(g, "nested too deep");
		r = parse_typed(g, want, ret);
		g->depth--;
		return r;
	}
	if (want && (strlen(want) != 1 || strchr("sog", *want)))
		return fail(g, "not a value of the type");
	return parse_word(g, want, ret);
}

int gvariant_parse(const char *text, struct arena *arena, struct gvariant *ret, struct err *e)
{
	struct parser g = { .text = text, .p = text, .arena = arena, .e = e };
	struct gvariant v = { 0 };
	int r = parse_value(&g, NULL, &v);

	if (r < 0)
		return r;
	skip_spaces(&g);
	if (*g.p)
		return fail(&g, "more than one value");
	*ret = v;
	return 0;
}

static void add_number(struct text *t, char type, uint64_t v)
{
	const uint8_t one = (uint8_t)v;
	const uint16_t two = (uint16_t)v;

	switch (dbus_alignment(type)) {
	case 1:
		text_addn(t, (const char *)&one, 1);
		break;
	case 2:
		dbus_align(t, 2);
		text_addn(t, (const char *)&two, 2);
		break;
	case 4:
		dbus_add_u32(t, (uint32_t)v);
		break;
	default:
		dbus_add_u64(t, v);
	}
}

void gvariant_add(struct text *t, const struct gvariant *v)
{
	struct dbus_array array;
	uint64_t bits;

	switch (*v->sig) {
	case 's':
	case 'o':
		dbus_add_str(t, v->text);
		break;
	case 'g':
		dbus_add_sig(t, v->text);
		break;
	case 'd':
		memcpy(&bits, &v->real, sizeof(bits));
		dbus_add_u64(t, bits);
		break;
	case '(':
		dbus_align(t, 8);
		for (size_t i = 0; i < v->count; i++)
			gvariant_add(t, &v->items[i]);
		break;
	case 'a':
		array = dbus_array_begin(t, dbus_alignment(v->sig[1]));
		for (size_t i = 0; i < v->count; i++)
			gvariant_add(t, &v->items[i]);
		dbus_array_end(t, array);
		break;
	default:
		add_number(t, *v->sig, v->number);
	}
}

int gvariant_to_usec(struct gvariant *v)
{
	enum { USEC_PER_SEC = 1000000 };

	if (strlen(v->sig) != 1 || !strchr("ynqiuxtd", *v->sig))
		return -EINVAL;
	if (*v->sig == 'd') {
		if (!(v->real >= 0 && v->real < (double)(UINT64_MAX / USEC_PER_SEC)))
			return -ERANGE;
		v->number = (uint64_t)(v->real * USEC_PER_SEC);
	} else {
		if (v->number > UINT64_MAX / USEC_PER_SEC) /* a negative one too */
			return -ERANGE;
		v->number *= USEC_PER_SEC;
	}
	v->sig = "t";
	return 0;
}
