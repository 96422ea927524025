#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# dracut module: verify and merge system extensions before switch-root.
#
# Works with and without systemd in the initramfs, and needs neither the dm nor the crypt module:
# vext talks to loop and device-mapper itself.
# shellcheck disable=SC2154  # kernel, moddir and the like come from dracut

# Where the kernel has these as modules they go in; where they are built in there is nothing to do.
# erofs also where all images are squashfs: the uppermost layer of every merge is an erofs that vext writes.
vext_modules_needed=(loop dm_mod dm_verity erofs overlay)
vext_modules_filesystems=(squashfs)
# Faster SHA-256, where the machine has one.
vext_modules_optional=(sha256 sha256_ssse3 sha256_arm64 sha2_ce)

# called by dracut
check() {
    local m list missing=()

    # Whoever installs vext wants it; without the binary there is nothing to install.
    require_binaries vext || return 1

    [[ $no_kernel == yes ]] && return 0
    for m in "${vext_modules_needed[@]}"; do
        # A module, or built in.
        check_kernel_module "$m" || missing+=("$m")
    done
    ((${#missing[@]} == 0)) || {
        printf -v list '%s, ' "${missing[@]}"
        derror "vext: kernel $kernel lacks ${list%, }; without that no system extension can be merged, so vext is left out"
        return 1
    }
    return 0
}

# called by dracut
depends() {
    return 0
}

# called by dracut
installkernel() {
    local m

    # All of them, hostonly or not: which images there will be isn't known when this is built.
    hostonly='' instmods "${vext_modules_needed[@]}" "${vext_modules_filesystems[@]}"
    hostonly='' instmods -s "${vext_modules_optional[@]}"
    for m in "${vext_modules_filesystems[@]}"; do
        check_kernel_module "$m" \
            || dwarn "vext: kernel $kernel lacks $m; system extensions of this file system will be refused"
    done
}

# Says which of systemd's units on the new root stand back for vext, and which do not. These are there from systemd 261 on,
# if the module systemd-sysext comes along; it does before this one.
vext_tell_who_merges() {
    local class unit status

    for class in sysext confext; do
        unit=systemd-$class-sysroot.service
        [[ -e $initdir$systemdsystemunitdir/$unit ]] || continue
        if [[ ! -e $initdir$systemdsystemunitdir/$unit.d/50-vext.conf ]]; then
            derror "vext: $unit has no drop-in of vext's ($systemdsystemunitdir/$unit.d/50-vext.conf): it merges what nobody has signed; install vext's units"
            continue
        fi
        status=0
        "$initdir$(find_binary vext)" yields "$class" > /dev/null 2>&1 || status=$?
        case $status in
            0) dinfo "vext: ${class}s are not vext's: $unit merges them, by systemd's policy" ;;
            126 | 127) dwarn "vext: $unit asks vext at boot whether it merges ${class}s; vext can't be run here to tell the answer" ;;
            *) dwarn "vext: $unit stands back: ${class}s are vext's" ;;
        esac
    done
    # One unit for an initramfs and the booted system, before systemd 258.
    for class in sysext confext; do
        unit=systemd-$class.service
        [[ -e $initdir$systemdsystemunitdir/$unit.d/50-vext.conf ]] || continue
        dwarn "vext: $unit stands back: nothing is merged onto the initramfs itself"
    done
}

# called by dracut
install() {
    local unit

    if dracut_module_included systemd && [[ ! -e ${dracutsysrootdir-}${systemdsystemunitdir:?}/vext.service ]]; then
        derror "vext: $systemdsystemunitdir/vext.service is not installed, and nothing else would start vext; so it is left out"
        return 1
    fi

    inst_multiple vext modprobe sh

    # A policy that the image builder put beside the binary; it is as trusted as the initramfs.
    inst_multiple -o /etc/vext.conf

    # For a /usr that "vext open" has opened in an earlier stage.
    inst_simple "$moddir/59-vext-dm.rules" "${udevdir:-/usr/lib/udev}/rules.d/59-vext-dm.rules"

    if dracut_module_included systemd; then
        inst_multiple "$systemdsystemunitdir/vext.service" "$systemdsystemunitdir/vext-required.service"
        # Where these units are not in the initramfs, this does nothing.
        inst_multiple "$systemdsystemunitdir"/systemd-{sysext,confext}-sysroot.service.d/50-vext.conf
        mkdir -p "${initdir:?}$systemdsystemunitdir/initrd.target.wants"
        ln_r "$systemdsystemunitdir/vext.service" "$systemdsystemunitdir/initrd.target.wants/vext.service"
        for unit in initrd-parse-etc.service initrd-cleanup.service initrd-switch-root.target; do
            mkdir -p "$initdir$systemdsystemunitdir/$unit.requires"
            ln_r "$systemdsystemunitdir/vext-required.service" "$systemdsystemunitdir/$unit.requires/vext-required.service"
        done
        vext_tell_who_merges
    else
        # Behind what mounts a /usr of the root's fstab (usrmount, 50).
        inst_hook pre-pivot 95 "$moddir/vext-pre-pivot.sh"
    fi
}
