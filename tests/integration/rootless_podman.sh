#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root user jq newuidmap podman conmon slirp4netns
# about: Podman as an ordinary user, with its own storage, runs its containers by this runtime
# limit: 240
# vm: no
. "$SOURCE/tests/support/user.sh"

# slirp4netns wants the tun device, which hosts differ about; fuse-overlayfs likewise.
mknod -m 666 "$T/tun" c 10 200
[ ! -e /dev/net/tun ] || mount --bind "$T/tun" /dev/net/tun
mkdir -p .config/containers tmp
cat >.config/containers/containers.conf <<END
[containers]
default_ulimits = ["nofile=1024:4096", "nproc=1024:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime_supports_json = ["ctr"]
END
printf '[storage]\ndriver = "vfs"\n' >.config/containers/storage.conf
chown -R $USER_ID:$USER_ID .config tmp
pod() { as_user env TMPDIR=$HOME_DIR/tmp podman --runtime $HOME_DIR/bin/ctr "$@" </dev/null; }
# The pause process that holds Podman's user namespace ends with this.
end_of_podman() { pod rm -af >/dev/null 2>&1; pod system migrate >/dev/null 2>&1 || true; }
trap 'end_of_test; end_of_podman; end_of_user' EXIT

tar -C "$ROOTFS" -c . | as_user tee tmp/image.tar >/dev/null
pod import -c 'ENV PATH=/bin' -c 'CMD ["payload", "init"]' tmp/image.tar tool >/dev/null 2>&1
step 'run'
eq "$(pod run --rm --network none tool sh -c 'id -u; awk "{ print \$2 }" /proc/self/uid_map' | xargs)" "0 $USER_ID $SUB_FIRST" 'ids'
eq "$(pod run --rm --network host tool readlink /proc/self/ns/net)" "$(readlink /proc/self/ns/net)" "the host's network"
match "$(pod run --rm --network slirp4netns tool ip -o addr show tap0)" 'inet 10.0.2' 'slirp4netns'
eq "$(pod run --rm --network none --user 1000:1000 tool id -u)" 1000 'another user'
status=0
pod run --rm --network none tool sh -c 'exit 9' || status=$?
eq $status 9 'status'
status=0
out=$(pod run --rm --network none tool /no/such 2>&1) || status=$?
eq $status 127 "status of what is not there ($out)"
step 'namespaces'
eq "$(pod run --rm --network none --userns keep-id tool id -u)" $USER_ID 'keep-id'
eq "$(pod run --rm --network none --uidmap 0:1:100 tool awk '{ print $3 }' /proc/self/uid_map)" 100 'uidmap'
match "$(pod run --rm --network none --pid host tool sh -c 'ls -d /proc/[0-9]*' | wc -l)" '^[0-9]{2,}$' "the host's processes"
step 'in the background'
pod run -d --name one --network none -v "$HOME_DIR/tmp:/data:ro" tool >/dev/null
eq "$(pod exec one sh -c 'id -u; ls /data' | xargs)" '0 image.tar' 'exec'
eq "$(pod exec -u 1000 one id -u)" 1000 'exec as another'
eq "$(pod inspect one | jq -r '.[0].State.Status')" running 'status'
pod exec -d one sleep 1000
match "$(pod top one)" 'payload init' 'top'
eq "$(pod run --rm --network none --pid container:one tool cat /proc/1/comm)" payload 'joined pid namespace'
eq "$(pod logs one)" 'init ready' 'logs'
pod stop -t 2 one >/dev/null
eq "$(pod inspect one | jq -r '.[0].State.Status')" exited 'status after stop'
pod start one >/dev/null
pod kill one >/dev/null
pod rm -f one >/dev/null
step 'a terminal'
match "$(on_terminal '' "${AS_USER[@]}" env TMPDIR=$HOME_DIR/tmp podman --runtime $HOME_DIR/bin/ctr run --rm -it --network none tool tty)" '/dev/(pts/0|console)' 'terminal'
step 'a pod'
pod pod create --name many --network none --infra-image tool --infra-command 'payload init' >/dev/null
pod run -d --pod many --name two tool >/dev/null
eq "$(pod exec two cat /proc/1/comm)" payload 'exec in a pod'
pod pod rm -f many >/dev/null
eq "$(pod ps -aq)" '' 'left'
eq "$(find run/ctr -mindepth 1 -maxdepth 1 -not -name '.*')" '' 'left in the run directory'
