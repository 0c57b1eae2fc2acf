#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Calls that product code must not make: unbounded string functions, a shell, sleeping in place of
# waiting, and descriptors that are born without O_CLOEXEC.
#
# banned.sh [FILE...]: default all product code. "lint: REASON" in a comment on the line excuses it.
# banned.sh --self-test: proves that each rule finds what it is for.
set -u
cd "$(dirname "$0")/../.." || exit 1

# PATTERN<tab>WHY
rules=$(cat <<'END'
\b(system|popen|execlp|execvp|execvpe|wordexp)[[:space:]]*\(	no shell and no PATH lookup
\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca)[[:space:]]*\(	unbounded or not reentrant
\b(atoi|atol|atoll)[[:space:]]*\(	errors pass unseen: use text_u64() and its kin
\b(usleep|sleep|nanosleep|clock_nanosleep)[[:space:]]*\(	wait for an event, do not sleep
\b(mktemp|tmpnam|tempnam)[[:space:]]*\(	races with other users
\b(getpwnam|getpwuid|getgrnam|getaddrinfo|gethostbyname)[[:space:]]*\(	loads modules of the host or guest
\b(abort|exit)[[:space:]]*\(	a library returns; a child calls _exit()
END
)

# plain FILE: its lines with comments and the text of strings gone, but "lint:" marks kept.
plain() {
	awk '
		{
			if (!comment && !/["\/]/) {
				print
				next
			}
			mark = /lint:/ ? " lint:" : ""
			out = ""
			line = $0
			while (length(line)) {
				if (comment) {
					at = index(line, "*/")
					if (!at) { line = ""; break }
					line = substr(line, at + 2)
					comment = 0
				} else if (match(line, /^"([^"\\]|\\.)*"/)) {
					out = out (RLENGTH == 3 ? substr(line, 1, 3) : substr(line, 1, RLENGTH) ~ /e"$/ && RLENGTH <= 6 ? "\"e\"" : "\"\"")
					line = substr(line, RLENGTH + 1)
				} else if (substr(line, 1, 2) == "/*") {
					comment = 1
					line = substr(line, 3)
				} else if (substr(line, 1, 2) == "//") {
					line = ""
				} else {
					out = out substr(line, 1, 1)
					line = substr(line, 2)
				}
			}
			print out mark
		}' "$1"
}

# A call and its arguments may span lines, so calls that need a flag are joined up to their semicolon.
# Flags in a variable named so are for the reviewer.
cloexec() {
	awk -v file="$1" '
		!held && /(^|[^a-z0-9_>.])(open|openat|socket|socketpair|pipe2|accept4|epoll_create1|eventfd|signalfd|timerfd_create|inotify_init1|memfd_create|dup3)\(/ {
			held = $0
			at = FNR
		}
		held && FNR > at { held = held " " $0 }
		held && /;|\{[[:space:]]*$/ {
			if (held !~ /CLOEXEC|lint:|flags/)
				print file ":" at ": a descriptor without CLOEXEC: " held
			held = ""
		}
		/(^|[^a-z0-9_>.])(pipe|dup|accept|creat|epoll_create|inotify_init)\(/ && !/lint:/ {
			print file ":" FNR ": a descriptor without CLOEXEC: " $0
		}
		/(^|[^a-z0-9_])fopen\(/ && !/"e"|lint:/ {
			print file ":" FNR ": fopen without \"e\": " $0
		}
	'
}

check() {
	local pattern why found=0 out file text

	for file; do
		text=$(plain "$file")
		out=$(
			while IFS=$'\t' read -r pattern why; do
				# The command itself ends by exit(); everything below it returns.
				[[ $pattern = *exit* && $file = cli/main.c ]] && continue
				grep -nE -- "$pattern" <<<"$text" | grep -v 'lint:' | sed "s|^|$file:|; s|\$|  <- $why|"
			done <<<"$rules"
			cloexec "$file" <<<"$text"
		)
		if [ -n "$out" ]; then
			printf '%s\n' "$out"
			found=1
		fi
	done
	return $found
}

if [ "${1:-}" = --self-test ]; then
	dir=$(mktemp -d) || exit 1
	trap 'rm -rf "$dir"' EXIT
	n=0
	while IFS= read -r line; do
		n=$((n + 1))
		printf '%s\n' "$line" >"$dir/$n.c"
		if check "$dir/$n.c" >/dev/null; then
			echo "self-test: not found: $line"
			exit 1
		fi
	done <<'END'
	r = system("ls");
	f = popen(cmd, "r");
	strcpy(a, b);
	sprintf(buf, "%d", x);
	usleep(1000);
	sleep(1);
	n = atoi(s);
	fd = open(path, O_RDONLY);
	fd = openat(dir, path, O_RDONLY | O_NOFOLLOW);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	r = pipe(fds);
	fd = dup(0);
	f = fopen(path, "r");
	exit(1);
END
	cat >"$dir/good.c" <<'END'
	/* never system() here */
	/* many lines: open() of
	 * a comment, and dup(0); */
	fd = open(path, O_RDONLY | O_CLOEXEC);
	fd = openat(dir, path,
		    O_RDONLY | O_CLOEXEC);
	r = err_set(e, -errno, "open '%s'", path);
	_exit(1);
	reopen(fd);
END
	check "$dir/good.c" || { echo 'self-test: good code was refused'; exit 1; }
	exit 0
fi
if [ $# -eq 0 ]; then
	mapfile -t files < <(git ls-files --cached --others --exclude-standard -- 'base/*.[ch]' 'cgroups/*.[ch]' 'namespaces/*.[ch]' 'netsetup/*.[ch]' 'runtime/*.[ch]' 'cli/*.[ch]')
	set -- "${files[@]}"
fi
check "$@"
