# SPDX-License-Identifier: ISC
# tap82: `make help` lists the targets; V=1 shows the commands. One build folder per variant: build/release, build/asan, …

VERSION  := 0.1.0
VARIANT  ?= release
PREFIX   ?= /usr/local
DESTDIR  ?=
B        := build/$(VARIANT)
Q        := $(if $(V),,@)
say       = $(if $(V),,@printf '  %-5s %s\n' '$(1)' '$(subst $(B)/,,$@)')

PKGS     := libpcap sqlite3 nettle jansson libseccomp libcap-ng libevent
CC       ?= gcc
PKG      := $(if $(shell command -v pkg-config),pkg-config,true)

PKG_CFLAGS := $(shell $(PKG) --cflags $(PKGS) libcurl 2>/dev/null)
PKG_LIBS := $(shell $(PKG) --libs $(PKGS) 2>/dev/null)

WARN     := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wformat=2 -Wvla \
            -Wpointer-arith -Wwrite-strings -Wundef
CFLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection \
                  -fcf-protection -fPIE
LDFLAGS_release := -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack
CFLAGS_asan  := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
                -fno-sanitize-recover=undefined -DTAP82_TEST_HOOKS
LDFLAGS_asan := -fsanitize=address,undefined
CFLAGS_cover := -O0 -g --coverage -DTAP82_TEST_HOOKS -DTAP82_COVERAGE
LDFLAGS_cover := --coverage -Wl,--wrap=_exit
CFLAGS_hooks := $(CFLAGS_release) -DTAP82_TEST_HOOKS
LDFLAGS_hooks := $(LDFLAGS_release)
CFLAGS_valgrind := -O1 -g -fno-omit-frame-pointer -DTAP82_VALGRIND
CFLAGS_fuzz  := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
                -fno-sanitize-recover=undefined -DTAP82_TEST_HOOKS
LDFLAGS_fuzz := -fsanitize=address,undefined

ALL_CFLAGS = -std=gnu11 $(WARN) $(CFLAGS_$(VARIANT)) -Iinclude -D_GNU_SOURCE \
             -DTAP82_VERSION='"$(VERSION)"' -DTAP82_SYSCONFDIR='"/etc/tap82"' \
             $(PKG_CFLAGS) $(CFLAGS)
LIBS       = $(PKG_LIBS) -lnet -liniparser -ldl $(LDLIBS)

# The rooms: see README.md. Everything but the command line is one archive that tests link too.
LIB_SRC  := $(wildcard core/base/*.c core/omapi/*.c core/*.c sniffer/*.c)
LIB_SRC_cover := tests/cover/exit.c
CLI_SRC  := $(wildcard core/cli/*.c)
UNIT_SRC := $(wildcard tests/unit/test_*.c)
LAB_SRC  := $(wildcard tests/lab/*.c)
BENCH_SRC := $(wildcard tests/bench/*.c)
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
CRASH_SRC := $(wildcard tests/crash/*.c)

LIB_OBJ  := $(patsubst %.c,$(B)/%.o,$(LIB_SRC) $(LIB_SRC_$(VARIANT)))
CLI_OBJ  := $(CLI_SRC:%.c=$(B)/%.o)
CLI_LIB  := $(filter-out $(B)/core/cli/main.o,$(CLI_OBJ))
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(B)/unit/%)
LAB_BIN  := $(LAB_SRC:tests/lab/%.c=$(B)/lab/%)
BENCH_BIN := $(BENCH_SRC:tests/bench/%.c=$(B)/bench/%)
CRASH_BIN := $(CRASH_SRC:tests/crash/%.c=$(B)/crash/%)
FUZZ_BIN := $(FUZZ_SRC:tests/fuzz/%.c=$(B)/fuzz/%)

all: $(B)/tap82 ## build the program (default)

$(B)/tap82: $(CLI_OBJ) $(B)/libtap82.a
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS_$(VARIANT)) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/libtap82.a: $(LIB_OBJ)
	@rm -f $@
	$(call say,AR)
	$(Q)ar rcs $@ $^

# The parsers of hostile bytes are held to more.
$(B)/sniffer/%.o $(B)/core/omapi/codec.o: WARN += -Wconversion
$(B)/sniffer/%.o: CFLAGS_release += -O3
$(B)/core/page.o: core/page/page.html core/page/openapi.json
$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Tests that let allocations fail, that set the clock, and that look at what sockets are told.
$(B)/unit/test_memory_faults $(B)/unit/test_memory_peers: LDLIBS += \
	$(foreach f,malloc calloc realloc reallocarray strdup aligned_alloc free,-Wl,--wrap=$(f))
$(B)/unit/test_omapi_conn: LDLIBS += -Wl,--wrap=setsockopt
$(B)/unit/test_clock: LDLIBS += -Wl,--wrap=clock_gettime
$(B)/unit/%: tests/unit/%.c $(CLI_LIB) $(B)/libtap82.a
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) -Itests -MMD -MP $(LDFLAGS_$(VARIANT)) -o $@ $(filter %.c %.o %.a,$^) $(LIBS) -lcmocka

$(B)/lab/%: tests/lab/%.c $(B)/libtap82.a
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP $(LDFLAGS_$(VARIANT)) -o $@ $(filter %.c,$^) $(filter %.a,$^) $(LIBS)

# The OMAPI client stands on its own: these two link nothing else of ours.
OMAPI_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard core/base/*.c core/omapi/*.c) $(LIB_SRC_$(VARIANT)))
$(B)/lab/reserve $(B)/lab/omapi_storm: $(B)/lab/%: tests/lab/%.c $(OMAPI_OBJ)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP $(LDFLAGS_$(VARIANT)) -o $@ $(filter %.c,$^) $(OMAPI_OBJ) \
		$(shell $(PKG) --libs nettle libevent)

# The camera simulator is a program of several files.
$(B)/lab/camsim: $(wildcard tests/lab/sim/*.c)

$(B)/bench/%: tests/bench/%.c $(B)/libtap82.a
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP $(LDFLAGS_$(VARIANT)) -o $@ $(filter %.c %.a,$^) $(LIBS)

$(B)/crash/%: tests/crash/%.c $(CLI_LIB) $(B)/libtap82.a
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP $(LDFLAGS_$(VARIANT)) -o $@ $(filter %.c %.o %.a,$^) $(LIBS)

$(B)/fuzz/%: tests/fuzz/%.c $(B)/libtap82.a
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -fsanitize=fuzzer,address,undefined -o $@ $(filter %.c %.a,$^) $(LIBS)

deps: ## install what building and testing need (apt; does nothing when all is there)
	@tests/deps.sh

tests-bin: $(B)/tap82 $(UNIT_BIN) $(LAB_BIN) $(CRASH_BIN)

demo: deps ## the main job, seen on a real dhcpd in namespaces (root)
	@$(MAKE) --no-print-directory -j2 tests-bin
	@tests/lab/demo.sh $(B)

test: tests-bin ## unit tests, vectors, replay goldens (no root needed)
	@tests/run.sh $(B) unit vectors replay

check: deps ## everything: builds, lint, tests, lab with a real dhcpd (root)
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory -j2 tests-bin
	@$(MAKE) --no-print-directory -j2 VARIANT=asan tests-bin
	@$(MAKE) --no-print-directory -j2 VARIANT=fuzz CC=clang fuzz-bin
	@tests/run.sh $(B) unit vectors replay asan fuzz lab crash

asan: ## unit tests and replay under AddressSanitizer and UBSan
	@$(MAKE) --no-print-directory -j2 VARIANT=asan tests-bin
	@tests/run.sh build/asan unit vectors replay

fuzz-bin: $(FUZZ_BIN)

fuzz: ## every fuzz target for FUZZ_SECONDS (60) each
	@$(MAKE) --no-print-directory -j2 VARIANT=fuzz CC=clang fuzz-bin
	@tests/fuzz/run.sh build/fuzz $(or $(FUZZ_SECONDS),60)

soak: deps ## the long sweeps, whole
	@$(MAKE) --no-print-directory -j2 tests-bin
	@$(MAKE) --no-print-directory -j2 VARIANT=asan tests-bin
	@TAP82_SOAK=1 tests/run.sh $(B) unit vectors replay asan lab crash

cover: ## line coverage of sniffer/ and core/ (as root with the lab's share)
	@$(MAKE) --no-print-directory -j2 VARIANT=cover tests-bin
	@tests/cover.sh build/cover

bench: deps ## the figures of the README, measured here (root for the dhcpd part)
	@$(MAKE) --no-print-directory -j2 $(B)/tap82 $(BENCH_BIN) $(LAB_BIN)
	@tests/bench/run.sh $(B)

bench-bin: $(BENCH_BIN)

lint: ## include rules, formatting, static analysis, shell scripts
	@tests/lint.sh

format: ## clang-format over all sources
	@git ls-files '*.c' '*.h' | xargs clang-format -i

install: $(B)/tap82 ## into $(DESTDIR)$(PREFIX)
	@config/install.sh install $(B) "$(DESTDIR)" "$(PREFIX)"

uninstall: ## what install put there
	@config/install.sh uninstall $(B) "$(DESTDIR)" "$(PREFIX)"

deb: ## a Debian package in build/deb
	@config/deb.sh $(VERSION)

clean: ## remove build/
	rm -rf build

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-10s %s\n", $$1, $$2}' Makefile

.PHONY: all deps tests-bin demo test check asan fuzz fuzz-bin soak cover bench bench-bin lint \
        format install uninstall deb clean help
.SECONDARY:
-include $(shell find build -name '*.d' 2>/dev/null)
