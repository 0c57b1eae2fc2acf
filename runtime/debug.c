/* SPDX-License-Identifier: Apache-2.0 */
/* Records of --debug. */
#include "runtime/debug.h"

#include "runtime/container.h"

#include <stdarg.h>
#include <stdio.h>

enum { WHAT_MAX = 256 };

void debug_say(const struct ctr_env *env, const char *fmt, ...)
{
	char what[WHAT_MAX];
	va_list ap;

	if (!env || !env->debug)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap); /* a record that is cut still says enough */
	va_end(ap);
	env->debug(env->warn_arg, what);
}
