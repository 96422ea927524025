# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# bootengine/check-sysext: each rule of the merge with a tree that breaks it, and as a finished image. Sourced by ./run.
# shellcheck disable=SC2154,SC2317  # scratch, tools and the like are of ./run, sysext.sh and lib.sh

check=$scratch/fit
mkdir -p "$check/images"

# A root as it is in practice: /bin and its like are links, /sbin/init and ld.so are links to programs.
host_root() { # DIRECTORY
	mkdir -p "$1"/usr/{bin,lib64,share,src} "$1"/usr/lib/systemd/{system,system-generators} "$1"/usr/lib/modules/6 "$1"/usr/local/lib \
		"$1"/etc/systemd/system "$1"/{opt,run} "$1/var/lib"
	mkdir -p "$1/usr/sbin"
	ln -s usr/bin "$1/bin"
	ln -s usr/sbin "$1/sbin"
	ln -s usr/lib "$1/lib"
	ln -s usr/lib64 "$1/lib64"
	ln -s ../lib/systemd/systemd "$1/usr/sbin/init"
	ln -s ../bin/kmod "$1/usr/sbin/modprobe"
	ln -s ../lib/ld-2.so "$1/usr/lib64/ld-linux-x86-64.so.2"
	ln -s ../run/resolv.conf "$1/etc/resolv.conf"
	ln -s ../usr/lib/os-release "$1/etc/os-release"
	touch "$1"/usr/bin/{kmod,tool} "$1/usr/lib/ld-2.so" "$1"/usr/lib/systemd/{systemd,systemd-executor} "$1/usr/lib/modules/6/modules.dep" \
		"$1/usr/lib/systemd/system-generators/fstab" "$1/etc/passwd" "$1/usr/lib/os-release"
}
host_root "$check/host"

# tree NAME COMMAND: made anew, by COMMAND in it.
tree() {
	rm -rf "${check:?}/$1"
	mkdir "$check/$1"
	(cd "$check/$1" && eval "$2")
}

check_sysext() { run bootengine/check-sysext --tools "$tools" "$@"; }

# All lines, in any order.
says_all() {
	diff <(sort) <(sort "$out") || fail "said something else; $(quoted)"
}

# One file system for each tree, made in one go: no partition table is needed around it.
finish_images() { # NAME...
	local name
	rm -rf "${check:?}/images"
	mkdir "$check/images"
	for name; do
		echo "mkfs.erofs --quiet images/$name.erofs.raw $name"
		echo "mksquashfs $name images/$name.squashfs.raw -quiet -no-progress"
	done > "$check/make"
	bootengine/in-root --bind "$check=/run/check" "$tools" -- sh -euc 'cd /run/check && . ./make' > "$log.images" 2>&1 ||
		fail "$(cat "$log.images")"
}

# ---- each rule --------------------------------------------------------------------------------

