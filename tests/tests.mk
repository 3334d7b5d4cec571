# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the tests need, and how they run.  Every program prints TAP; tests/tap
# adds them up.

UNIT	:= $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
ASAN	:= -O1 -g -fsanitize=address,undefined -fno-omit-frame-pointer
SANE	:= ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1

# The second has a needless loop in it (tests/check/cost).
COSTS	:= $O/tests/bench/engine $O/tests/bench/engine-slow

test_programs = $(patsubst %,$1/tests/%,$(UNIT)) $1/tests/play $1/tests/storm $1/tests/timewaits $1/tests/raw $1/tests/serve

$O/tests/%.o: tests/unit/%.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS_ALL) -iquote tests/unit $(CFLAGS_ALL) -Wno-missing-field-initializers -Werror=unused-function \
		-MMD -MP -c -o $@ $<

$O/tests/traces/%.o: tests/traces/%.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$O/tests/test_%: $O/tests/test_%.o $(call objs,$(CORE))
	$(call say,LINK)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

$O/tests/play: $(patsubst %.c,$O/%.o,$(wildcard tests/traces/*.c)) $(call objs,$(CORE))
	$(call say,LINK)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ $(LIBS) -lm

$O/tests/timewaits: tests/bench/timewaits.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) -O2 -Wall -Wextra -std=gnu11 -o $@ $<

$O/tests/raw $O/tests/serve: $O/tests/%: tests/hostile/%.c tests/hostile/ports.h
	@mkdir -p $(@D)
	$(call say,CC)$(CC) -D_GNU_SOURCE -O2 -Wall -Wextra -Wno-unused-parameter -std=gnu11 -o $@ $<

$O/tests/storm: $(wildcard tests/load/*.c tests/load/*.h)
	@mkdir -p $(@D)
	$(call say,CC)$(CC) -O2 -Wall -Wextra -std=gnu11 -pthread -o $@ $(filter %.c,$^)

$O/tests/storm-static: $(wildcard tests/load/*.c tests/load/*.h) $(CROSS)
	@mkdir -p $(@D)
	$(call say,CC)$(CC) -O2 -Wall -Wextra -std=gnu11 -pthread $(LDFLAGS) -static -o $@ $(filter %.c,$^)

programs: all $(call test_programs,$O) $(if $(filter -fsanitize%,$(CFLAGS)),,$(COSTS))

# The same once more with the sanitizers, in a tree of its own; connections are packed
# as soon as may be (conntab.h), so that all that is told comes from such as were.
sanitized:
	$Q$(MAKE) --no-print-directory O=$O/asan CPPFLAGS="-DCONNTAB_RECENT=32" CFLAGS="$(ASAN)" programs

# Fuzzers: clang's libFuzzer, with the sanitizers, in a tree of their own.
FUZZERS	:= $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ	?= $(FUZZERS)
SECONDS	?= 600

$O/tests/fuzz/%.o: tests/fuzz/%.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS_ALL) -iquote tests/unit $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$O/tests/fuzz_%: $O/tests/fuzz/fuzz_%.o $(call objs,$(CORE))
	$(call say,LINK)$(CC) $(CFLAGS_ALL) -fsanitize=fuzzer $(LDFLAGS) -o $@ $^ $(LIBS)

$O/tests/fuzz_http: $(call objs,http)

fuzzers:
	$Q$(MAKE) --no-print-directory O=$O/fuzz CC=$(CLANG) \
		CPPFLAGS="-DMAX_CONNS=64 -DOUT_SIZE=65536 -DCONNTAB_RECENT=32" \
		CFLAGS="-O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all" \
		$(patsubst %,$O/fuzz/tests/%,$(FUZZERS))

fuzz: fuzzers				## each fuzzer for SECONDS (600); FUZZ="fuzz_decode ..."
	$Qtests/fuzz/run --seconds $(SECONDS) $O/fuzz $(FUZZ)

# Benchmarks.
BENCHES	:= $O/tests/bench/engine $O/tests/bench/gauge $O/tests/bench/transitions $O/tests/bench/receives $O/tests/bench/unaccepted

$O/tests/bench/engine-slow: CPPFLAGS_ALL += -DNEEDLESS=40
$(COSTS): tests/bench/engine.c $(call objs,$(ENGINE) decode)
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CPPFLAGS_ALL) -iquote tests/unit $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^

$O/tests/bench/gauge: tests/bench/gauge.c $(call objs,netns_facts mib cleanup)
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^

$O/tests/bench/transitions $O/tests/bench/receives $O/tests/bench/unaccepted: $O/tests/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^

bench: programs $(BENCHES)		## root: what it costs, beside its peers; QUICK=1: two minutes
	$QBENCH_DIR=$O tests/bench/run.py $(BENCH)

MINUTES	?= 30
RATE	?= 1000
soak: programs				## root: storms and audits for MINUTES (30) at RATE (1000): all is flat
	$Q$(hostile) tests/hostile/soak.py --minutes $(MINUTES) --rate $(RATE) $(ARGS)

# The suites: NAME:COMMAND for tests/tap.
unit_suites = $(foreach t,$(UNIT),'unit $t:CMOCKA_MESSAGE_OUTPUT=TAP $O/tests/$t 2>&1')
unit_suites_asan = $(foreach t,$(UNIT),'asan $t:$(SANE) CMOCKA_MESSAGE_OUTPUT=TAP $O/asan/tests/$t 2>&1')
traces = 'traces:$O/tests/play tests/traces/*.trace' 'asan traces:$(SANE) $O/asan/tests/play tests/traces/*.trace'
checks = 'check purity:CC=$(CC) tests/check/purity $(call objs,$(ENGINE))' 'check headers:CC=$(CC) tests/check/headers' \
	 'check format:tests/check/format' 'check man:SYNFIN=$O/synfin tests/check/man' \
	 'check package:O=$O tests/check/package' 'check metrics:tests/check/metrics' \
	 'golden:SYNFIN=$O/synfin tests/golden/run' 'golden scenarios:tests/golden/scenarios' 'asan golden:$(SANE) SYNFIN=$O/asan/synfin tests/golden/run'
smoke = 'fuzz:tests/fuzz/run --runs 5000 $O/fuzz $(FUZZERS)'
no_root = $(smoke) $(unit_suites) $(unit_suites_asan) $(traces) $(checks)
hostile = SYNFIN=$O/synfin STORM=$O/tests/storm RAW=$O/tests/raw SERVE=$O/tests/serve
root = 'check cost:tests/check/cost $(COSTS) $O/synfin' 'check vmlinux:tests/check/vmlinux $O/bpf/synfin.o' 'cli:SYNFIN=$O/synfin SYNFIN_ASAN=$O/asan/synfin STORM=$O/tests/storm tests/cli/run.py' \
       'kernel:SYNFIN=$O/synfin tests/kernel/run.py' \
       'existing:SYNFIN=$O/synfin tests/kernel/existing.py' 'cgroups:SYNFIN=$O/synfin tests/kernel/cgroups.py' 'owners:SYNFIN=$O/synfin tests/kernel/owners.py' \
       'timewait:SYNFIN=$O/synfin TIMEWAITS=$O/tests/timewaits tests/kernel/timewait.py' \
       'listen:SYNFIN=$O/synfin tests/kernel/listen.py' 'stuck:SYNFIN=$O/synfin tests/kernel/stuck.py' \
       'doctor:SYNFIN=$O/synfin tests/kernel/doctor.py' 'filters:SYNFIN=$O/synfin tests/kernel/filters.py' \
       'wire:SYNFIN=$O/synfin tests/kernel/wire.py' \
       'storm:SYNFIN=$O/synfin STORM=$O/tests/storm tests/kernel/storm.py' \
       'audit:SYNFIN=$O/synfin STORM=$O/tests/storm tests/kernel/audit.py' \
       'hostile:$(hostile) tests/hostile/run.py' \
       'top:SYNFIN=$O/synfin STORM=$O/tests/storm tests/top/run.py' \
       'export:SYNFIN=$O/synfin STORM=$O/tests/storm tests/export/run.py' $(real)
real = 'export real:TOOLS=$O/export-tools SYNFIN=$O/synfin STORM=$O/tests/storm tests/export/real.py'

test-unit: programs sanitized fuzzers		## tests that need no root, in seconds
	$Qtests/tap $(no_root) --

test: deps-test				## root: deps, build, every test
	$Q$(MAKE) --no-print-directory -j$$(nproc) programs sanitized fuzzers $(call guest_programs,$O)
	$Q-tests/export/fetch $O/export-tools
	$Qtests/tap $(no_root) -- $(root) $(quick_vm)

test-export: deps-test			## root: export alone, with Prometheus and others fetched
	$Q$(MAKE) --no-print-directory programs
	$Qtests/export/fetch $O/export-tools
	$Qtests/tap 'export:SYNFIN=$O/synfin STORM=$O/tests/storm tests/export/run.py' $(real)

# At the end of make test a few checks on a few kernels, within QUICK_TIME seconds with
# all that has to be fetched; what cannot be had, or has not begun by then, is skipped.
QUICK_KERNELS ?= newest 5.10 6.1
QUICK_TIME ?= 220
quick_vm = 'kernels:$(VM) --quick --time $(QUICK_TIME) -k "$(QUICK_KERNELS)"'

# Kernels of Debian's, of another architecture with ARCH: before them.
KERNELS ?= 5.10 6.1 6.12 6.18 newest arm64:6.12
guest_archs = $(sort $(foreach k,$(KERNELS),$(if $(findstring :,$k),$(firstword $(subst :, ,$k)))))
guest_programs = $1/synfin-static $1/tests/storm-static
VM = tests/vm/run.py -s $O/synfin-static -S $O/tests/storm-static -d $O/vm

test-vm: deps-test			## kernels in virtual machines: make test-vm KERNELS="6.1 newest"
	$Q$(MAKE) --no-print-directory $(call guest_programs,$O)
	$Q$(foreach a,$(guest_archs),$(MAKE) --no-print-directory ARCH=$a O=$O/$a $(call guest_programs,$O/$a) &&) true
	$Qtests/tap 'kernels:$(VM) -k "$(KERNELS)" $(ARGS)'

analyse: all				## what gcc's analyser, cppcheck and clang-tidy find in user/; minutes
	$Qtools/deps analyse
	$Qtests/tap 'analyse:O=$O tests/check/analyse'

golden: programs			## root: make the golden recordings and their outputs anew
	$QSYNFIN=$O/synfin tests/kernel/run.py --golden tests/golden
	$Qtests/golden/scenarios --write
	$Q$(MAKE) --no-print-directory all
	$QSYNFIN=$O/synfin tests/golden/run --write

test-fresh:				## root: README and package in fresh Debian roots; minutes
	$Qtests/tap 'fresh:tests/fresh/run $O/fresh'

check-vmlinux: all			## hold vmlinux/vmlinux.h against this kernel's BTF
	$Qtests/check/vmlinux $O/bpf/synfin.o

-include $(wildcard $O/tests/*.d $O/tests/traces/*.d $O/tests/fuzz/*.d)
.PHONY: bench soak fuzzers fuzz programs sanitized test-unit test test-export test-vm golden test-fresh check-vmlinux analyse
