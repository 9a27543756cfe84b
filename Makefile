# Builds, runs and tests Belady. `make help` says how. Everything built lies in build/ (or BUILD=DIRECTORY).
#
#   kernel     every .c and .S below boot/ kernel/ mm/ drivers/ tests/kernel/        -> build/belady.elf
#   programs   each user/NAME.c, with what it calls of user/lib/                     -> build/user/NAME, stripped into build/root/bin
#              each tests/user/NAME.c, the same way                                  -> build/tests/user/NAME, into build/root-tests/test
#              each tests/linux/NAME.c, the same way                                 -> build/tests/linux/NAME, into build/root-tests/linux
#              each tests/glibc/NAME.c or .cc, with glibc and libstdc++              -> build/tests/glibc/NAME, into build/glibc.cpio
#   archives   build/root with mksh and user/root/                                   -> build/initrd.cpio
#              build/root-tests, laid over the former by tests                       -> build/tests.cpio
#   on the host, with sanitizers: each tests/host/NAME.c                             -> build/host/NAME
#   on the host: tools/pagesim/ with mm/policy/, the page-replacement simulator        -> build/pagesim
#
# tools/setup.sh finds or installs what is needed and chooses the compiler (CROSS=PREFIX overrides).

BUILD ?= build
MEM ?= 128M
APPEND ?= swap=64M
T ?=
export BUILD APPEND T
# Python keeps its caches out of the source tree.
export PYTHONDONTWRITEBYTECODE := 1

.DEFAULT_GOAL := all
.PHONY: all kernel initrd run test test-linux debug iso run-iso bench pagesim lab-replacement doctor clean help FORCE
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
MAKEFLAGS += -j$(shell nproc) --no-print-directory --no-builtin-rules

ifeq ($(V),1)
say = @:
else
say = @printf '  %-8s%s\n'
Q := @
endif

# ---- What this machine has -------------------------------------------------------------------------------------------------------

# make takes any X user's DISPLAY from the environment for a variable of its own: only `make run DISPLAY=1` asks for the VGA screen.
ifeq ($(origin DISPLAY),command line)
ifneq ($(filter-out 0 no,$(DISPLAY)),)
WANT_DISPLAY := yes
X_DISPLAY := $(shell tr '\0' '\n' </proc/$$PPID/environ | sed -n 's/^DISPLAY=//p')
endif
endif

GOALS := $(or $(MAKECMDGOALS),all)
NEEDS := $(if $(filter-out help clean doctor,$(GOALS)),build)
NEEDS += $(if $(filter run run-iso bench debug test test-linux lab-replacement,$(GOALS)),run)
NEEDS += $(if $(filter run run-iso,$(GOALS)),$(if $(WANT_DISPLAY),display))
NEEDS += $(if $(filter all iso run-iso test,$(GOALS)),iso)
NEEDS += $(if $(filter debug test,$(GOALS)),debug)
NEEDS += $(if $(filter test,$(GOALS)),test)
ifneq ($(strip $(NEEDS)),)
ifneq ($(shell SETUP='$(SETUP)' CROSS='$(CROSS)' BUILD='$(BUILD)' tools/setup.sh $(NEEDS) >&2 && echo ready),ready)
$(error the tools are not complete)
endif
include $(BUILD)/host.mk
endif

# ---- Compilers and flags ---------------------------------------------------------------------------------------------------------

CC := $(CROSS_PREFIX)gcc $(CROSS_FLAGS)
WARNINGS := -Wall -Wextra $(if $(filter true 1,$(CI) $(WERROR)),-Werror)
SYSROOT := $(BUILD)/sysroot
MUSL := $(SYSROOT)/usr/lib/i386-linux-musl
LINUX_HEADERS := -isystem $(SYSROOT)/usr/include/i386-linux-gnu -isystem $(SYSROOT)/usr/include

# It runs on a 486; the tuning is for what people have, which is also what needs the fewest instructions. A function's first three
# arguments come in eax, edx and ecx (-mregparm=3), as entry.S and switch.S know; a structure of one word is returned in eax.
KERNEL_FLAGS := -std=gnu11 -march=i486 -mtune=generic -O2 -g -ffreestanding -fno-pic -fno-pie -fno-common -fcf-protection=none -mgeneral-regs-only -mregparm=3 -freg-struct-return -mpreferred-stack-boundary=2 \
    -fno-asynchronous-unwind-tables -fomit-frame-pointer -fno-stack-protector -fno-strict-aliasing $(WARNINGS) \
    -nostdinc -I. -isystem $(COMPILER_HEADERS) $(LINUX_HEADERS)