# A table: class, name, reason and start of the detail, what makes the tree. "-" is one that is accepted.
cases() {
	cat <<'END'
sysext deep|merge.type: usr/lib/systemd is a link in the image and a directory in the root|mkdir -p usr/lib; ln -s ../../var/lib/x usr/lib/systemd
sysext binfile|merge.type: usr/bin is a file in the image and a directory in the root|mkdir usr; echo > usr/bin
sysext lib64|merge.type: usr/lib64 is a link in the image and a directory in the root|mkdir usr; ln -s lib usr/lib64
sysext overfile|merge.type: usr/bin/tool is a directory in the image and a file in the root|mkdir -p usr/bin/tool/x
sysext overlink|merge.type: usr/sbin/init is a directory in the image and a link in the root|mkdir -p usr/sbin/init
sysext linkout|merge.link: usr/bin/tool replaces a file of the root and leads to /var/lib/tool, outside of the merged hierarchies|mkdir -p usr/bin; ln -s /var/lib/tool usr/bin/tool
sysext linknone|merge.link: usr/bin/tool replaces a file of the root and leads to /usr/bin/none, which is not there|mkdir -p usr/bin; ln -s none usr/bin/tool
sysext linkloop|merge.link: usr/bin/tool replaces a file of the root and leads round in circles|mkdir -p usr/bin; ln -s tool usr/bin/tool
sysext twolinks|merge.link: usr/bin/tool replaces a file of the root and leads to /var/lib/tool, outside of|mkdir -p usr/bin usr/lib; ln -s ../lib/new/tool usr/bin/tool; ln -s /var/lib usr/lib/new
sysext generator|merge.link: usr/lib/systemd/system-generators/new stands in a protected directory and leads to /etc/gen, outside of|mkdir -p usr/lib/systemd/system-generators; ln -s /etc/gen usr/lib/systemd/system-generators/new
sysext osrelease|merge.os-release: usr/lib/os-release is protected|mkdir -p usr/lib; echo ID=x > usr/lib/os-release
sysext hiddenrelease|merge.os-release: usr/lib/os-release is protected|mkdir -p usr/lib.x; ln -s lib.x usr/lib; echo ID=x > usr/lib.x/os-release
sysext verityd|merge.trust: usr/lib/verity.d is protected|mkdir -p usr/lib/verity.d
sysext systemd|merge.init: usr/lib/systemd/systemd is protected|mkdir -p usr/lib/systemd; echo > usr/lib/systemd/systemd
sysext init|merge.init: usr/sbin/init is protected|mkdir -p usr/sbin; echo > usr/sbin/init
sysext executor|merge.protected: usr/lib/systemd/systemd-executor is a file in the image and protected|mkdir -p usr/lib/systemd; echo > usr/lib/systemd/systemd-executor
sysext fstab|merge.protected: usr/lib/systemd/system-generators/fstab is a file in the image and protected|mkdir -p usr/lib/systemd/system-generators; echo > usr/lib/systemd/system-generators/fstab
sysext kmod|merge.protected: usr/bin/kmod is a file in the image and on the way to /sbin/modprobe|mkdir -p usr/bin; echo > usr/bin/kmod
sysext ldso|merge.protected: usr/lib/ld-2.so is a file in the image and on the way to /lib64/ld-linux-x86-64.so.2|mkdir -p usr/lib; echo > usr/lib/ld-2.so
sysext musl|merge.protected: usr/lib/ld-musl-x86_64.so.1 is a file in the image and |mkdir -p usr/lib; echo > usr/lib/ld-musl-x86_64.so.1
sysext newgenerators|merge.link: usr/local/lib/systemd/system-generators/x stands in a protected directory and leads to /var/x|mkdir -p usr/local/lib/systemd/system-generators; ln -s /var/x usr/local/lib/systemd/system-generators/x
sysext onway|merge.protected: usr/local/lib/systemd is a link in the image and on the way to /usr/local/lib/systemd/system-generators|mkdir -p usr/local/lib; ln -s ../../share usr/local/lib/systemd
sysext marker|merge.marker: usr/.systemd-sysext is the mark of a merged hierarchy|mkdir -p usr/.systemd-sysext; echo 8:99 > usr/.systemd-sysext/backing
sysext optmarker|merge.marker: opt/.systemd-sysext is the mark of a merged hierarchy|mkdir opt; ln -s /dev opt/.systemd-sysext
sysext whiteout|merge.whiteout: usr/bin/tool is a whiteout|mkdir -p usr/bin; mknod usr/bin/tool c 0 0
sysext opaque|merge.whiteout: usr/share has a mark of overlayfs|mkdir -p usr/share; setfattr -n user.overlay.opaque -v y usr/share
sysext nousr|merge.hierarchy: usr is a link, where an extension has a directory|mkdir x; ln -s x usr
confext etcrelease|merge.os-release: etc/os-release is protected|mkdir etc; echo ID=x > etc/os-release
confext initrd|merge.os-release: etc/initrd-release is protected|mkdir etc; echo > etc/initrd-release
confext trust|merge.trust: etc/verity.d is protected|mkdir -p etc/verity.d
confext etctype|merge.type: etc/systemd is a link in the image and a directory in the root|mkdir etc; ln -s ../var/lib etc/systemd
confext etcfile|merge.type: etc/passwd is a directory in the image and a file in the root|mkdir -p etc/passwd
confext etclink|merge.link: etc/passwd replaces a file of the root and leads to /var/lib/passwd, outside of|mkdir etc; ln -s /var/lib/passwd etc/passwd
confext etcgenerators|merge.link: etc/systemd/system-generators/x stands in a protected directory and leads to /var/x|mkdir -p etc/systemd/system-generators; ln -s /var/x etc/systemd/system-generators/x
sysext nogenerator|merge.protected: usr/lib/systemd/system-generators/fstab is a link in the image and protected|mkdir -p usr/lib/systemd/system-generators; ln -s /dev/null usr/lib/systemd/system-generators/fstab
confext etcinit|merge.init: etc/init is a file in the image and protected|mkdir etc; echo > etc/init
confext etcmarker|merge.marker: etc/.systemd-confext is the mark of a merged hierarchy|mkdir -p etc/.systemd-confext
sysext plain|-|mkdir -p usr/bin usr/lib/systemd/system opt/x; echo > usr/bin/new; ln -s new usr/bin/newer; ln -s ../src usr/share/x 2> /dev/null || ln -s /usr/src opt/x/src
sysext replace|-|mkdir -p usr/bin; echo > usr/bin/tool
sysext samelink|-|mkdir -p usr/sbin usr/lib64; ln -s ../bin/kmod usr/sbin/modprobe; ln -s ../lib/ld-2.so usr/lib64/ld-linux-x86-64.so.2
sysext linkin|-|mkdir -p usr/bin; ln -s kmod usr/bin/tool
sysext added|-|mkdir -p usr/lib/systemd/system-generators; echo > usr/lib/systemd/system-generators/new; ln -s new usr/lib/systemd/system-generators/newer
confext usual|-|mkdir etc; ln -s ../usr/lib/os-release etc/os-release
confext sameend|-|mkdir etc; ln -s /run/resolv.conf etc/resolv.conf
confext masked|-|mkdir -p etc/systemd/system; ln -s /dev/null etc/systemd/system/x.service; ln -s /dev/null etc/passwd
confext tousr|-|mkdir -p etc/systemd/system; ln -s /usr/bin/tool etc/tool; ln -s ../usr/bin/tool etc/passwd
END
}

