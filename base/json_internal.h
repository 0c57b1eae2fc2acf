/* SPDX-License-Identifier: Apache-2.0 */
/* What the decoder, the encoder and the schema of base/json.h share. */
#ifndef CTR_BASE_JSON_INTERNAL_H
#define CTR_BASE_JSON_INTERNAL_H

#include "base/json.h"

/** js_default() - fill the value at @into from the row's default text, if it has one */
void js_default(struct js_issues *issues, const struct js_field *field, void *into);

/** js_max() - the largest number that the row allows */
uint64_t js_max(const struct js_field *field);

#endif