KERNEL_LINK := -static -nostdlib -no-pie -T $(BUILD)/linker.ld -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack

USER_FLAGS := -std=gnu11 -march=i686 -O2 -g -fno-pic -fno-pie -fcf-protection=none -fno-stack-protector $(WARNINGS) \
    -nostdinc -I. -isystem $(SYSROOT)/usr/include/i386-linux-musl -isystem $(COMPILER_HEADERS) $(LINUX_HEADERS)
USER_LINK := -static -nostdlib -no-pie -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack

# At a fixed address: on a host with much randomness in its addresses (vm.mmap_rnd_bits=32) one that moves now and then lands where older
# sanitizers keep their heap, and does not start.
HOST_FLAGS := -std=gnu11 -O1 -g -fno-pie -no-pie -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -fno-strict-aliasing \
    $(WARNINGS) -DHOST_TEST -Itests/host/stub -I.

PAGESIM_FLAGS := -std=gnu11 -O3 -g $(WARNINGS) -I.

# ---- What there is to build ------------------------------------------------------------------------------------------------------

KERNEL_SOURCES := $(sort $(shell find boot kernel mm drivers tests/kernel -name '*.[cS]' 2>/dev/null))
KERNEL_OBJECTS := $(KERNEL_SOURCES:%=$(BUILD)/obj/%.o)
USER_LIBRARY := $(patsubst %,$(BUILD)/obj/%.o,$(sort $(wildcard user/lib/*.[cS])))
PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard user/*.c)))
TEST_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/user/*.c)))
# One of them is linked in two more ways.
LINKED_PROGRAMS := $(addprefix $(BUILD)/tests/user/linked_,pie dynamic)
LINUX_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/linux/*.c)))
GLIBC_PROGRAMS := $(patsubst %,$(BUILD)/%,$(basename $(sort $(wildcard tests/glibc/*.c tests/glibc/*.cc))))
LINUX_FILES := $(sort $(wildcard tests/linux/*.sh tests/linux/*.txt))
HOST_TESTS := $(patsubst tests/host/%.c,$(BUILD)/host/%,$(sort $(wildcard tests/host/*.c)))
# mm as host tests link it; what is left out stands in tests/host/stub/ in another form.
HOST_LIBRARY := $(filter-out $(addprefix mm/,kmem.c kmem_cache.c user.c start.c report.c trace_output.c),$(wildcard mm/*.c mm/policy/*.c)) \
    drivers/block.c $(wildcard tests/host/stub/*.c)
HOST_OBJECTS := $(patsubst %.c,$(BUILD)/host-obj/%.o,$(sort $(HOST_LIBRARY)))
PAGESIM_OBJECTS := $(patsubst %.c,$(BUILD)/pagesim-obj/%.o,$(sort $(wildcard mm/policy.c mm/policy/*.c tools/pagesim/*.c)))
ROOT_FILES := $(sort $(shell find user/root 2>/dev/null))

all: kernel initrd iso
kernel: $(BUILD)/belady.elf
initrd: $(BUILD)/initrd.cpio
iso: $(BUILD)/belady.iso

quoted = '$(subst ','\'',$(1))'

# A stamp is a file that holds a text and is touched only when the text changes, so that what depends on flags or on a list of files
# is rebuilt when these change.
STAMP_kernel = $(CC) $(KERNEL_FLAGS)
STAMP_user = $(CC) $(USER_FLAGS)
STAMP_host = $(HOST_FLAGS)
STAMP_pagesim = gcc $(PAGESIM_FLAGS)
STAMP_objects = $(KERNEL_LINK) $(KERNEL_OBJECTS)
STAMP_root = $(PROGRAMS) $(ROOT_FILES)
STAMP_root-tests = $(TEST_PROGRAMS) $(LINKED_PROGRAMS) $(LINUX_PROGRAMS) $(LINUX_FILES)
STAMP_iso = $(APPEND)
STAMPS := $(addprefix $(BUILD)/stamp/,kernel user host pagesim objects root root-tests iso)
$(STAMPS): $(BUILD)/stamp/%: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(call quoted,$(STAMP_$*)) | cmp -s - $@ || printf '%s\n' $(call quoted,$(STAMP_$*)) >$@

# ---- Kernel ----------------------------------------------------------------------------------------------------------------------

$(BUILD)/obj/%.o: % $(BUILD)/stamp/kernel
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(KERNEL_FLAGS) -MMD -MP -c $< -o $@

$(BUILD)/linker.ld: linker.ld boot/layout.h
	$(Q)$(CC) -E -P -x c -I. $< -o $@

# Linked twice: first with an empty symbol table, to learn the addresses that the table of the second holds. That these have not
# moved is verified.
$(BUILD)/belady.elf: $(BUILD)/linker.ld tools/symbols.py $(KERNEL_OBJECTS) $(BUILD)/stamp/objects
	$(say) LINK $@
	$(Q)tools/symbols.py </dev/null >$(BUILD)/symbols.c
	$(Q)$(CC) $(KERNEL_FLAGS) -c $(BUILD)/symbols.c -o $(BUILD)/symbols.o
	$(Q)$(CC) $(KERNEL_LINK) $(KERNEL_OBJECTS) $(BUILD)/symbols.o -o $@.first
	$(Q)$(CROSS_PREFIX)nm -n $@.first | tools/symbols.py >$(BUILD)/symbols.c
	$(Q)$(CC) $(KERNEL_FLAGS) -c $(BUILD)/symbols.c -o $(BUILD)/symbols.o
	$(Q)$(CC) $(KERNEL_LINK) $(KERNEL_OBJECTS) $(BUILD)/symbols.o -o $@
	$(Q)$(CROSS_PREFIX)nm -n $@ | tools/symbols.py | cmp - $(BUILD)/symbols.c
	$(Q)rm $@.first

# ---- User programs and archives --------------------------------------------------------------------------------------------------

define COMPILE_PROGRAMS
$(BUILD)/obj/$(1)/%.o: $(1)/% $(BUILD)/stamp/user
	$$(say) CC $$<
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(USER_FLAGS) -MMD -MP -c $$< -o $$@

endef
$(eval $(foreach directory,user tests/user tests/linux,$(call COMPILE_PROGRAMS,$(directory))))

# Programs take from it what they call.
$(BUILD)/user-library.a: $(USER_LIBRARY)
	$(say) AR $@
	$(Q)rm -f $@
	$(Q)$(CROSS_PREFIX)ar rcs $@ $^

$(PROGRAMS) $(TEST_PROGRAMS) $(LINUX_PROGRAMS): $(BUILD)/%: $(BUILD)/obj/%.c.o $(BUILD)/user-library.a
	$(say) LINK $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(USER_LINK) $(MUSL)/crt1.o $(MUSL)/crti.o $^ -Wl,--start-group $(MUSL)/libc.a $(LIBGCC) -Wl,--end-group $(MUSL)/crtn.o -o $@

INDEPENDENT_FLAGS = $(filter-out -fno-pic -fno-pie,$(USER_FLAGS)) -fpie $< $(wildcard user/lib/*.c)
INDEPENDENT_LINK = $(filter-out -static -no-pie,$(USER_LINK)) $(MUSL)/crti.o
$(LINKED_PROGRAMS): tests/user/linked.c $(wildcard user/lib/*.[ch]) $(BUILD)/stamp/user
$(BUILD)/tests/user/linked_pie:
	$(say) LINK $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(INDEPENDENT_FLAGS) $(INDEPENDENT_LINK) -static-pie $(MUSL)/rcrt1.o -Wl,--start-group $(MUSL)/libc.a $(LIBGCC) -Wl,--end-group $(MUSL)/crtn.o -o $@
$(BUILD)/tests/user/linked_dynamic:
	$(say) LINK $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(INDEPENDENT_FLAGS) $(INDEPENDENT_LINK) -pie -Wl,--dynamic-linker=/lib/ld-musl-i386.so.1 $(MUSL)/Scrt1.o -L$(SYSROOT)/lib/i386-linux-musl -l:libc.so $(LIBGCC) $(MUSL)/crtn.o -o $@

# Built anew each time, so that nothing deleted from the source lives on in it.
$(BUILD)/initrd.cpio: $(PROGRAMS) $(ROOT_FILES) $(BUILD)/stamp/root tools/pack.sh
	$(say) PACK $@
	$(Q)rm -rf $(BUILD)/root
	$(Q)mkdir -p $(addprefix $(BUILD)/root/,bin dev etc proc tmp)
	$(Q)for program in $(PROGRAMS); do $(CROSS_PREFIX)strip -o $(BUILD)/root/bin/$${program##*/} $$program || exit 1; done
	$(Q)cp $(SYSROOT)/mksh $(BUILD)/root/bin/mksh
	$(Q)ln -s mksh $(BUILD)/root/bin/sh
	$(Q)if [ -d user/root ]; then cp -r user/root/. $(BUILD)/root; fi
	$(Q)chmod -R u=rwX,go=rX $(BUILD)/root
	$(Q)chmod 1777 $(BUILD)/root/tmp
	$(Q)tools/pack.sh $(BUILD)/root $@

$(BUILD)/tests.cpio: $(TEST_PROGRAMS) $(LINKED_PROGRAMS) $(LINUX_PROGRAMS) $(LINUX_FILES) $(BUILD)/stamp/root-tests tools/pack.sh
	$(say) PACK $@
	$(Q)rm -rf $(BUILD)/root-tests
	$(Q)mkdir -p $(BUILD)/root-tests/test $(BUILD)/root-tests/linux $(BUILD)/root-tests/lib
	$(Q)cp $(SYSROOT)/lib/i386-linux-musl/libc.so $(BUILD)/root-tests/lib/ld-musl-i386.so.1
	$(Q)for program in $(TEST_PROGRAMS) $(LINKED_PROGRAMS); do $(CROSS_PREFIX)strip -o $(BUILD)/root-tests/test/$${program##*/} $$program || exit 1; done
	$(Q)for program in $(LINUX_PROGRAMS); do $(CROSS_PREFIX)strip -o $(BUILD)/root-tests/linux/$${program##*/} $$program || exit 1; done
	$(Q)cp $(LINUX_FILES) $(BUILD)/root-tests/linux
	$(Q)chmod -R u=rwX,go=rX $(BUILD)/root-tests
	$(Q)tools/pack.sh $(BUILD)/root-tests $@

$(BUILD)/belady.iso: $(BUILD)/belady.elf $(BUILD)/initrd.cpio $(BUILD)/stamp/iso tools/iso.sh
	$(say) ISO $@
	$(Q)tools/iso.sh $@ "$$APPEND" $(BUILD)/belady.elf $(BUILD)/initrd.cpio

# Laid into build/glibc by the name of what is fetched, so that a fetch that failed is begun anew.
$(BUILD)/glibc/packages: tools/glibc.sh tools/sysroot.sh
	$(say) FETCH $(@D)
	$(Q)tools/glibc.sh fetch

$(BUILD)/tests/glibc/%: tests/glibc/%.* user/lib/check.c user/lib/check.h tools/glibc.sh $(BUILD)/glibc/packages
	$(say) LINK $@
	@mkdir -p $(@D)
	$(Q)tools/glibc.sh compile $@ $(filter tests/glibc/%,$^) user/lib/check.c -- $(WARNINGS)

$(BUILD)/glibc.cpio: $(GLIBC_PROGRAMS) tools/pack.sh
	$(say) PACK $@
	$(Q)rm -rf $(BUILD)/root-glibc
	$(Q)mkdir -p $(BUILD)/root-glibc/glibc
	$(Q)for program in $(GLIBC_PROGRAMS); do $(CROSS_PREFIX)strip -o $(BUILD)/root-glibc/glibc/$${program##*/} $$program || exit 1; done
	$(Q)tools/pack.sh $(BUILD)/root-glibc $@

# ---- Tests on the host -----------------------------------------------------------------------------------------------------------

$(BUILD)/host-obj/%.o: %.c $(BUILD)/stamp/host
	$(say) HOSTCC $<
	@mkdir -p $(@D)
	$(Q)gcc $(HOST_FLAGS) -MMD -MP -c $< -o $@

$(BUILD)/host-obj/mm.a: $(HOST_OBJECTS)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/host/%: tests/host/%.c $(BUILD)/host-obj/mm.a $(BUILD)/stamp/host
	$(say) HOSTCC $<
	@mkdir -p $(@D)
	$(Q)gcc $(HOST_FLAGS) -MMD -MP -MF $@.d $< $(BUILD)/host-obj/mm.a -lcmocka -o $@

# ---- The page-replacement simulator ----------------------------------------------------------------------------------------------

pagesim: $(BUILD)/pagesim

$(BUILD)/pagesim-obj/%.o: %.c $(BUILD)/stamp/pagesim
	$(say) HOSTCC $<
	@mkdir -p $(@D)
	$(Q)gcc $(PAGESIM_FLAGS) -MMD -MP -c $< -o $@

$(BUILD)/pagesim: $(PAGESIM_OBJECTS)
	$(say) LINK $@
	$(Q)gcc $(PAGESIM_FLAGS) $^ -o $@

# A kernel that misbehaves on request, for tests/60-red.t.
$(BUILD)/red/stand_in.elf: tests/red/stand_in.S $(BUILD)/stamp/kernel
	$(say) LINK $@
	@mkdir -p $(@D)
	$(Q)$(CC) -static -nostdlib -no-pie -Wl,--build-id=none,-z,noexecstack,-z,max-page-size=4096,-Ttext=0x100000,-e,entry $< -o $@

# ---- Running ---------------------------------------------------------------------------------------------------------------------

QEMU := tools/qemu.py --memory $(MEM) $(if $(filter 1,$(V)),--show)
RUN := @$(if $(WANT_DISPLAY),DISPLAY='$(X_DISPLAY)') $(QEMU) $(if $(WANT_DISPLAY),--display gtk)

# Programs of Debian's, laid over the root: ROOTFS=busybox or ROOTFS=bash.
$(BUILD)/rootfs-%.cpio: tools/rootfs.sh tools/sysroot.sh tools/pack.sh
	$(say) PACK $@
	@mkdir -p $(@D)
	$(Q)tools/rootfs.sh $* $@

ROOTFS_ARCHIVES := $(ROOTFS:%=$(BUILD)/rootfs-%.cpio)

run: $(BUILD)/belady.elf $(BUILD)/initrd.cpio $(ROOTFS_ARCHIVES)
	@echo "Belady in QEMU: the console is this terminal. Leave with \`exit', or ^A x at any time."
	$(RUN) --append "$$APPEND" $(if $(ROOTFS),$(patsubst %,--module %,$(BUILD)/initrd.cpio $(ROOTFS_ARCHIVES)))

run-iso: $(BUILD)/belady.iso
	@echo "Belady in QEMU by way of GRUB. Leave with \`exit', or ^A x at any time."
	$(RUN) --iso $<

debug: $(BUILD)/belady.elf $(BUILD)/initrd.cpio $(if $(PROG),$(BUILD)/tests.cpio)
	@tools/debug.py --memory $(MEM) --append "$$APPEND" $(if $(PROG),--program $(PROG))

bench: $(BUILD)/belady.elf $(BUILD)/initrd.cpio
	@tools/bench.py

# The plots of the chapter on page replacement, as one page.
lab-replacement: $(BUILD)/belady.elf $(BUILD)/initrd.cpio $(BUILD)/pagesim
	@tools/lab/replacement.py $(BUILD)/lab-replacement.html

test: $(BUILD)/belady.elf $(BUILD)/initrd.cpio $(BUILD)/tests.cpio $(BUILD)/rootfs-busybox.cpio $(BUILD)/rootfs-bash.cpio $(BUILD)/glibc.cpio $(BUILD)/belady.iso $(BUILD)/red/stand_in.elf $(BUILD)/pagesim $(HOST_TESTS)
	@tests/run

# Records anew, on Linux, what `make test` compares.
$(BUILD)/rootfs/linux-image-686-pae: tools/sysroot.sh
	$(say) FETCH $@
	$(Q)tools/sysroot.sh $(@F)
	@touch $@

test-linux: $(BUILD)/rootfs/linux-image-686-pae $(BUILD)/initrd.cpio $(BUILD)/tests.cpio $(BUILD)/rootfs-busybox.cpio $(BUILD)/rootfs-bash.cpio
	@tools/linux.py

doctor:
	@tools/doctor.sh

clean:
	rm -rf $(filter-out $(BUILD)/packages,$(wildcard $(BUILD)/*))

help:
	@echo 'make run        boot to a shell in QEMU, on this terminal   MEM=128M APPEND="swap=64M paging=pae ..." DISPLAY=1 ROOTFS=busybox'
	@echo 'make test       run every test, headless                    T=WORD only what matches   SEED=N'
	@echo 'make test-linux record on Linux (Debian'"'"'s i386 kernel in QEMU) what make test compares; fetches 50 MB once'
	@echo 'make debug      QEMU stopped at the first instruction, gdb  PROG=cow for breakpoints in a user program'
	@echo 'make iso        build/belady.iso, booted through GRUB by make run-iso'
	@echo 'make bench      what each operation costs, against Linux'
	@echo 'make pagesim    build/pagesim, the page-replacement simulator for the host: build/pagesim --help'
	@echo 'make lab-replacement  the page replacement laboratory: build/lab-replacement.html, one page of plots'
	@echo 'make doctor     versions, and what is wrong'
	@echo 'make clean      remove what was built; downloaded packages stay in build/packages'
	@echo 'Everywhere: SETUP=no never installs, CROSS=PREFIX- chooses the compiler, WERROR=1, V=1 shows commands, BUILD=DIRECTORY'

-include $(KERNEL_OBJECTS:.o=.d) $(USER_LIBRARY:.o=.d) $(HOST_TESTS:=.d) $(HOST_OBJECTS:.o=.d) $(PAGESIM_OBJECTS:.o=.d)
-include $(patsubst $(BUILD)/%,$(BUILD)/obj/%.c.d,$(PROGRAMS) $(TEST_PROGRAMS) $(LINUX_PROGRAMS))
