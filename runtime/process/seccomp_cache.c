/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiled filters in RUN/.cache/seccomp, so that a start costs one small read.
 *
 * DOC: An entry is a header, the whole key, and the instructions. The key is everything that the
 * result depends on, and it is compared in full: the short hash only names the file. Entries are
 * trusted as far as the directory is, which must be ours alone. Everything else that may be wrong
 * with an entry (a crash while writing, a full disk, a bit that flipped) makes it worthless, not
 * dangerous: it is compiled again and replaced. A cache that cannot be written is no error.
 */
#include "runtime/process/seccomp.h"

#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "runtime/spec/spec.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <seccomp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

enum {
	ENTRIES_MAX = 64, /* of about 8 KiB; the oldest goes */
	ENTRY_BYTES_MAX = 1 << 20,
};

struct header {
	char magic[8];
	uint32_t key_bytes, insn_count, flags, zero;
	uint64_t insn_hash;
};
static const char magic[8] = "ctrbpf1";

/* FNV-1a */
static uint64_t hash(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return h;
}

/* The linker's build id tells two builds of one version apart. */
static int add_build_id(struct dl_phdr_info *info, size_t size, void *into)
{
	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const char *at = (const char *)info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
		const char *end = at + info->dlpi_phdr[i].p_memsz;

		if (info->dlpi_phdr[i].p_type != PT_NOTE)
			continue;
		while (at + sizeof(ElfW(Nhdr)) <= end) {
			ElfW(Nhdr) note;

			memcpy(&note, at, sizeof(note));
			at += sizeof(note) + ((note.n_namesz + 3U) & ~3U);
			if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4)
				for (unsigned int j = 0; j < note.n_descsz; j++)
					text_addf(into, "%02x", (unsigned char)at[j]);
			at += (note.n_descsz + 3U) & ~3U;
		}
	}
	return 1; /* the first object is the program itself */
}

/* With its length before it, no string can pass for the end of another. */
static void add_string(struct text *t, const char *s)
{
	text_addf(t, "%zd:%s,", s ? (ssize_t)strlen(s) : -1, s ? s : "");
}

static void add_strings(struct text *t, const struct strv *list)
{
	text_addf(t, "[%zu ", list->n);
	for (size_t i = 0; i < list->n; i++)
		add_string(t, list->v[i]);
}

static void add_number(struct text *t, const struct opt_u64 *number)
{
	if (number->set)
		text_addf(t, "%llu,", (unsigned long long)number->v);
	else
		text_add(t, "-,");
}

static void build_key(struct text *t, const struct spec_seccomp *spec)
{
	const struct scmp_version *library = seccomp_version();
	const struct spec_seccomp_rule *rules = spec->syscalls.v;
	struct utsname host;

	add_string(t, CTR_VERSION);
	(void)dl_iterate_phdr(add_build_id, t);
	text_addf(t, " libseccomp %u.%u.%u ", library->major, library->minor, library->micro);
	if (uname(&host) == 0) {
		add_string(t, host.release);
		add_string(t, host.version);
		add_string(t, host.machine);
	}
	add_string(t, spec->default_action);
	add_number(t, &spec->default_errno_ret);
	add_strings(t, &spec->architectures);
	add_strings(t, &spec->flags);
	for (size_t i = 0; i < spec->syscalls.n; i++) {
		const struct spec_seccomp_arg *args = rules[i].args.v;

		add_strings(t, &rules[i].names);
		add_string(t, rules[i].action);
		add_number(t, &rules[i].errno_ret);
		text_addf(t, "(%zu ", rules[i].args.n);
		for (size_t j = 0; j < rules[i].args.n; j++) {
			text_addf(t, "%u,%llu,%llu,", args[j].index,
				  (unsigned long long)args[j].value,
				  (unsigned long long)args[j].value_two);
			add_string(t, args[j].op);
		}
	}
}

