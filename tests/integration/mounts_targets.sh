#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq unshare
# about: where mounts go and what they carry: links, order, files, tmpcopyup, devices
# vm: no
. "$SOURCE/tests/support/lib.sh"

if [ -z "${OWN_MOUNTS:-}" ]; then
	OWN_MOUNTS=1 exec unshare -m --propagation private bash "$0"
fi
a=$P-a dir=$T/b
run() {
	local filter=$1
	shift
	bundle "$dir" "$filter"
	jq --arg line "$*" '.process.args = ["sh", "-c", $line]' "$dir/config.json" >"$T/config" && mv "$T/config" "$dir/config.json"
	ctr run --bundle "$dir" "$a" </dev/null
}
user='.linux.namespaces += [{ type: "user" }]
	| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'
bind() { echo ".mounts += [{ destination: \"$1\", source: \"$2\", options: [\"${3:-bind}\"] }]"; }
bundle "$dir"
root=$dir/rootfs
echo from-host >"$T/file"
mkdir "$T/dir" && echo in-dir >"$T/dir/x"

step 'files and directories, made where they are missing'
eq "$(run "$(bind /new/deep/file "$T/file") | $(bind rel/dir "$T/dir")" 'cat /new/deep/file /rel/dir/x')" $'from-host\nin-dir' 'targets'
[ -f "$root/new/deep/file" ] && [ -d "$root/rel/dir" ] || fail 'targets'
bundle "$dir" "$(bind /etc "$T/file")"
refused "mount '/etc': the target is a directory, its source is not" ctr run --bundle "$dir" "$a"
bundle "$dir" "$(bind /x "$T/none")"
refused "mount '/x': open mount source .*No such file" ctr run --bundle "$dir" "$a"
echo beside >"$dir/beside"
eq "$(run "$(bind /x beside)" 'cat /x')" beside 'a source in the bundle'

step 'links are followed beneath the root, also into nothing'
mkdir -p "$root/real"
ln -s /real "$root/abs"
ln -s ../../../../real "$root/up"
ln -s /tmp/foo/bar "$root/jump"
ln -s /jump/baz/hosts "$root/etc/hosts-link"
ln -s one "$root/loop" && ln -s loop "$root/one"
eq "$(run "$(bind /abs/a "$T/file") | $(bind /up/b "$T/file") | $(bind /etc/hosts-link "$T/file")" 'cat /real/a /real/b /tmp/foo/bar/baz/hosts | sort -u')" from-host 'links'
[ ! -e /tmp/foo/bar/baz ] || fail 'made on the host'
bundle "$dir" "$(bind /loop "$T/file")"
refused "mount '/loop': .*(symbolic links)" ctr run --bundle "$dir" "$a"
eq "$(run '.mounts += [{ type: "tmpfs", source: "t", destination: "/abs/stack", options: ["ro"] }]' 'grep -c " /real/stack tmpfs ro" /proc/self/mounts')" 1 'tmpfs'

step 'in the order of the config; a source in the root is what lies there by then'
for sub in a/x b/y c/z; do
	mkdir -p "$T/tree/$sub" && echo $sub >"$T/tree/$sub/file"
	ln -s "${sub%/*}" "$T/tree/sym-${sub%/*}"
done
chmod o-rwx "$T/tree"
mkdir -p "$root/mnt" "$root/final"
order="$(bind /mnt "$T/tree/a") | $(bind /mnt/x "$T/tree/sym-b") | $(bind /mnt/x/y "$T/tree/c") | $(bind /mnt/x/y/z "$T/tree/sym-a")
	| $(bind "$root/mnt/x/y/z/x" "$root/mnt/x" rbind) | $(bind "$root/mnt/x/y/z" "$root/mnt/x/y" rbind) | $(bind "$root/final" "$root/mnt" rbind)"
mkdir -p "$T/tree/b/y" "$T/tree/c/z" "$T/tree/a/x"
eq "$(run "$order" 'cat /final/x/y/z/z/x/y/z/x/file')" a/x 'order'
chown 100000:100000 "$root" "$root/mnt" "$root/final"
eq "$(run "$order | $user" 'ls -d /final/x/y/z/z/x/y/z/x')" /final/x/y/z/z/x/y/z/x 'order in a user namespace'
chown 0:0 "$root" "$root/mnt" "$root/final"

step 'links themselves'
ln -s from-host "$T/dir/link"
eq "$(run "$(bind /copied "$T/dir/link" 'bind", "copy-symlink')" 'readlink /copied')" from-host 'copy-symlink'
ln -s /tmp "$root/kept"
eq "$(run "$(bind /kept "$T/dir/link" 'bind", "src-nofollow", "dest-nofollow')" 'readlink /kept')" from-host 'nofollow'
eq "$(readlink "$root/kept")" /tmp 'the link below'

