#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq unshare
# about: mount options: what a bind keeps and what it changes, locked flags, data, order, remount
# vm: no
. "$SOURCE/tests/support/lib.sh"

# Mounts of the host are made in a namespace of our own.
if [ -z "${OWN_MOUNTS:-}" ]; then
	OWN_MOUNTS=1 exec unshare -m --propagation private bash "$0"
fi
a=$P-a dir=$T/b
src=$T/src
mkdir -p "$src"
mount -t tmpfs -o rw,suid,dev,exec,strictatime src "$src"
mkdir "$src/sub"
touch "$src/file"
user='.linux.namespaces += [{ type: "user" }]
	| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'

# run FILTER COMMAND...: the output of a shell line in a bundle with the filter's changes
run() {
	local filter=$1
	shift
	bundle "$dir" "$filter"
	jq --arg line "$*" '.process.args = ["sh", "-c", $line]' "$dir/config.json" >"$T/config" && mv "$T/config" "$dir/config.json"
	ctr run --bundle "$dir" "$a" </dev/null
}
mount_of() { echo ".mounts += [{ destination: \"$1\", source: \"$src\", options: ($2 | split(\",\")) }]"; }
# flags HOST WORDS [FILTER]: the flags of a bind with WORDS of a mount with the flags HOST
flags() {
	mount --bind -o "remount,rw,suid,dev,exec,symfollow,diratime,strictatime" "$src"
	mount --bind -o "remount,$1" "$src"
	run "$(mount_of /mnt "\"$2\"")${3:+ | $3}" "awk '\$2 == \"/mnt\" { print \$4 }' /proc/self/mounts" | sed 's/,inode64//'
}
bad_flags() {
	mount --bind -o "remount,rw,suid,dev,exec,symfollow,diratime,strictatime" "$src"
	mount --bind -o "remount,$1" "$src"
	bundle "$dir" "$(mount_of /mnt "\"$2\"") | $user"
	refused 'mount .*(Operation|operation) not permitted' ctr run --bundle "$dir" "$a"
}

step 'a bind without flags is as its source'
eq "$(flags ro,noexec,nodiratime bind)" ro,noexec,nodiratime,relatime 'bind'
eq "$(flags ro,noexec,nodiratime bind "$user")" ro,noexec,nodiratime,relatime 'bind in a user namespace'
eq "$(flags ro bind,,rprivate)" ro 'propagation and nothing are no flags'

step 'a bind with flags has those, and keeps the access times'
eq "$(flags ro,noexec,nodiratime bind,dev)" rw,nodiratime,relatime 'dev'
eq "$(flags ro bind,nosuid,nodev)" rw,nosuid,nodev 'nosuid,nodev'
eq "$(flags rw,noatime bind,ro)" ro,noatime 'ro'
eq "$(flags noatime bind,atime)" rw,noatime 'atime'
eq "$(flags noatime bind,relatime)" rw,relatime 'relatime'
eq "$(flags noatime bind,nodiratime,strictatime)" rw,nodiratime 'strictatime'
eq "$(flags rw bind,ro,rw,nosuid,suid)" rw 'the last word counts'
eq "$(flags rw bind,sync,lazytime,mand,iversion,silent,loud,dirsync)" rw 'flags of a superblock are not for a bind'

step 'in a user namespace the flags of the source stay'
eq "$(flags ro,noexec,nodiratime bind,dev "$user")" ro,noexec,nodiratime,relatime 'dev'
eq "$(flags nodev,nosuid,noexec,noatime bind,ro "$user")" ro,nosuid,nodev,noexec,noatime 'ro'
eq "$(flags nodev,nosymfollow bind,rw "$user")" rw,nodev 'nosymfollow is not locked'
bad_flags ro bind,rw
bad_flags nosuid bind,suid
bad_flags relatime bind,noatime
bad_flags noatime bind,relatime

step 'and its root cannot take them back'
mount --bind -o remount,ro,nosuid,nodev "$src"
admin='.process.capabilities[] |= . + ["CAP_SYS_ADMIN"]'
for options in bind rbind; do
	eq "$(run "$(mount_of /mnt "\"$options\"") | $user | $admin" 'mount -o remount,bind,rw,suid,dev /mnt 2>/dev/null; grep -o " /mnt tmpfs ro,nosuid,nodev" /proc/self/mounts')" ' /mnt tmpfs ro,nosuid,nodev' "$options"
done

