#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq unshare
# about: id-mapped binds: by mappings, by option, by the container's user namespace, recursive or not
# vm: no
. "$SOURCE/tests/support/lib.sh"

if [ -z "${OWN_MOUNTS:-}" ]; then
	OWN_MOUNTS=1 exec unshare -m --propagation private bash "$0"
fi
a=$P-a dir=$T/b
src=$T/src
mkdir -p "$src/sub"
mount -t tmpfs sub "$src/sub" # tmpfs can be mapped since 6.3
touch "$src/"{one,two} "$src/sub/"{one,two}
chown 100:211 "$src/one" "$src/sub/one"
chown 101:222 "$src/two" "$src/sub/two"
map='uidMappings: [{ containerID: 100, hostID: 101000, size: 3 }], gidMappings: [{ containerID: 210, hostID: 101100, size: 10 }, { containerID: 220, hostID: 102200, size: 10 }]'
user='.linux.namespaces += [{ type: "user" }]
	| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'
nobody=$(cat /proc/sys/kernel/overflowuid)

# ids MOUNT [FILTER]: owners of both files, and of those in the mount below if it comes along
ids() {
	local below=''
	[[ $1 != *rbind* ]] || below='/mnt/sub/one /mnt/sub/two'
	bundle "$dir" "${2:-.} | .mounts += [{ destination: \"/mnt\", source: \"$src\", $1 }] | .process.args = [\"sh\", \"-c\", \"stat -c %u:%g /mnt/one /mnt/two $below\"]"
	ctr run --bundle "$dir" "$a" </dev/null | xargs
}
bad() {
	bundle "$dir" "${3:-.} | .mounts += [{ destination: \"/mnt\", source: \"$src\", $2 }]"
	refused "$1" ctr run --bundle "$dir" "$a"
}

step 'mappings alone are enough'
eq "$(ids "options: [\"bind\"], $map")" '101000:101101 101001:102202' 'no user namespace'
eq "$(ids "options: [\"bind\"], $map" "$user")" '1000:1101 1001:2202' 'user namespace'
step 'one mount, or the tree'
eq "$(ids "options: [\"rbind\", \"idmap\"], $map")" '101000:101101 101001:102202 100:211 101:222' 'idmap'
eq "$(ids "options: [\"rbind\", \"ridmap\"], $map")" '101000:101101 101001:102202 101000:101101 101001:102202' 'ridmap'
eq "$(ids "options: [\"rbind\", \"ridmap\"], $map" "$user")" '1000:1101 1001:2202 1000:1101 1001:2202' 'ridmap in a user namespace'
step "the container's user namespace"
eq "$(ids 'options: ["rbind", "idmap"]' "$user")" "100:211 101:222 $nobody:$nobody $nobody:$nobody" 'idmap'
eq "$(ids 'options: ["rbind", "ridmap"]' "$user")" '100:211 101:222 100:211 101:222' 'ridmap'
eq "$(ids 'options: ["rbind", "ridmap", "ro", "nosuid"]' "$user")" '100:211 101:222 100:211 101:222' 'with flags'
step 'a mapping in the option'
eq "$(ids 'options: ["bind", "idmap=uids=100-5-1#101-9-1;gids=211-6-1#222-7-1"]')" '5:6 9:7' 'no user namespace'
eq "$(ids 'options: ["bind", "idmap=uids=@100-5-2;gids=@211-6-20"]' "$user")" '5:6 6:17' 'relative to the user namespace'
step 'a joined user namespace'
bundle "$dir" "$user"
ctr run -d --bundle "$dir" "$P-other" </dev/null >"$T/other" 2>&1
pid=$(init_pid "$P-other")
cp -a "$dir" "$T/joined"
join=".linux.namespaces += [{ type: \"user\", path: \"/proc/$pid/ns/user\" }]"
eq "$(ids 'options: ["bind", "idmap"]' "$join")" '100:211 101:222' 'idmap'
gone "$P-other"
step 'propagation and a source inside of the root'
eq "$(ids "options: [\"bind\", \"shared\"], $map")" '101000:101101 101001:102202' 'shared'
mkdir -p "$dir/rootfs/in"
touch "$dir/rootfs/in/one" "$dir/rootfs/in/two"
saved=$src src=$dir/rootfs/in
eq "$(ids 'options: ["bind"], uidMappings: [{ containerID: 0, hostID: 7, size: 1 }], gidMappings: [{ containerID: 0, hostID: 8, size: 1 }]')" '7:8 7:8' 'inside'
chown 5:6 "$dir/rootfs/in/one"
chown -R 100000:100000 "$dir/rootfs/in/two"
eq "$(ids 'options: ["bind", "idmap"]' "$user")" "5:6 $nobody:$nobody" 'inside, in a user namespace'
eq "$(ids 'options: ["bind"], uidMappings: [{ containerID: 5, hostID: 100007, size: 1 }], gidMappings: [{ containerID: 6, hostID: 100008, size: 1 }]' "$user")" "7:8 $nobody:$nobody" 'inside, by mappings of its own'
src=$saved

step 'more of them than the program may have files'
mkdir -p "$dir/rootfs/mnt/"{1..20}
many=$(seq 1 20 | sed "s|.*|{ destination: \"/mnt/&\", source: \"$src\", options: [\"bind\"], $map }|" | paste -sd,)
bundle "$dir" "$user | .mounts += [$many] | .process.rlimits = [{ type: \"RLIMIT_NOFILE\", soft: 20, hard: 20 }]
	| .process.args = [\"sh\", \"-c\", \"stat -c %u /mnt/20/one; ulimit -n\"]"
eq "$(ctr run --bundle "$dir" "$a" </dev/null | xargs)" '1000 20' 'limit of open files'

step 'what cannot be is said by name'
bad "mounts\[4\].options: idmap needs mappings or a user namespace" 'options: ["bind", "idmap"]'
bad 'mounts\[4\].gidMappings: is missing' 'options: ["bind"], uidMappings: [{ containerID: 0, hostID: 1, size: 1 }]'
bad 'mounts\[4\]: id mappings need a bind' "type: \"tmpfs\", $map"
bad "is no id mapping" 'options: ["bind", "idmap=uids=1"]'
src=/proc
bad "mount '/mnt': id-map mount" "options: [\"bind\"], $map"
src=$saved

step 'and no process stays'
eq "$(lsns -t user -o NPROCS -n 2>/dev/null | sort -u | grep -c '^ *0$' || :)" 0 'user namespaces without a process'