step 'tmpcopyup'
mkdir -p "$root/up1/sub"
echo data >"$root/up1/file"
ln "$root/up1/file" "$root/up1/sub/other"
ln -s file "$root/up1/link"
mkfifo "$root/up1/fifo"
chmod 0777 "$root/up1/sub"
chmod 1711 "$root/up1"
chown -h 5:6 "$root/up1/file" "$root/up1/link"
chmod 4751 "$root/up1/file"
touch -d @1000000 "$root/up1/file"
up='.mounts += [{ destination: "/up1", type: "tmpfs", source: "t", options: ["tmpcopyup"] }]'
look="cd /up1 && stat -c '%n %F %a %u %g %h' . file sub sub/other link fifo; stat -c %Y file; readlink link; cat sub/other; echo x >file; cat sub/other"
eq "$(run "$up" "$look")" '. directory 1711 0 0 3
file regular file 4751 5 6 2
sub directory 777 0 0 2
sub/other regular file 4751 5 6 2
link symbolic link 777 5 6 1
fifo fifo 644 0 0 1
1000000
file
data
x' 'copy'
eq "$(cat "$root/up1/file")" data 'the original'
eq "$(run "${up/tmpcopyup\"/tmpcopyup\", \"ro\", \"mode=700\"}" 'stat -c %a /up1; cat /up1/file; touch /up1/y 2>/dev/null || echo refused')" $'700\ndata\nrefused' 'mode and ro'
chown -R 100000:100000 "$root/up1"
match "$(run "$up | $user" 'stat -c %a /up1/sub; cat /up1/sub/other')" data 'in a user namespace'
bundle "$dir" '.mounts += [{ destination: "/up1", type: "proc", source: "t", options: ["tmpcopyup"] }]'
refused 'tmpcopyup needs a tmpfs' ctr run --bundle "$dir" "$a"

step 'devices: as the config says'
devices='.linux.devices = [{ path: "/dev/fuse", type: "c", major: 10, minor: 229, fileMode: 416, uid: 7, gid: 8 },
	{ path: "/dev/deep/block", type: "b", major: 7, minor: 0 }, { path: "/run/pipe", type: "p", fileMode: 384 },
	{ path: "/dev/null", type: "c", major: 1, minor: 3, fileMode: 438, uid: 3 }, { path: "/dev/ptmx", type: "c", major: 5, minor: 2 }]'
look="stat -c '%n %F %a %u %g %t:%T' /dev/fuse /dev/deep/block /run/pipe /dev/null /dev/zero | sort; for l in ptmx fd stdin; do readlink /dev/\$l; done"
want='/dev/deep/block block special file 666 0 0 7:0
/dev/fuse character special file 640 7 8 a:e5
/dev/null character special file 666 3 0 1:3
/dev/zero character special file 666 0 0 1:5
/run/pipe fifo 600 0 0 0:0
pts/ptmx
/proc/self/fd
/proc/self/fd/0'
eq "$(run "$devices" "$look")" "$want" 'nodes'
rm "$root/run/pipe"
chown 100000:100000 "$root/run"
eq "$(run "$devices | $user" "$look")" "$want" 'nodes in a user namespace'
chown 0:0 "$root/run"
rm "$root/run/pipe"

step 'devices without a mount on /dev'
none='.mounts |= map(select(.destination | startswith("/dev") | not))'
rm -rf "${root:?}/dev" && mkdir "$root/dev"
mknod -m 600 "$root/dev/null" c 1 3 && chown 9 "$root/dev/null"
mknod "$root/dev/ptmx" c 5 2
eq "$(run "$none" "stat -c '%n %a %u' /dev/null /dev/full; readlink /dev/ptmx; echo x >/dev/null")" $'/dev/null 600 9\n/dev/full 666 0\npts/ptmx' 'what exists stays'
rm -rf "${root:?}/dev" && mkdir "$root/dev"
out=$(run "$none | $user" "cat /dev/null; grep ' /dev/null ' /proc/self/mounts" 2>&1 || :)
match "$out" 'nosuid,noexec|make mount target.*[Pp]ermission' "the host's nodes"
rm -rf "${root:?}/dev" && mkdir "$root/dev"
touch "$root/dev/null"
bundle "$dir" "$none"
refused "'/dev/null' exists and is another kind of file" ctr run --bundle "$dir" "$a"
rm "$root/dev/null"
step "the host's /dev stays as it is"
mkdir "$T/dev"
mknod "$T/dev/null" c 1 3
eq "$(run "$none | $(bind /dev "$T/dev" rbind)" 'ls /dev')" null 'bound'