each_rule() {
	local class name reason line n=0
	while IFS='|' read -r line reason how; do
		read -r class name <<< "$line"
		tree "$name" "$how"
		check_sysext --type "$class" --host-root "$check/host" "$check/$name"
		if [ "$reason" = - ]; then
			[ "$(cat "$out")" = "accepted $name" ] || fail "$name: $(quoted)"
			wants 0
		else
			wants 1
			grep -qF "refused $name: $reason" "$out" || fail "$name: not '$reason'; $(quoted)"
			! grep '^accepted' "$out" || fail "$name: accepted"
		fi
		n=$((n + 1))
	done < <(cases)
	[ $n -gt 40 ] || fail "$n cases only"
}

# The same of what mkfs.erofs and mksquashfs make of them. Each alone: they are not meant for each other.
each_rule_on_images() {
	local names=() line reason how class name format
	while IFS='|' read -r line reason how; do
		read -r class name <<< "$line"
		tree "$name" "$how"
		names+=("$name")
	done < <(cases)
	finish_images "${names[@]}"
	while IFS='|' read -r line reason how; do
		read -r class name <<< "$line"
		for format in erofs squashfs; do
			check_sysext --type "$class" --host-root "$check/host" --name "$name" "$check/images/$name.$format.raw"
			if [ "$reason" = - ]; then
				[ "$(cat "$out")" = "accepted $name" ] || fail "$name, $format: $(quoted)"
			else
				wants 1
				grep -qF "refused $name: $reason" "$out" || fail "$name, $format: not '$reason'; $(quoted)"
			fi
		done
	done < <(cases)
}

# ---- a DDI ------------------------------------------------------------------------------------

ddi() {
	local sector
	tree whole 'mkdir -p usr/bin; echo > usr/bin/new; ln -s /etc/x usr/bin/x'
	for sector in 512 4096; do
		build_by rsa --sector-size $sector "$check/whole" "$check/whole.raw"
		wants 0
		check_sysext --host-root "$check/host" "$check/whole.raw"
		wants 0
		says_all <<< $'note whole: usr/bin/x leads to /etc/x, outside of the merged hierarchies\naccepted whole'
	done
	# A data partition of /usr alone has no usr in it.
	tree usronly 'mkdir lib64x; ln -s lib lib64; echo > bin'
	finish_images usronly
	truncate -s 4M "$check/usr.raw"
	sfdisk --quiet "$check/usr.raw" <<< $'label: gpt\nstart=2048, type=8484680C-9521-48C6-9C11-B0720656F69E' > "$log.sfdisk"
	dd if="$check/images/usronly.erofs.raw" of="$check/usr.raw" bs=512 seek=2048 conv=notrunc status=none
	check_sysext --host-root "$check/host" "$check/usr.raw"
	wants 1
	says '^refused usr: merge\.type: usr/lib64 is a link in the image and a directory in the root$'
	says '^refused usr: merge\.type: usr/bin is a file in the image and a directory in the root$'
}

small_blocks() {
	tree small 'mkdir -p usr/bin; echo > usr/bin/new'
	bootengine/in-root --bind "$check=/run/check" "$tools" -- sh -euc 'cd /run/check
		mkfs.erofs --quiet -b1024 small.raw small; mkfs.erofs --quiet -b4096 good.raw small'
	check_sysext "$check/small.raw" "$check/good.raw"
	wants 1
	says_all <<< $'accepted good\nrefused small: superblock.block: the file system\'s blocks have 2^10 bytes, not 4096'
}

