# SPDX-License-Identifier: Apache-2.0
# vext. "make help" lists the targets.

VERSION := 0.1.0
SIZE_MAX := 458752 # bytes of the stripped program, on each architecture: 448 KiB

PREFIX ?= /usr
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
DRACUTDIR ?= $(PREFIX)/lib/dracut/modules.d
# Presets go beside it, into system-preset and initrd-preset.
UNITDIR ?= $(PREFIX)/lib/systemd/system
TOOLSDIR ?= $(PREFIX)/lib/vext

# The machine vext is for, and the way it is built: VARIANT is ARCH, or for tests host-asan, host-fuzz,
# host-coverage (clang, glibc, not static).
NATIVE := $(shell uname -m)
ARCH ?= $(NATIVE)
VARIANT ?= $(ARCH)
HOST := $(filter host-%,$(VARIANT))
ifeq ($(HOST)$(filter x86_64 aarch64,$(VARIANT)),)
$(error vext can't be built for $(VARIANT), only for x86_64 and aarch64)
endif

B := build/$(VARIANT)
DEPS := build/deps/$(VARIANT)
SETUP := build $(if $(filter $(ARCH),$(NATIVE)),,cross) $(if $(HOST),check)

# Libraries, each built from Debian's source package or taken from a prefix that MBEDTLS, BLKID, YYJSON name.
OURS := $(if $(MBEDTLS),,mbedtls) $(if $(BLKID),,blkid) $(if $(YYJSON),,yyjson)
LIBS := $(if $(MBEDTLS),-L$(MBEDTLS)/lib -lmbedx509 -lmbedcrypto) $(if $(BLKID),-L$(BLKID)/lib -lblkid) \
	$(if $(YYJSON),-L$(YYJSON)/lib -lyyjson) -L$(DEPS)/lib $(OURS:%=-l%)
DEPS_READY := $(patsubst %,$(DEPS)/%.stamp,$(or $(strip $(OURS)),$(if $(findstring command,$(origin CC)),,cc)))

# The compiler with musl, or with a sanitizer; src/deps/build makes it. CC=... names another one.
CC := $(DEPS)/cc
TOOLS := $(if $(HOST),,$(ARCH)-linux-gnu-)
AR := $(TOOLS)ar
STRIP := $(TOOLS)strip

WERROR ?= -Werror
WARNINGS := -Wall -Wextra $(WERROR) -Wshadow -Wconversion -Wsign-conversion -Wundef -Wvla -Walloca \
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wredundant-decls -Wnested-externs \
	-Wformat=2 -Wcast-align -Wcast-qual -Wpointer-arith -Wwrite-strings -Wswitch-enum -Wimplicit-fallthrough \
	-Wnull-dereference -Winit-self -Wdate-time
ifeq ($(HOST),)
WARNINGS += -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init
CODE := $(shell sed 's/[[:space:]]*\#.*//' src/deps/hardening)
LINK := -static-pie -Wl,-z,relro,-z,now,-z,noexecstack,--gc-sections,--fatal-warnings
else
CODE := -O1 -g
endif
override CPPFLAGS += -Isrc -I. $(patsubst %,-isystem %/include,$(MBEDTLS) $(BLKID) $(YYJSON) $(DEPS)) \
	-D_GNU_SOURCE -DVEXT_VERSION='"$(VERSION)"' $(if $(filter 1,$(RELEASE)),-DVEXT_RELEASE)
override CFLAGS := -std=gnu11 $(CODE) $(WARNINGS) -ffile-prefix-map=$(CURDIR)/= $(CFLAGS)
override LDFLAGS := $(LINK) $(LDFLAGS)

# An archive for each room, in the order in which they use each other, so that a room can be tested, and
# looked at, alone.
ROOMS := main probe sys crypto core
SOURCES_main := $(filter-out src/main.c,$(wildcard src/*.c))
SOURCES_crypto := $(wildcard crypto/*.[cS])
$(foreach room,probe sys core,$(eval SOURCES_$(room) := $(wildcard src/$(room)/*.c)))
# With the whole name of the source: what a file.d says of file.S is no use when there is a file.c instead.
object = $(1:%=$(B)/obj/%.o)
ARCHIVES := $(ROOMS:%=$(B)/lib%.a)
OBJECTS := $(call object,src/main.c $(foreach room,$(ROOMS),$(SOURCES_$(room))))

# What stands in for a part of musl; a compiler of one's own may have another libc.
LIBC := $(if $(HOST)$(findstring command,$(origin CC)),,$(call object,src/deps/printf.c))
OBJECTS += $(LIBC)

comma := ,
CERTS := $(subst $(comma), ,$(CERT))
PROGRAM := $(if $(filter $(VARIANT),$(NATIVE)),build/vext,$(B)/vext)

# What was used last time: objects and the program are made again when it changes.
quote = '$(subst ','\'',$(1))'
remember = mkdir -p $(@D); printf '%s\n' $(call quote,$(1)) | cmp -s - $@ || printf '%s\n' $(call quote,$(1)) > $@
ifneq ($(V),1)
Q := @
say = @printf '  %-7s %s\n' $(1) '$(2)';
endif

.PHONY: all libs demo bootengine check check-long fuzz faults oracle coverage mutation bench size size-baseline install \
	install-builder install-systemd clean distclean help FORCE
.DELETE_ON_ERROR:

all: $(PROGRAM) build/vext.8

libs: $(ARCHIVES)

build/vext: build/$(NATIVE)/vext
	$(Q)ln -f $< $@

# Stripped, with the certificates of CERT=a.crt,b.crt as its trust anchors and the text of CONFIG as its
# configuration.
$(B)/vext: $(B)/vext.elf $(B)/baked $(CERTS) $(CONFIG)
ifeq ($(HOST),)
	$(call say,STRIP,$@)$(STRIP) -o $@.new $<
else
	$(Q)cp $< $@.new
endif
ifneq ($(CERTS)$(CONFIG),)
	$(call say,BAKE,$(CERTS) $(CONFIG))crypto/bake $(CONFIG:%=--config %) $@.new $@.new $(CERTS)
endif
	$(Q)mv $@.new $@

$(CERTS):
	@echo 'CERT=$(CERT): there is no file $@' >&2; exit 1

$(B)/vext.elf: $(call object,src/main.c) $(LIBC) $(ARCHIVES) $(B)/link
	$(call say,LINK,$@)$(CC) $(CFLAGS) $(LDFLAGS) -Wl,-Map=$(B)/vext.map -o $@ $(filter %.o %.a,$^) $(LIBS)
ifeq ($(HOST),)
	$(Q)src/deps/check-elf $@ $(ARCH) $(SIZE_MAX)
endif

# The manual page, with every reason of the table.
build/vext.8: doc/vext.8.in doc/reasons.awk src/reason.def Makefile
	@mkdir -p $(@D)
	$(Q)awk -f doc/reasons.awk src/reason.def > $@.reasons
	$(Q)sed -e '/^@REASONS@$$/{r $@.reasons' -e 'd}' -e 's/@VERSION@/$(VERSION)/' $< > $@.new
	$(Q)rm -f $@.reasons && mv $@.new $@

define archive
$(B)/lib$(1).a: $(call object,$(SOURCES_$(1))) $(B)/link
	$$(Q)rm -f $$@.new && $$(AR) rcsD $$@.new $$(filter %.o,$$^) && mv $$@.new $$@
endef
$(foreach room,$(ROOMS),$(eval $(call archive,$(room))))

$(B)/obj/%.c.o: %.c $(B)/flags $(DEPS_READY)
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/obj/%.S.o: %.S $(B)/flags $(DEPS_READY)
	@mkdir -p $(@D)
	$(call say,AS,$<)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

-include $(OBJECTS:.o=.d)

$(B)/flags: FORCE
	@$(call remember,$(CC) $(CPPFLAGS) $(CFLAGS))
$(B)/link: FORCE
	@$(call remember,$(OBJECTS) $(LDFLAGS) $(LIBS))
$(B)/baked: FORCE
	@$(call remember,$(CERTS) $(CONFIG))

# The script itself knows what is up to date; its stamp changes when a library did.
$(DEPS_READY): $(DEPS)/%.stamp: src/deps/build src/deps/fetch src/deps/hardening src/deps/musl.specs.in \
		src/deps/mbedtls-pk.c src/deps/blkid-gpt.c src/deps/blkid-quiet.h src/deps/yyjson-real.c crypto/mbedtls_config.h
	@src/deps/setup $(SETUP)
	@src/deps/build $(VARIANT) $*
	@touch $@

demo: all
	@src/deps/setup build images
	$(Q)qemu/demo

# An initramfs with vext, of the tools root's kernel; larger than its budget it is an error.
BOOTENGINE_MAX := 12M
bootengine: all
	@src/deps/setup build images
	$(Q)bootengine/update-bootengine --max-size $(BOOTENGINE_MAX)

check: all
	@src/deps/setup build cross images check
	$(Q)tests/run

# What is too long for that, apart from the targets below.
check-long: all
	@src/deps/setup build cross images check
	$(Q)tests/run --long

# FUZZ_SECONDS for each target, FUZZ_TARGET="a b" only those.
fuzz:
	@src/deps/setup build check
	$(Q)tests/fuzz/fuzz $(if $(FUZZ_SECONDS),--seconds $(FUZZ_SECONDS)) $(FUZZ_TARGET)

faults: all
	@src/deps/setup build images check
	$(Q)tests/faults/run --all

# ORACLE_COUNT mutants, 100000 if it is not said.
oracle: all
	@src/deps/setup build check images
	@bootengine/debian-root bootengine/tools.packages build/roots/tools
	$(Q)tests/oracle/oracle $(if $(ORACLE_COUNT),--count $(ORACLE_COUNT))

# Also in make check; every line is in build/test/coverage/html.
coverage:
	@src/deps/setup build images check
	$(Q)tests/coverage/run

# Goes on where it was stopped. MUTATION="--again" or file names, see there.
mutation: all
	@src/deps/setup build images check
	$(Q)$(MAKE) -s VARIANT=host-asan libs
	$(Q)$(MAKE) -s -f tests/unit/Makefile
	$(Q)tests/mutation/mutation $(MUTATION)

bench: all
	@src/deps/setup build images check
	$(Q)VEXT_BENCH_RUNS=1000 tests/bench/run

size: $(B)/vext
	@src/deps/size-report $(B)/vext.map $<
	@src/deps/symbols list $(B)/vext.elf $(ARCH) > $(B)/symbols
	@printf '\nThe largest symbols:\n' && src/deps/symbols largest $(B)/symbols

# What make check compares the symbols with; it is refreshed where a difference is meant to be forgotten.
size-baseline:
	$(Q)$(MAKE) --no-print-directory ARCH=x86_64 build/x86_64/vext
	$(Q)src/deps/symbols list build/x86_64/vext.elf x86_64 > build/x86_64/symbols
	$(Q)cp build/x86_64/symbols doc/sizes.symbols

# Units, drop-ins and presets, laid out as in /usr/lib/systemd.
UNITS := $(patsubst systemd/system/%,%,$(wildcard systemd/system/*.service systemd/system/*.d/*.conf))
PRESETS := $(patsubst systemd/%,%,$(wildcard systemd/*-preset/*.preset))

install-systemd:
	set -e; for file in $(UNITS); do install -D -m 644 systemd/system/$$file $(DESTDIR)$(UNITDIR)/$$file; done
	set -e; for file in $(PRESETS); do install -D -m 644 systemd/$$file $(DESTDIR)$(dir $(UNITDIR))$$file; done

install: $(PROGRAM) build/vext.8 install-systemd
	install -D -m 755 $(PROGRAM) $(DESTDIR)$(BINDIR)/vext
	install -D -m 644 build/vext.8 $(DESTDIR)$(MANDIR)/man8/vext.8
	install -d $(DESTDIR)$(DRACUTDIR)/90vext
	install -m 755 $(wildcard dracut/90vext/*.sh) $(DESTDIR)$(DRACUTDIR)/90vext
	install -m 644 $(wildcard dracut/90vext/*.rules) $(DESTDIR)$(DRACUTDIR)/90vext

# The image builder's side. Its scripts find each other, and the program, by where they lie.
BUILDER := bake ephemeral-key build-sysext check-sysext inject update-bootengine check-kernel-config
install-builder: install
	install -d $(DESTDIR)$(TOOLSDIR)/crypto $(DESTDIR)$(TOOLSDIR)/bootengine $(DESTDIR)$(TOOLSDIR)/build $(DESTDIR)$(TOOLSDIR)/dracut \
		$(DESTDIR)$(TOOLSDIR)/src/core
	install -m 755 crypto/bake crypto/ephemeral-key $(DESTDIR)$(TOOLSDIR)/crypto
	install -m 644 crypto/section.h $(DESTDIR)$(TOOLSDIR)/crypto
	install -m 644 src/core/protected.def $(DESTDIR)$(TOOLSDIR)/src/core
	install -m 755 $(filter-out %.packages %.sh %.awk %/packaging,$(wildcard bootengine/*)) $(DESTDIR)$(TOOLSDIR)/bootengine
	install -m 644 bootengine/tools.packages bootengine/work.sh bootengine/check-sysext.awk $(DESTDIR)$(TOOLSDIR)/bootengine
	ln -sfn $(DRACUTDIR)/90vext $(DESTDIR)$(TOOLSDIR)/dracut/90vext
	set -e; for file in $(UNITS:%=system/%) $(PRESETS); do install -D -m 644 systemd/$$file $(DESTDIR)$(TOOLSDIR)/systemd/$$file; done
	ln -sfn $(BINDIR)/vext $(DESTDIR)$(TOOLSDIR)/build/vext
	$(Q)for tool in $(BUILDER); do \
		ln -sfn $(TOOLSDIR)/$$(cd $(DESTDIR)$(TOOLSDIR) && echo */$$tool) $(DESTDIR)$(BINDIR)/vext-$$tool || exit; \
	done

clean:
	rm -rf build/vext build/vext.8 build/x86_64 build/aarch64 build/host-*

distclean:
	rm -rf --one-file-system build

help:
	@echo 'make                 build/vext; ARCH=aarch64 or x86_64: build/ARCH/vext, cross-compiled'
	@echo 'make CERT=a.crt,...  with these certificates as trust anchors; CONFIG=FILE: with this configuration;'
	@echo '                     RELEASE=1: refuses test keys (O=vext test)'
	@echo 'make demo            boot a machine that merges signed extensions and refuses others'
	@echo 'make bootengine      build/bootengine.cpio, an initramfs with vext; BOOTENGINE_MAX is its budget'
	@echo 'make check           all tests; ends with "N passed, N failed"'
	@echo 'make check-long      the guests that take longer, such as 100 rounds of merging and unmerging'
	@echo 'make fuzz            run the fuzz targets; FUZZ_SECONDS=60 for each, FUZZ_TARGET=... only those'
	@echo 'make faults          each system call and allocation fails, in every way; make check takes a sample'
	@echo 'make oracle          judge 100000 mutants of images by vext and by other tools'
	@echo 'make coverage        lines and branches of core, probe and crypto that tests run; in make check as well'
	@echo 'make mutation        change one thing at a time in them: does a test notice? Takes hours'
	@echo 'make bench           CPU time and memory of judging an image; make check takes fewer runs'
	@echo 'make size            what the program is made of, in bytes, and its largest symbols; size-baseline writes'
	@echo '                     doc/sizes.symbols, with which make check compares'
	@echo 'make install         DESTDIR, PREFIX: the program, its manual page, the dracut module, and what systemd needs:'
	@echo '                     units, drop-ins for its own units, and presets, which install-systemd puts there alone'
	@echo 'make install-builder the same, and what signs extensions and puts certificates in: vext-bake ...'
	@echo 'make clean           remove what was compiled; distclean: also downloads, libraries, images'
	@echo
	@echo 'V=1 shows the commands. MBEDTLS=DIR BLKID=DIR YYJSON=DIR: static libraries of your own, each'
	@echo 'a prefix with include/ and lib/. VARIANT=host-asan libs: the rooms with sanitizers, for tests.'
