/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A walk over a subtree of groups that its guests may have made, of any depth and width.
 */
#include "cgroups/cg_internal.h"

#include "base/own.h"

#include <fcntl.h>
#include <string.h>

/* Names of groups that are still to be visited: a group lies above its parent. */
struct walk_entry {
	struct walk_entry *below;
	bool entered;
	char name[];
};

static void pop(struct walk_entry **stack)
{
	struct walk_entry *top = *stack;

	*stack = top->below;
	free(top);
}

static void walk_done(struct walk_entry **stack)
{
	while (*stack)
		pop(stack);
}

static int push_children(int dirfd, struct walk_entry **stack)
{
	own_dir DIR *dir = tree_opendir(dirfd);
	const char *name;

	if (!dir)
		return -errno;
	while ((name = tree_next_child(dir))) {
		struct walk_entry *entry = calloc(1, sizeof(*entry) + strlen(name) + 1);

		if (!entry)
			return -ENOMEM;
		memcpy(entry->name, name, strlen(name) + 1);
		entry->below = *stack;
		*stack = entry;
	}
	return -errno;
}

/*
 * Neither a recursion nor a descriptor per level nor a path that grows: a guest chooses the depth.
 * The way up is "..", which cgroup file systems keep true, for nobody can move a directory there.
 */
int walk(int rootfd, const struct walk_ops *ops, void *arg)
{
	__attribute__((cleanup(walk_done))) struct walk_entry *stack = NULL;
	own_fd int here = openat(rootfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (here < 0)
		return -errno;
	r = ops->enter ? ops->enter(here, arg) : 0;
	if (r == 0)
		r = push_children(here, &stack);
	while (r == 0 && stack) {
		bool down = !stack->entered;
		own_fd int next = openat(here, down ? stack->name : "..",
					 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (next < 0 && down && errno == ENOENT) {
			pop(&stack); /* its guest or another command was faster */
			continue;
		}
		if (next < 0)
			return -errno;
		close_fd(&here);
		here = take_fd(&next);
		if (down) {
			stack->entered = true;
			r = ops->enter ? ops->enter(here, arg) : 0;
			if (r == 0)
				r = push_children(here, &stack);
		} else {
			r = ops->leave ? ops->leave(here, stack->name, arg) : 0;
			pop(&stack);
		}
		if (r == -ENODEV) /* removed since we opened it: it has no children any more */
			r = 0;
	}
	return r;
}