no_images() {
	head -c 20000 /dev/zero > "$check/zero.raw"
	check_sysext "$check/zero.raw"
	wants 3
	tells 'zero\.raw: neither erofs nor squashfs'
	# Tables that end, or lead, behind the image's end.
	printf 'EFI PART' | dd of="$check/zero.raw" bs=1 seek=512 conv=notrunc status=none
	check_sysext "$check/zero.raw"
	wants 3
	tells 'zero\.raw: has no data partition'
	printf '\377\377\377\377\377\377\377\377\1' | dd of="$check/zero.raw" bs=1 seek=584 conv=notrunc status=none
	check_sysext "$check/zero.raw"
	wants 3
	tree cut 'mkdir -p usr/bin; seq 99999 > usr/bin/new'
	finish_images cut
	for file in "$check"/images/cut.*; do
		truncate -s 8192 "$file"
		check_sysext --name cut "$file"
		wants 3
		tells 'could not be unpacked|neither erofs'
	done
	check_sysext "$check/nothing"
	wants 3
}

# ---- together ---------------------------------------------------------------------------------

together() {
	tree a-link 'mkdir -p usr/lib; ln -s ../../var/lib/x usr/lib/new'
	tree b-file 'mkdir -p usr/lib/new; echo > usr/lib/new/y'
	check_sysext --host-root "$check/host" "$check/b-file" "$check/a-link"
	wants 1
	says_all <<- 'END'
		note a-link: usr/lib/new leads to /var/lib/x, outside of the merged hierarchies
		accepted a-link
		refused b-file: merge.type: usr/lib/new is a directory in the image and a link in the extension a-link
	END
	# The one with the higher precedence, but for one that is required.
	check_sysext --host-root "$check/host" --required b-file "$check/b-file" "$check/a-link"
	wants 1
	says '^accepted b-file$'
	says '^refused a-link: merge\.type: usr/lib/new is a link in the image and a directory in the extension b-file$'
	# A confext's name needs its class.
	tree conf-a 'mkdir -p etc/new'
	tree conf-b 'mkdir -p etc; echo > etc/new'
	check_sysext --type confext --required conf-b "$check/conf-a" "$check/conf-b"
	says '^refused conf-b: merge\.type: '
	check_sysext --type confext --required confext:conf-b "$check/conf-a" "$check/conf-b"
	says '^refused conf-a: merge\.type: '
	# Neither the one that is newer by its letters, nor by its place.
	for name in x-9 x-10; do tree $name 'mkdir -p usr; [[ $PWD = *9 ]] && mkdir usr/new || echo > usr/new'; done
	check_sysext "$check/x-10" "$check/x-9"
	wants 1
	says '^accepted x-9$'
	says '^refused x-10: merge\.type: '
	# A refused one counts for nothing.
	tree x-8 'mkdir -p usr/lib/verity.d; echo > usr/new'
	check_sysext "$check/x-8" "$check/x-9"
	says '^accepted x-9$'
	# Replacing another one's file by a link.
	tree l-1 'mkdir -p usr/bin; echo > usr/bin/new'
	tree l-2 'mkdir -p usr/bin; ln -s /var/new usr/bin/new'
	check_sysext --host-root "$check/host" "$check"/l-?
	wants 1
	says '^refused l-2: merge\.link: usr/bin/new replaces that of the extension l-1 and leads to /var/new, outside of'
	# A link that is good until another image is there; and one that is good when another is.
	tree s-1 'mkdir -p usr/bin usr/share; ln -s ../share/swap usr/bin/tool; echo > usr/share/swap'
	tree s-2 'mkdir -p usr/share; ln -s /var/swap usr/share/swap'
	check_sysext --host-root "$check/host" "$check"/s-?
	wants 1
	says '^accepted s-1$'
	says '^refused s-2: merge\.link: usr/share/swap replaces that of the extension s-1 and leads to /var/swap, outside of'
	tree h-1 'mkdir -p usr/bin; ln -s ../share/hop usr/bin/tool'
	tree h-2 'mkdir -p usr/share; ln -s /var/hop usr/share/hop'
	tree h-3 'mkdir -p usr/share; echo > usr/share/hop'
	check_sysext --host-root "$check/host" "$check"/h-[12]
	wants 1
	says_all <<- 'END'
		refused h-1: merge.link: usr/bin/tool replaces a file of the root and leads to /var/hop, outside of the merged hierarchies
		note h-2: usr/share/hop leads to /var/hop, outside of the merged hierarchies
		accepted h-2
	END
	check_sysext --host-root "$check/host" "$check"/h-[13]
	wants 0
	# Names, once each.
	mkdir -p "$check/again/l-1/usr"
	check_sysext "$check/l-1" "$check/again/l-1"
	wants 1
	says '^refused l-1: merge\.duplicate: '
}

