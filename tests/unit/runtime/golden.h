/* SPDX-License-Identifier: Apache-2.0 */
/* A document against its golden file; CTR_TEST_UPDATE=1 writes the file instead. */
#ifndef CTR_TESTS_UNIT_RUNTIME_GOLDEN_H
#define CTR_TESTS_UNIT_RUNTIME_GOLDEN_H

#include "base/file.h"
#include "base/own.h"

#include <check.h>
#include <fcntl.h>
#include <string.h>

static inline void expect_golden(const char *name, const json_t *doc)
{
	own_free char *text = json_dumps(doc, JSON_INDENT(2) | JSON_SORT_KEYS), *want = NULL;
	char path[512];

	ck_assert_ptr_nonnull(text);
	(void)snprintf(path, sizeof(path), "%s/golden/%s", TEST_DATA, name);
	if (getenv("CTR_TEST_UPDATE")) {
		ck_assert_int_eq(
			file_replace(AT_FDCWD, path, text, strlen(text), 0644, FILE_NOSYNC), 0);
		return;
	}
	ck_assert_msg(file_load(AT_FDCWD, path, 1 << 20, &want) >= 0, "read %s", path);
	ck_assert_msg(strcmp(want, text) == 0,
		      "%s differs. If the change is meant, write it with CTR_TEST_UPDATE=1, and "
		      "read the difference. Now it begins:\n%.1500s",
		      path, text);
}

/* What depends on the host: which hierarchy has which knob, which capabilities a kernel knows. */
static inline void drop_host_facts(json_t *plan)
{
	ck_assert_int_eq(json_object_del(json_object_get(plan, "cgroup"), "writes"), 0);
	ck_assert_int_eq(json_object_del(json_object_get(plan, "process"), "bounding"), 0);
	ck_assert_int_eq(json_object_del(json_object_get(plan, "process"), "effective"), 0);
}

#endif
