/* SPDX-License-Identifier: Apache-2.0 */
/* From a partition config to a plan: what start, plan, spec and set have in common. */
#ifndef CTR_RUNTIME_PREPARE_H
#define CTR_RUNTIME_PREPARE_H

#include "runtime/config/config.h"
#include "runtime/plan.h"
#include "runtime/storage/store.h"

struct prepared {
	json_t *doc; /* the config as JSON; owned */
	struct config config;
	struct config_facts facts;
	struct template_info template;
	struct spec spec;
	struct cg_resources resources;
	struct net_config net;
	struct plan plan;
};

void prepared_done(struct prepared *p);
#define own_prepared __attribute__((cleanup(prepared_done)))

/** prepare_decode() - @doc (its reference is taken over) to ->config; all issues in one error */
int prepare_decode(json_t *doc, const char *what, struct arena *arena, struct prepared *ret,
		   struct err *e);
/** prepare_facts() - what the host and the store add: template, id range, disk, nodes.
 * @id: a partition of the store; NULL for a config that belongs to none yet, whose id range is
 * then the first of all, as an example. */
int prepare_facts(int store, const char *id, struct arena *arena, struct prepared *p,
		  struct err *e);
/** prepare_plan() - spec, limits, network and plan. @store_path: for names in the plan. */
int prepare_plan(const char *store_path, const char *id, struct arena *arena, struct prepared *p,
		 struct err *e);
/** prepare_partition() - all of these for partition @id */
int prepare_partition(int store, const char *store_path, const char *id, struct arena *arena,
		      struct prepared *ret, struct err *e);

#endif