# Both with the order of the program that merges.
order_of_the_program() {
	local names=(b a a-1 a-1.0 a-1~rc a-1^2 a1 a-1-1 a-01 A a.1 a_1 z10 z9) name listed told
	mkdir -p "$check/order"
	for name in "${names[@]}"; do
		mkdir -p "$check/order/$name/usr"
	done
	run bootengine/check-sysext "$check/order"/*[a-zA-Z0-9]
	wants 2 # ~ and ^ are not for names
	rm -r "$check"/order/*[~^]*
	for name in "$check"/order/*; do echo > "$name/usr/$(basename "$name")"; done
	run bootengine/check-sysext "$check"/order/*
	wants 0
	told=$(sed 's/accepted //' "$out" | tr '\n' ' ')
	mkdir -p "$check/order-root"/{usr/lib,etc,var/lib/extensions}
	echo ID=x > "$check/order-root/usr/lib/os-release"
	for name in "$check"/order/*; do
		build_by rsa "$name" "$check/order-root/var/lib/extensions/${name##*/}.raw"
		wants 0
	done
	crypto/bake "$build/vext" "$check/vext" "$key/rsa.crt" > "$log.bake" 2>&1
	run "$check/vext" boot --dry-run --root "$check/order-root"
	listed=$(sed -n 's/.*mount .*vext-\([A-Za-z0-9._-]*\)-SERIAL.*/\1/p' "$out" | tac | tr '\n' ' ')
	[ "$told" = "$listed" ] || fail "told '$told', planned '$listed'; $(quoted)"
}

# ---- what is told -----------------------------------------------------------------------------

notes() {
	tree told 'umask 077; mkdir -p usr/bin usr/lib/modules/6 usr/local/x opt; echo > usr/lib/modules/6/modules.dep; echo > usr/local/x/y
		ln -s /var/x usr/bin/out; ln -s /dev/null usr/bin/mask; chmod 0755 usr usr/lib usr/lib/modules opt'
	check_sysext --host-root "$check/host" --mount /usr/local/ --mount /var "$check/told"
	wants 0
	says_all <<- 'END'
		note told: usr/bin has mode 0700 in the image and 0755 in the root; merged, it has the root's
		note told: usr/lib/modules/6 has mode 0700 in the image and 0755 in the root; merged, it has the root's
		note told: usr/local has mode 0700 in the image and 0755 in the root; merged, it has the root's
		note told: usr/bin/out leads to /var/x, outside of the merged hierarchies
		note told: usr/lib/modules/6/modules.dep hides that of the root
		note told: /usr/local stays mounted, and hides what the image has there
		accepted told
	END
	# Two, of which the newer one hides the other.
	cp -a "$check/told" "$check/told2"
	rm "$check/told2/usr/bin/out"
	check_sysext --host-root "$check/host" --required told2 "$check/told2" "$check/told"
	wants 0
	says '^note told2: usr/lib/modules/6/modules\.dep hides that of the extension told$'
	tree owner 'mkdir -p usr/bin; chown 7:8 usr/bin'
	check_sysext --host-root "$check/host" "$check/owner"
	says "^note owner: usr/bin belongs to 7:8 in the image and to 0:0 in the root; merged, it has the root's\$"
	check_sysext --host-root "$check/host" --all-root "$check/owner"
	says_all <<< 'accepted owner'
	# Few lines of each kind.
	tree many 'mkdir -p usr/bin; for i in $(seq 20); do ln -s /etc/x usr/bin/x$i; done'
	check_sysext "$check/many"
	wants 0
	says '^note many: … and 15 more of this kind'
	[ "$(wc -l < "$out")" = 7 ] || fail "told at too great length; $(quoted)"
}

submounts() {
	tree over 'mkdir usr; ln -s share usr/newlocal; mkdir -p etc; ln -s ../usr/x etc/resolv.conf'
	check_sysext --mount usr/newlocal "$check/over"
	wants 1
	says '^refused over: merge\.submount: usr/newlocal is a link, and something is mounted there$'
	check_sysext --type confext --mount /etc/resolv.conf "$check/over"
	wants 1
	says '^refused over: merge\.submount: etc/resolv\.conf '
	tree local 'mkdir usr; ln -s share usr/local'
	check_sysext --host-root "$check/host" --mount usr/local "$check/local"
	says_all <<- 'END'
		refused local: merge.submount: usr/local is a link, and something is mounted there
		note local: /usr/local stays mounted, and hides what the image has there
	END
	# What leads there, leads out.
	tree onto 'mkdir -p usr/bin; ln -s ../local/tool usr/bin/tool'
	echo > "$check/host/usr/local/tool"
	check_sysext --host-root "$check/host" "$check/onto"
	wants 0
	check_sysext --host-root "$check/host" --mount usr/local "$check/onto"
	wants 1
	says '^refused onto: merge\.link: usr/bin/tool replaces a file of the root and leads to /usr/local/tool, outside of'
	rm "$check/host/usr/local/tool"
}