step 'recursive flags'
mount --bind -o remount,rw,suid,dev,exec,strictatime "$src"
mount -t tmpfs sub "$src/sub"
touch "$src/sub/file"
both="grep -c ' /mnt[^ ]* tmpfs ro' /proc/self/mounts; :"
eq "$(run "$(mount_of /mnt '"rbind,ro"')" "$both")" 1 'rbind,ro'
eq "$(run "$(mount_of /mnt '"rbind,rro"')" "$both")" 2 'rbind,rro'
eq "$(run "$(mount_of /mnt '"rbind,rro,rrw"')" "$both")" 0 'rbind,rro,rrw'
for case in ratime=relatime rnoatime=noatime rstrictatime= rnostrictatime=relatime rrelatime=relatime rnorelatime=relatime; do
	out=$(run "$(mount_of /mnt "\"rbind,${case%=*}\"")" "grep ' /mnt' /proc/self/mounts")
	if [ -n "${case#*=}" ]; then
		eq "$(grep -c ",${case#*=}" <<<"$out")" 2 "${case%=*}"
	else
		eq "$(grep -c atime <<<"$out" || :)" 0 "${case%=*}"
	fi
done
eq "$(run '.mounts += [{ destination: "/mnt", type: "tmpfs", source: "t", options: ["rro", "rnoexec"] }]' "grep -c ' /mnt tmpfs ro,noexec' /proc/self/mounts")" 1 'rro of a file system'

step 'one mount without those on it'
eq "$(run "$(mount_of /mnt '"bind"') | $user" 'ls /mnt /mnt/sub | xargs')" '/mnt: file sub /mnt/sub:' 'nothing to keep'
mount --bind -o remount,nosuid "$src"
bundle "$dir" "$(mount_of /mnt '"bind"') | $user"
refused "has mounts on it, and flags to keep" ctr run --bundle "$dir" "$a"
mount --bind -o remount,suid "$src"

step 'options of a file system'
eq "$(run '.mounts += [{ destination: "/mnt", type: "tmpfs", source: "mine", options: ["ro", "nodev", "sync", "noatime", "mode=711,size=1m", "uid=7"] }]' \
	"grep ' /mnt ' /proc/self/mounts; stat -c '%a %u' /mnt")" "mine /mnt tmpfs ro,sync,nodev,noatime,size=1024k,mode=711,uid=7$(grep -o ',inode64' <<<"$(grep " $src " /proc/self/mounts)" || :) 0 0
711 7" 'tmpfs'
bundle "$dir" "$(mount_of /mnt '"bind,size=1m"')"
refused "mounts\[4\].options: 'size=1m' is not an option of a bind" ctr run --bundle "$dir" "$a"
bundle "$dir" '.mounts += [{ destination: "/mnt", type: "tmpfs", source: "t", options: ["nonsense=1"] }]'
refused "mount '/mnt': tmpfs: 'nonsense=1'" ctr run --bundle "$dir" "$a"
bundle "$dir" '.mounts += [{ destination: "/mnt", type: "nosuchfs", source: "t" }]'
refused "mount '/mnt': file system 'nosuchfs'" ctr run --bundle "$dir" "$a"

step 'the mode of a tmpfs: what was said, or what it covers, or 1777'
mkdir -m 0710 "$dir/rootfs/there"
t() { echo ".mounts += [{ destination: \"$1\", type: \"tmpfs\", source: \"t\", options: $2 }]"; }
eq "$(run "$(t /there '["rw"]')" 'stat -c %a /there; grep -o mode=710 /proc/self/mounts')" $'710\nmode=710' 'covered'
eq "$(run "$(t /there '["mode=1500"]')" 'stat -c %a /there')" 1500 'said'
eq "$(run "$(t /new/dir '["rw"]')" 'stat -c %a /new/dir /new')" $'1777\n755' 'new'
eq "$(stat -c %a "$dir/rootfs/there" "$dir/rootfs/new/dir")" $'710\n755' 'what is below is as it was'
mkdir -m 7755 "$dir/rootfs/setgid"
run "$(t /setgid/a/b '["ro"]')" true
eq "$(stat -c %a "$dir/rootfs/setgid/a" "$dir/rootfs/setgid/a/b")" $'2755\n2755' 'setgid is inherited'
eq "$(run "$(t /ro '["ro"]') | $(mount_of /ro/below '"bind"')" 'ls /ro/below; touch /ro/x 2>/dev/null || echo refused')" $'file\nsub\nrefused' 'a read-only tmpfs with a mount in it'

step 'ro of /dev comes after its nodes'
eq "$(run '(.mounts[] | select(.destination == "/dev") | .options) += ["ro"]' 'echo x >/dev/null; touch /dev/x 2>/dev/null || echo refused; ls -l /dev/fd | wc -l')" $'refused\n1' '/dev'

step 'remount changes what is there'
eq "$(run "$(mount_of /mnt '"bind"') | .mounts += [{ destination: \"/mnt\", options: [\"bind\", \"remount\", \"ro\", \"nosuid\"] }]" \
	"grep -c ' /mnt tmpfs ro,nosuid' /proc/self/mounts")" 1 'bind,remount'
eq "$(run "$(t /t '["rw"]') | .mounts += [{ destination: \"/t\", type: \"tmpfs\", options: [\"remount\", \"size=2m\", \"noexec\"] }]" \
	"grep -c ' /t tmpfs rw,noexec.*size=2048k' /proc/self/mounts")" 1 'remount of a file system'

step 'a label needs SELinux'
if ! grep -q selinuxfs /proc/filesystems || [ ! -e /sys/fs/selinux/enforce ]; then
	bundle "$dir" '.linux.mountLabel = "system_u:object_r:container_file_t:s0:c1,c2"'
	refused "mount '/dev': .*'context=system_u:object_r:container_file_t:s0:c1,c2'" ctr run --bundle "$dir" "$a"
	bundle "$dir" '.linux.mountLabel = "a:b:c:d" | .annotations["run.oci.mount_context_type"] = "rootcontext"'
	refused "mount '/dev': .*'rootcontext=a:b:c:d'" ctr run --bundle "$dir" "$a"
fi
bundle "$dir" '.linux.mountLabel = "a:b:c:d" | .annotations["run.oci.mount_context_type"] = "none"'
refused "annotations.run.oci.mount_context_type: unknown value 'none'" ctr run --bundle "$dir" "$a"
