# SPDX-License-Identifier: GPL-2.0-or-later
#
# synfin: quiet (V=1 shows the commands), out of tree (O=), incremental.

O	?= build
CC	?= gcc
CLANG	?= clang
BPFTOOL	?= bpftool
CFLAGS	?= -O3 -g
ARCH	?= $(shell uname -m)

ifeq ($V,1)
  Q :=
else
  Q := @
  say = @printf '  %-7s %s\n' '$1' '$(patsubst $O/%,%,$@)';
endif

# The engine: linked into tool, tests and fuzzers alike, and pure (tests/check/purity).
ENGINE	:= tcp_state words scope portset memo cgroup process names owner listenmap conntab resting verdict lifecycle ownerset timewait tell ends requests minis \
	   mini_segment mini_census listeners engine keytab tw_table tw_owners ports queues age stuck survey
ENGINE	+= view conclude ladder explain
ENGINE	+= series histogram metrics ladder_copy troubles owner_sums monitor grid
CORE	:= $(ENGINE) decode field tally row text value human summary sink sink_json sink_csv \
	   sink_table table cells survey_tables doctor mib cpus netns_facts audit duration out cleanup write_all log cli help usage options netns \
	   cgroup_mount cgroup_v1 cgroup_walk cgroup_lookup netns_lookup \
	   process_lookup resolver recorder replay session recorded metric netns_sums accept_queues topk tops gauges groups exposition negotiate gzip listen textfile web_config auth
CORE	+= label sentence draw mermaid explainer scenario locale_utf8
CORE	+= glyphs board_text panels panel look screen_states screen digest
CORE	+= btf_walk counted
LIVE	:= kernel_btf iterators feature privileges census capture loop live survey_run audit_run inventory self http notify rounds recount cgroup_rounds export
LIVE	+= stderr_hold terminal top_run

WARN	:= -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wno-unused-parameter
CPPFLAGS_ALL := -D_GNU_SOURCE -iquote include -iquote user -iquote $O $(CPPFLAGS)
CFLAGS_ALL := -std=gnu11 $(WARN) $(CFLAGS)
LIBS	:= -lncursesw -ltinfo -lbpf -lcap-ng -lmicrohttpd -lgnutls -lyaml -lcrypt -lz -pthread
bpf_arch = $(patsubst aarch64,arm64,$(patsubst x86_64,x86,$(patsubst amd64,x86,$1)))
BPF_ARCH := $(call bpf_arch,$(ARCH))
HOST_ARCH := $(call bpf_arch,$(shell uname -m))
BPF_CFLAGS := -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_$(BPF_ARCH) -Wall -Wextra \
	      -Wno-unused-parameter -Ivmlinux -Iinclude

objs	= $(patsubst %,$O/user/%.o,$1)

# Filters.
FILTER	:= addrset filter filter_bound report_facts sieve
ENGINE	+= $(FILTER)
CORE	+= $(FILTER) filter_state filter_host filter_parse filter_text filter_args filter_explain

all: $O/synfin $O/synfin.8		## build the tool (default), as build/synfin

$O/synfin: $(call objs,main $(CORE) $(LIVE))
	$(call say,LINK)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ $(LIBS) $(LDLIBS)

static: $O/synfin-static		## one binary without libraries, as build/synfin-static

# All but the HTTP server (http_none.c says why).  libbpf.a wants libelf.  What the
# linker warns of is not called (libcap-ng: a user by name), or only for names of
# hosts (getaddrinfo).  Newer libelf.a wants zstd, too.
STATIC	:= main $(filter-out web_config auth,$(CORE)) $(patsubst http,http_none,$(LIVE))
LIBELF := $(or $(shell pkg-config --static --libs libelf 2>/dev/null),-lelf -lz)
$O/synfin-static: $(call objs,$(STATIC))
	$(call say,LINK)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -static -o $@ $^ -lncursesw -ltinfo -lbpf -lcap-ng $(LIBELF) $(LDLIBS)

# For another architecture: make static ARCH=arm64 O=build/arm64.  clang compiles for
# all of them; libraries and linker are fetched, and installed nowhere.
ifneq ($(BPF_ARCH),$(HOST_ARCH))
  TRIPLE	:= $(patsubst arm64,aarch64,$(patsubst x86,x86_64,$(BPF_ARCH)))-linux-gnu
  CC		:= $(CLANG) --target=$(TRIPLE) --sysroot=$O/cross/root
  LDFLAGS	+= --ld-path=$O/cross/ld.lld
  CROSS		:= $O/cross/whole
  $(call objs,$(STATIC)): $(CROSS)
endif
$O/cross/whole:
	$(call say,FETCH)tools/cross $(patsubst x86,amd64,$(BPF_ARCH)) $(@D)

$O/user/%.o: user/%.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$O/user/capture.o: $O/synfin.skel.h
$O/user/exposition.o: $O/revision.h

# Written anew only when it is another one.
$O/revision.h: FORCE
	@mkdir -p $(@D)
	@printf '#define SYNFIN_REVISION "%s"\n' "$$(git rev-parse --short=12 HEAD 2>/dev/null)" >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
FORCE:

# What .incbin takes the compiler does not know of.
$O/user/scenario.o: $(wildcard user/scenarios/*.rec)

$O/bpf/%.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c -o $@ $<

# Linking an object with itself drops its DWARF, and nine tenths of the skeleton.
$O/%.skel.h: $O/bpf/%.o
	$(call say,SKEL)$(BPFTOOL) gen object $O/bpf/$*.linked.o $<
	$Q$(BPFTOOL) gen skeleton $O/bpf/$*.linked.o name $*_bpf >$@

# Without scdoc the program is built all the same.
$O/synfin.8: docs/synfin.8.scd
	@mkdir -p $(@D)
	$(call say,MAN)if command -v scdoc >/dev/null; then scdoc <$< >$@; else cp $< $@; fi

include deploy/install.mk
include tests/tests.mk

deps:					## install what building and running takes, from Debian's packages
	$Qtools/deps

deps-test:				## and what testing takes
	$Qtools/deps test

run: deps				## deps, build, trace this host: make run ARGS="conns -d 10"
	$Q$(MAKE) --no-print-directory all
	$O/synfin $(ARGS)

clean:					## remove what was built
	rm -rf $O

help:					## this list
	@echo "make [TARGET] [O=DIR] [V=1] [ARGS=...]"
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

-include $(wildcard $O/user/*.d $O/bpf/*.d)
.PHONY: all static deps deps-test run clean help FORCE
.DELETE_ON_ERROR:
.SECONDARY:
