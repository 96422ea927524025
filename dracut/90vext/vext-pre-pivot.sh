#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# dracut hook (initramfs without systemd): the root is mounted on $NEWROOT, switch-root is next.
#
# An image that is refused (1) is told in the log and no reason to stop. Neither is a failure of
# vext itself (3). But where a required extension is missing, or others had merged, and the configuration wants the boot to stop
# (4), vext leaves a word for it, before it looks at the first image: so it holds if vext was killed, too. A shell of
# rd.break=pre-pivot comes before this, one of rd.break after it.
# shellcheck disable=SC2154  # NEWROOT comes from dracut

# Built-in ones are fine. What is missing is vext's to tell: it knows which image needs it.
modprobe -aq loop dm_mod dm_verity overlay erofs squashfs
vext boot --root "$NEWROOT"
status=$?
case $status in
    0 | 1) ;;
    *) warn "vext boot ended with status $status; its log and /run/vext/status.json tell what is merged" ;;
esac
if [ "$status" = 4 ] || [ -e /run/vext/required ]; then
    die "vext: the boot stops here: a required system extension is missing, or others had merged before vext: its log tells"
fi
unset status
