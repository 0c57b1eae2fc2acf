#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# needs: root jq
# about: the root: pivoted, private, masked and read-only where it must be
. "$SOURCE/tests/support/lib.sh"

template
a=$P-a
mkdir "$T/later"
up "$a"
pid=$(init_pid "$a")

step 'nothing of the host is mounted, and nothing propagates'
nomatch "$(cat "/proc/$pid/mountinfo")" 'shared:|master:|propagate_from' 'propagation'
nomatch "$(awk '{ print $5 }' "/proc/$pid/mountinfo")" "^$SOURCE|^/boot|oldroot|\.pivot" 'mounts of the host'
eq "$(awk '$5 == "/" { print $9 == "-" ? $10 : $9 }' "/proc/$pid/mountinfo" | wc -l)" 1 'roots'
eq "$(awk '$5 == "/"' "/proc/$pid/mountinfo" | sed 's/.* - //' | cut -d' ' -f1)" overlay 'kind of root'
mount -t tmpfs later "$T/later"
nomatch "$(cat "/proc/$pid/mountinfo")" ' later ' 'a mount made on the host later'
umount "$T/later"

step 'masked paths show nothing'
for path in /proc/kcore /proc/keys /proc/timer_list /proc/sysrq-trigger; do
	[ -e $path ] || continue
	eq "$(inside "$a" sh -c "head -c 10 $path 2>/dev/null | wc -c")" 0 "bytes of $path"
done
for path in /sys/firmware /proc/scsi /proc/acpi; do
	[ -e $path ] || continue
	eq "$(inside "$a" sh -c "ls -A $path 2>/dev/null | wc -l")" 0 "entries of $path"
done

step 'kernel settings cannot be written'
for path in /proc/sys/kernel/core_pattern /proc/sys/kernel/panic /proc/sys/vm/swappiness /proc/sysrq-trigger /proc/irq/default_smp_affinity /sys/kernel/mm/ksm/run; do
	[ -e $path ] || continue
	before=$(cat $path 2>/dev/null || true)
	inside "$a" sh -c "echo 1 >$path" 2>/dev/null && fail "$path could be written"
	eq "$(cat $path 2>/dev/null || true)" "$before" "$path on the host"
done

step 'and it cannot be undone from inside'
inside "$a" payload mount-escape >"$T/escape"
nomatch "$(cat "$T/escape")" ': ok' 'mount calls'
out=$(inside "$a" payload chroot-break)
match "$out" 'still inside' 'chroot break'
nomatch "$out" "root $(stat -c %d /):$(stat -c %i /)\$" 'root inode'

step 'devices that every guest has'
for dev in null zero full random urandom tty; do
	eq "$(inside "$a" stat -c '%t:%T' /dev/$dev)" "$(stat -c '%t:%T' /dev/$dev)" "/dev/$dev"
done
inside "$a" sh -c 'echo x >/dev/null; [ "$(head -c 4 /dev/zero | wc -c)" = 4 ]; [ -d /dev/pts ]; [ -d /dev/shm ]; [ -L /dev/fd ]; [ -L /dev/stdin ]; touch /dev/shm/x'
gone "$a"