/* Return: descriptor of the cache directory; -errno, -EPERM when others could write to it. */
static int open_cache(int run_dirfd)
{
	own_fd int fd = -EBADF;
	struct stat st;

	/* failing here shows in the open below */
	(void)mkdirat(run_dirfd, ".cache", 0700);
	(void)mkdirat(run_dirfd, ".cache/seccomp", 0700);
	fd = openat(run_dirfd, ".cache/seccomp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid() || (st.st_mode & 022))
		return -EPERM;
	return take_fd(&fd);
}

/* Return: was the entry whole and for exactly this key? */
static bool load_entry(int dir, const char *name, const struct text *key, struct arena *arena,
		       struct seccomp_filter *ret)
{
	own_free char *data = NULL;
	ssize_t len = file_load(dir, name, ENTRY_BYTES_MAX, &data);
	struct header header;
	size_t insn_bytes;
	const char *at;

	if (len < (ssize_t)sizeof(header))
		return false;
	memcpy(&header, data, sizeof(header));
	if (memcmp(header.magic, magic, sizeof(magic)) != 0 || header.key_bytes != key->len ||
	    header.insn_count == 0 || header.insn_count > BPF_MAXINSNS)
		return false;
	insn_bytes = header.insn_count * sizeof(struct sock_filter);
	if ((size_t)len != sizeof(header) + key->len + insn_bytes)
		return false;
	at = data + sizeof(header);
	if (memcmp(at, key->data, key->len) != 0)
		return false;
	at += key->len;
	if (hash(at, insn_bytes) != header.insn_hash)
		return false;

	ret->insns = arena_alloc(arena, insn_bytes);
	if (!ret->insns)
		return false;
	memcpy(ret->insns, at, insn_bytes);
	ret->count = (unsigned short)header.insn_count;
	ret->flags = header.flags;
	return true;
}

/* Keeps the directory small: profiles come and go with images. */
static void drop_oldest(int dir_fd)
{
	own_fd int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct timespec oldest = { .tv_sec = INT64_MAX };
	char victim[NAME_MAX + 1] = "";
	const struct dirent *entry;
	size_t count = 0;

	if (!dir)
		return;
	(void)take_fd(&fd); /* the directory stream has it now */
	while ((entry = readdir(dir))) {
		struct stat st;

		if (fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		count++;
		if (st.st_mtim.tv_sec > oldest.tv_sec ||
		    (st.st_mtim.tv_sec == oldest.tv_sec && st.st_mtim.tv_nsec >= oldest.tv_nsec))
			continue;
		oldest = st.st_mtim;
		memcpy(victim, entry->d_name, sizeof(victim));
	}
	if (count >= ENTRIES_MAX && *victim)
		(void)unlinkat(dir_fd, victim, 0); /* somebody else may have been faster */
}

static void store_entry(int dir, const char *name, const struct text *key,
			const struct seccomp_filter *filter)
{
	size_t insn_bytes = filter->count * sizeof(*filter->insns);
	struct header header = { .key_bytes = (uint32_t)key->len,
				 .insn_count = filter->count,
				 .flags = filter->flags,
				 .insn_hash = hash(filter->insns, insn_bytes) };
	own_text struct text entry = { 0 };

	memcpy(header.magic, magic, sizeof(magic));
	text_addn(&entry, (const char *)&header, sizeof(header));
	text_addn(&entry, key->data, key->len);
	text_addn(&entry, (const char *)filter->insns, insn_bytes);
	if (text_failed(&entry) || entry.len > ENTRY_BYTES_MAX)
		return;
	drop_oldest(dir);
	/* without it the next start compiles again */
	(void)file_replace(dir, name, entry.data, entry.len, 0600, FILE_NOSYNC);
}

int seccomp_compile_cached(int run_dirfd, const struct spec_seccomp *spec, struct arena *arena,
			   struct seccomp_filter *ret, struct err *e)
{
	own_fd int dir = open_cache(run_dirfd);
	own_text struct text key = { 0 };
	char name[24];
	int r;

	if (dir < 0)
		return seccomp_compile(spec, arena, ret, e);
	build_key(&key, spec);
	if (text_failed(&key))
		return err_set(e, -ENOMEM, "compile the seccomp profile");
	(void)snprintf(name, sizeof(name), "%016llx", (unsigned long long)hash(key.data, key.len));
	if (load_entry(dir, name, &key, arena, ret))
		return 0;
	r = seccomp_compile(spec, arena, ret, e);
	if (r == 0)
		store_entry(dir, name, &key, ret);
	return r;
}
