#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq booted podman
# about: Podman with its own choice of cgroup manager, which is systemd
# limit: 400
. "$SOURCE/tests/support/lib.sh"

export XDG_RUNTIME_DIR=$T/xdg
mkdir -p "$XDG_RUNTIME_DIR"
podman() { command podman --root "$T/podman" --runroot "$T/podman-run" --runtime "$CTR" --storage-driver vfs "$@"; }
trap_end() { podman rm -fa >/dev/null 2>&1 || true; podman pod rm -fa >/dev/null 2>&1 || true; }
trap 'status=$?; trap_end; [ $status -eq 0 ] || echo "FAIL: line $LINE (${COMMAND:-exit}, status $status), in: ${STEP:-the beginning}"' EXIT
eq "$(podman info --format '{{.Host.CgroupManager}}')" systemd 'what Podman chooses'
tar -C "$ROOTFS" -c . | podman import -q -c 'CMD ["/bin/sh"]' - tool >/dev/null
step run
match "$(podman run --rm --network none tool cat /proc/self/cgroup)" '^0::/' 'run'
status=0
podman run --rm --network none tool sh -c 'exit 5' || status=$?
eq "$status" 5 'status'
step 'run -d, exec, pause, stop'
podman run -d --name a --network none --memory 64m --pids-limit 50 tool payload init >"$T/id"
unit=libpod-$(cat "$T/id").scope
eq "$(systemctl show -p Slice --value "$unit")" machine.slice Slice
eq "$(systemctl show -p MemoryMax --value "$unit") $(systemctl show -p TasksMax --value "$unit")" '67108864 50' 'limits'
match "$(cat "/proc/$(podman inspect -f '{{.State.Pid}}' a)/cgroup")" "/machine.slice/$unit" 'cgroup of init'
eq "$(podman exec a echo works)" works 'exec'
podman pause a >/dev/null
podman unpause a >/dev/null
podman stop -t 5 a >/dev/null
podman rm a >/dev/null
eq "$(systemctl show -p ActiveState --value "$unit")" inactive 'the unit'
step 'a pod'
podman pod create --name p --infra-image tool --infra-command '/bin/payload init' --network none >/dev/null 2>&1 || skip 'this Podman cannot make a pod without its pause image'
podman run -d --pod p --name b tool payload init >/dev/null
match "$(cat "/proc/$(podman inspect -f '{{.State.Pid}}' b)/cgroup")" '/machine.slice/machine-libpod_pod_[0-9a-f]*.slice/' 'cgroup in the slice of the pod'
podman pod rm -f p >/dev/null
