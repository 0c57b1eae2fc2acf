/* SPDX-License-Identifier: Apache-2.0 */
/* Text to a JSON document: bounded, without duplicate keys, with errors a person can act on. */
#include "base/file.h"
#include "base/json.h"
#include "base/own.h"
#include "base/text.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

static int syntax_error(const char *what, const json_error_t *cause, struct err *e)
{
	const char *text = cause->text;

	if (!*text) /* jansson says nothing when it has no memory to parse with */
		return err_set(e, -ENOMEM, "parse %s", what);
	switch (json_error_code(cause)) {
	case json_error_out_of_memory:
		return err_set(e, -ENOMEM, "parse %s", what);
	case json_error_stack_overflow:
		text = "nested too deeply";
		break;
	case json_error_premature_end_of_input:
		text = "the text ends in the middle of a value";
		break;
	case json_error_invalid_utf8:
		return err_say(e, -EINVAL, "%s: line %d, column %d: not UTF-8: %s", what,
			       cause->line, cause->column, text);
	default:
		break;
	}
	return err_say(e, -EINVAL, "%s: line %d, column %d: %s", what, cause->line, cause->column,
		       text);
}

static int not_text(const char *what, const char *text, const char *at, struct err *e)
{
	size_t line = 1;

	for (const char *p = text; p < at; p++)
		line += *p == '\n';
	return err_say(e, -EINVAL, "%s: line %zu: byte %zu is NUL: this is not a JSON text", what,
		       line, (size_t)(at - text) + 1);
}

/*
 * jansson keeps integers in 64 bits with a sign, but producers write RLIM_INFINITY as
 * 18446744073709551615. A copy of the text, with those that fit an uint64_t quoted.
 */
static void quote_big_integers(const char *text, size_t len, struct text *ret)
{
	bool in_string = false;

	for (size_t i = 0; i < len; i++) {
		size_t n = 0;
		char digits[24];
		uint64_t value;

		if (in_string || !isdigit((unsigned char)text[i])) {
			if (text[i] == '"')
				in_string = !in_string;
			text_addn(ret, text + i, 1);
			if (in_string && text[i] == '\\' && i + 1 < len)
				text_addn(ret, text + ++i, 1);
			continue;
		}
		while (i + n < len && strchr("0123456789.eE+-", text[i + n]))
			n++;
		if (n < sizeof(digits)) {
			memcpy(digits, text + i, n);
			digits[n] = '\0';
		}
		if (n < sizeof(digits) && text_u64(digits, &value) == 0 && value > INT64_MAX &&
		    (i == 0 || text[i - 1] != '-'))
			text_addf(ret, "\"%s\"", digits);
		else
			text_addn(ret, text + i, n);
		i += n - 1;
	}
}

int js_read_text(const char *text, size_t len, const char *what, json_t **ret, struct err *e)
{
	const char *nul = memchr(text, '\0', len);
	json_error_t cause;
	json_t *doc;

	if (nul)
		return not_text(what, text, nul, e);
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* RFC 8259 8.1: may be ignored */
		text += 3;
		len -= 3;
	}
	if (len == strspn(text, " \t\r\n"))
		return err_say(e, -EINVAL, "%s is empty", what);
	doc = json_loadb(text, len, JSON_REJECT_DUPLICATES, &cause);
	if (!doc && json_error_code(&cause) == json_error_numeric_overflow) {
		own_text struct text quoted = { 0 };

		quote_big_integers(text, len, &quoted);
		if (text_failed(&quoted))
			return err_set(e, -ENOMEM, "parse %s", what);
		doc = json_loadb(text_str(&quoted), quoted.len, JSON_REJECT_DUPLICATES, &cause);
	}
	if (!doc)
		return syntax_error(what, &cause, e);
	*ret = doc;
	return 0;
}

static int parse_loaded(const char *text, ssize_t n, size_t max, const char *what, json_t **ret,
			struct err *e)
{
	char limit[24];

	if (n == -EFBIG)
		return err_say(e, -EFBIG, "%s is larger than %s", what,
			       text_fmt_bytes(limit, sizeof(limit), max));
	if (n < 0)
		return err_set(e, (int)n, "read %s", what);
	return js_read_text(text, (size_t)n, what, ret, e);
}

int js_read_any(const char *path, size_t max, const char *what, json_t **ret, struct err *e)
{
	own_free char *text = NULL;
	ssize_t n = file_load_any(path, max, &text);

	return parse_loaded(text, n, max, what, ret, e);
}

int js_read_file(int dirfd, const char *path, size_t max, const char *what, json_t **ret,
		 struct err *e)
{
	own_free char *text = NULL;
	ssize_t n = file_load(dirfd, path, max, &text);

	return parse_loaded(text, n, max, what, ret, e);
}
