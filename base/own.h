/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ownership by scope: a variable declared own_x is released when it goes out of scope, and
 * take_x() hands its value over instead. This is the one cleanup idiom; there is no goto.
 * Every release accepts the empty value and keeps errno. A closed descriptor is -EBADF.
 */
#ifndef CTR_BASE_OWN_H
#define CTR_BASE_OWN_H

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void own_free_done(void *p)
{
	int saved = errno;

	free(*(void **)p);
	errno = saved;
}

static inline void own_fd_done(const int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd); /* nothing can be done about a failing close */
	errno = saved;
}

static inline void own_dir_done(DIR **dir)
{
	int saved = errno;

	if (*dir)
		(void)closedir(*dir);
	errno = saved;
}

static inline void own_file_done(FILE **file)
{
	int saved = errno;

	if (*file)
		(void)fclose(*file);
	errno = saved;
}

static inline void own_json_done(json_t **json)
{
	int saved = errno;

	json_decref(*json);
	errno = saved;
}

#define own_free __attribute__((cleanup(own_free_done)))
#define own_fd	 __attribute__((cleanup(own_fd_done)))
#define own_dir	 __attribute__((cleanup(own_dir_done)))
#define own_file __attribute__((cleanup(own_file_done)))
#define own_json __attribute__((cleanup(own_json_done)))

/** take_fd() - hand a descriptor over: returns *fd and leaves -EBADF behind */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -EBADF;
	return taken;
}

/** close_fd() - close now what an own_fd variable holds, and leave it empty */
static inline void close_fd(int *fd)
{
	own_fd_done(fd);
	*fd = -EBADF;
}

/** take_ptr() - hand a pointer over: its value, with NULL left behind */
#define take_ptr(p)                           \
	({                                    \
		__typeof__(p) *from_ = &(p);  \
		__typeof__(p) took_ = *from_; \
		*from_ = NULL;                \
		took_;                        \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