unlabelled() {
	cp -a "$check/host" "$check/labelled"
	setfattr -h -n security.selinux -v system_u:object_r:usr_t:s0 "$check/labelled/usr"
	tree bare 'mkdir -p usr/bin; echo > usr/bin/new'
	check_sysext --host-root "$check/labelled" "$check/bare"
	wants 0
	says '^note bare: usr has an SELinux label in the root and none in the image; build it with build-sysext --file-contexts$'
	setfattr -h -n security.selinux -v system_u:object_r:usr_t:s0 "$check/bare/usr"
	finish_images bare
	for file in "$check/bare" "$check"/images/bare.*; do
		check_sysext --host-root "$check/labelled" --name bare "$file"
		wants 0
		says_all <<< 'accepted bare'
	done
}

# ---- roots ------------------------------------------------------------------------------------

other_roots() {
	# A usr/sbin that is a link, as the newer Fedoras and Arch have it.
	cp -a "$check/host" "$check/merged"
	mv "$check"/merged/usr/sbin/* "$check/merged/usr/bin/"
	rmdir "$check/merged/usr/sbin"
	ln -s bin "$check/merged/usr/sbin"
	tree sbin 'mkdir -p usr/sbin; echo > usr/sbin/new'
	check_sysext --host-root "$check/merged" "$check/sbin"
	wants 1
	says '^refused sbin: merge\.type: usr/sbin is a directory in the image and a link in the root$'
	check_sysext "$check/sbin"
	wants 0
	says '^note sbin: usr/sbin is a directory in the image; some roots have a link there'
	tree same 'mkdir usr; ln -s bin usr/sbin'
	check_sysext --host-root "$check/merged" "$check/same"
	wants 0
	says_all <<< 'accepted same'
	# Without systemd: a link there is as bad, and a directory is not.
	cp -a "$check/host" "$check/without"
	rm -r "$check/without/usr/lib/systemd"
	tree nolink 'mkdir -p usr/lib; ln -s ../share usr/lib/systemd'
	tree nodir 'mkdir -p usr/lib/systemd/system; echo > usr/lib/systemd/system/new.service'
	for name in "$check/nolink" "$check/deep"; do
		check_sysext --host-root "$check/without" "$name"
		wants 1
		says 'merge\.init: usr/lib/systemd is a link in the image and on the way to /usr/lib/systemd/systemd, which is protected'
	done
	check_sysext --host-root "$check/without" "$check/nodir"
	wants 0
	tree throughlink 'mkdir -p usr/bin; echo > usr/bin/modprobe'
	check_sysext --host-root "$check/merged" "$check/throughlink"
	wants 1
	says 'merge\.protected: usr/bin/modprobe '
	# An opt that is elsewhere, by an absolute link, and one that is nowhere.
	cp -a "$check/host" "$check/elsewhere"
	rmdir "$check/elsewhere/opt"
	mkdir -p "$check/elsewhere/var/opt"
	echo > "$check/elsewhere/var/opt/thing"
	ln -s /var/opt "$check/elsewhere/opt"
	tree opt 'mkdir -p opt/thing/x; ln -s /var/opt/thing opt/in'
	check_sysext --host-root "$check/elsewhere" "$check/opt"
	wants 1
	says_all <<< 'refused opt: merge.type: opt/thing is a directory in the image and a file in the root'
	ln -sfn /var/none "$check/elsewhere/opt"
	check_sysext --host-root "$check/elsewhere" "$check/opt"
	wants 0
	# Not even by mistake the machine's own files: the root's absolute links stay in the root.
	ln -sfn / "$check/elsewhere/opt"
	ln -sfn /usr "$check/elsewhere/usr/src/all"
	check_sysext --host-root "$check/elsewhere" "$check/opt"
	[ "$status" -le 1 ] || fail "$(quoted)"
}

without_root() {
	tree bad 'mkdir usr usr/lib; echo > usr/bin; ln -s share usr/lib64; echo > usr/lib/os-release'
	check_sysext "$check/bad"
	wants 1
	says '^refused bad: merge\.type: usr/bin is a file in the image and a directory in a usual root$'
	says '^refused bad: merge\.type: usr/lib64 is a link in the image and a directory in a usual root$'
	says '^refused bad: merge\.os-release: '
	check_sysext --type confext "$check/bad"
	wants 0
	says '^note bad: has no etc, so nothing is merged$'
	check_sysext "$check/plain"
	wants 0
}

# ---- names, options, size ---------------------------------------------------------------------

# shellcheck disable=SC2016  # for the tree
odd_names() {
	tree odd 'mkdir -p "usr/bin" "usr/$(printf "a\nrefused b")"; echo > "usr/$(printf "a\nrefused b")/os-release"
		ln -s "$(printf "/etc/\033[31mx\n\\\\y")" "usr/bin/$(printf "new\nline")"; echo > "usr/bin/-rf"; echo > "usr/bin/%s\\n"'
	check_sysext --host-root "$check/host" "$check/odd"
	wants 0
	says_all <<- 'END'
		note odd: usr/bin/new\nline leads to /etc/\x1b[31mx\n\\y, outside of the merged hierarchies
		accepted odd
	END
	# One that looks as another is written, and is not it.
	tree lookalike 'mkdir -p usr/bin; echo > "usr/bin/a\\nb"'
	cp -a "$check/host" "$check/strange"
	mkdir "$check/strange/usr/bin/$(printf 'a\nb')"
	check_sysext --host-root "$check/strange" "$check/lookalike"
	wants 0
	says_all <<< 'accepted lookalike'
	finish_images odd
	for file in "$check"/images/odd.*; do
		check_sysext --host-root "$check/host" --name odd "$file"
		says '^note odd: usr/bin/new\\nline leads to /etc/\\x1b'
	done
	# Of the places, too.
	mkdir -p "$check/$(printf 'p\nq =/run/x')"
	cp "$check/images/odd.erofs.raw" "$check/$(printf 'p\nq =/run/x')/odd.raw"
	check_sysext --host-root "$check/host" "$check/$(printf 'p\nq =/run/x')/odd.raw"
	says '^accepted odd$'
}

check_usage() {
	local words
	for words in '' '--frob x y' '--type portable x' '--name a x y' '--name' '--host-root'; do
		# shellcheck disable=SC2086  # words
		check_sysext $words
		[ "$status" = 2 ] || fail "'$words': status $status; $(quoted)"
	done
	mkdir -p "$check/a b/usr"
	check_sysext "$check/a b"
	wants 2
	tells "name 'a b'"
	check_sysext --host-root "$check/none" "$check/plain"
	wants 3
	run bootengine/check-sysext --help
	wants 0
	says '^Usage: check-sysext '
	# Nothing is left, whatever came of it.
	mkdir -p "$check/tmp"
	for words in "$check/plain" "$check/images/plain.erofs.raw" "$check/images/plain.squashfs.raw" "$check/zero.raw" "$check/none"; do
		TMPDIR=$check/tmp check_sysext "$words"
		[ -z "$(find "$check/tmp" -mindepth 1)" ] || fail "left behind by $words: $(find "$check/tmp" -mindepth 1)"
	done
}

takes_seconds() {
	tree big 'mkdir -p usr/share/big; cd usr/share/big; mkdir d{1..200}; touch d{1..200}/f{1..80}; for d in d*; do ln -s ../d1/f1 $d/l; done
		for i in {1..4000}; do echo "l$i"; done | xargs -n 500 ln -s -t d1 2> /dev/null'
	[ "$(find "$check/big" | wc -l)" -gt 20000 ] || fail "too few files"
	local begin=$SECONDS
	check_sysext --host-root "$tools" "$check/big"
	wants 0
	[ $((SECONDS - begin)) -le 20 ] || fail "$((SECONDS - begin)) seconds"
}

# ---- build-sysext -----------------------------------------------------------------------------

builds_what_fits() {
	tree sbin 'mkdir -p usr/sbin; echo > usr/sbin/new'
	build_by rsa --host-root "$check/merged" "$check/sbin" "$images/no.raw"
	wants 3
	tells 'sbin: merge\.type: usr/sbin is a directory in the image and a link in the root$'
	[ ! -e "$images/no.raw" ] || fail "made in spite of that"
	build_by rsa --host-root "$check/host" "$check/sbin" "$images/x.raw"
	wants 0
	! grep 'merge\.\|sbin:' "$err" || fail "told something"
	tree systemd 'mkdir -p usr/lib/systemd; echo > usr/lib/systemd/systemd'
	build_by rsa "$check/systemd" "$images/y.raw"
	wants 3
	tells 'systemd: merge\.init: usr/lib/systemd/systemd is protected'
	tree told '(umask 077; mkdir -p usr/bin); ln -s /etc/x usr/bin/x; chmod 0755 usr'
	build_by rsa --host-root "$check/host" "$check/told" "$images/x.raw"
	wants 0
	tells "told: usr/bin has mode 0700 in the image and 0755 in the root; merged, it has the root's\$"
	tells 'told: usr/bin/x leads to /etc/x, outside of the merged hierarchies$'
	tree etc 'mkdir etc; echo > etc/init'
	build_by rsa --type confext "$check/etc" "$images/y.raw"
	wants 3
	tells 'etc: merge\.init: etc/init is a file in the image and protected'
	build_by rsa --host-root "$check/none" "$check/told" "$images/y.raw"
	wants 3
	tells 'none: no such directory'
}

labels() {
	cat > "$check/file_contexts" <<- 'END'
		/.*	system_u:object_r:default_t:s0
		/usr(/.*)?	system_u:object_r:usr_t:s0
		/usr/bin(/.*)?	system_u:object_r:bin_t:s0
		/usr/bin/priv	--	system_u:object_r:priv_exec_t:s0
		/etc(/.*)?	system_u:object_r:etc_t:s0
	END
	echo '/opt /usr' > "$check/file_contexts.subs_dist"
	tree labelled-tree 'mkdir -p usr/bin opt; echo > usr/bin/priv; ln -s priv usr/bin/link; setfattr -n security.selinux -v of_builder usr/bin'
	build_by rsa --file-contexts "$check/file_contexts" "$check/labelled-tree" "$images/labelled.raw"
	wants 0
	check_sysext --host-root "$check/labelled" "$images/labelled.raw"
	says_all <<< 'accepted labelled'
	labels_in "$images/labelled.raw" <<- 'END'
		. system_u:object_r:default_t:s0
		./opt system_u:object_r:usr_t:s0
		./usr system_u:object_r:usr_t:s0
		./usr/bin system_u:object_r:bin_t:s0
		./usr/bin/link system_u:object_r:bin_t:s0
		./usr/bin/priv system_u:object_r:priv_exec_t:s0
		./usr/lib system_u:object_r:usr_t:s0
		./usr/lib/extension-release.d system_u:object_r:usr_t:s0
		./usr/lib/extension-release.d/extension-release.labelled system_u:object_r:usr_t:s0
	END
	tree labelled-tree 'mkdir -p etc; echo > etc/x'
	build_by rsa --type confext --file-contexts "$check/file_contexts" --compression lz4hc "$check/labelled-tree" "$images/labelled.raw"
	wants 0
	labels_in "$images/labelled.raw" <<- 'END'
		. system_u:object_r:default_t:s0
		./etc system_u:object_r:etc_t:s0
		./etc/extension-release.d system_u:object_r:etc_t:s0
		./etc/extension-release.d/extension-release.labelled system_u:object_r:etc_t:s0
		./etc/x system_u:object_r:etc_t:s0
	END
	build_by rsa --file-contexts "$check/file_contexts" --format squashfs "$tree" "$images/y.raw"
	wants 2
	tells 'mksquashfs can.t label files'
	build_by rsa --file-contexts "$check/none" "$tree" "$images/y.raw"
	wants 3
	echo '/usr(	system_u' > "$check/file_contexts"
	build_by rsa --file-contexts "$check/file_contexts" "$tree" "$images/y.raw"
	wants 3
	[ ! -e "$images/y.raw" ] || fail "made, of contexts that are none"
}
# On standard input: each path of the image, and its label.
labels_in() { # IMAGE
	local start
	start=$(od -An -tu8 -j $((2 * 512 + 32)) -N 8 "$1" | tr -d ' ')
	rm -rf "$scratch/unpack"
	mkdir "$scratch/unpack"
	cp "$1" "$scratch/unpack/image"
	bootengine/in-root --bind "$scratch/unpack=/run/unpack" "$tools" -- fsck.erofs --extract=/run/unpack/files --xattrs \
		"--offset=$((start * 512))" /run/unpack/image > "$log.unpack" 2>&1 || fail "$(cat "$log.unpack")"
	diff - <(cd "$scratch/unpack/files" && find . | sort | while IFS= read -r file; do
		echo "$file $(getfattr -h --only-values -n security.selinux "$file" | tr -d '\0')"
	done) || fail "other labels"
}

try "check-sysext: each rule, on a tree" each_rule
try "check-sysext: each rule, on an erofs and a squashfs" each_rule_on_images
try "check-sysext: what build-sysext makes; a partition of /usr" ddi
try "check-sysext: an erofs of small blocks" small_blocks
try "check-sysext: files that are no images" no_images
try "check-sysext: several, against each other" together
try "check-sysext: the order of the program" order_of_the_program
try "check-sysext: what is told, not refused" notes
try "check-sysext: mounts" submounts
try "check-sysext: labels" unlabelled
try "check-sysext: roots of other layouts" other_roots
try "check-sysext: without a root" without_root
try "check-sysext: odd names" odd_names
try "check-sysext: options" check_usage
try "check-sysext: 20,000 files take seconds" takes_seconds
try "build-sysext: what fits the root, and what is told of it" builds_what_fits
try "build-sysext: labels" labels
