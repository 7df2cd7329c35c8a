# SPDX-License-Identifier: Apache-2.0
# One non-recursive Makefile; `make help` lists the targets.
#
# Objects lie in $(BUILD)/$(MODE), so that release, debug, asan, tsan and fuzz live
# side by side. Honours CC CFLAGS LDFLAGS DESTDIR PREFIX SYSCONFDIR DATADIR MANDIR UNITDIR
# BASHDIR ZSHDIR FISHDIR PKG_CONFIG V=1.

MODE       ?= release
BUILD      ?= build
V          ?= 0
PREFIX     ?= /usr
SYSCONFDIR ?= /etc
DATADIR    ?= $(PREFIX)/share/greengate
MANDIR     ?= $(PREFIX)/share/man
UNITDIR    ?= $(PREFIX)/lib/systemd/system
BASHDIR    ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR     ?= $(PREFIX)/share/zsh/site-functions
FISHDIR    ?= $(PREFIX)/share/fish/vendor_completions.d
JOBS       ?= $(shell nproc)
PKG_CONFIG ?= pkg-config
# Runs a program that was built, where that is not this machine's: qemu-aarch64 -L SYSROOT.
RUN        ?=

# Below this folder always relative, else objects would know their headers by two names.
override BUILD := $(patsubst $(CURDIR)/%,%,$(BUILD))
# LITE=1: without OpenSSL and ldns (greengate-lite of OpenWrt): no TLS, no page, no records of lists.
LITE ?=
B := $(BUILD)/$(MODE)$(if $(LITE),-lite)
Q := $(if $(filter 1,$(V)),,@)
# A make inside a recipe builds in parallel, unless -j was given already.
SUBMAKE = $(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(JOBS))

PKGS := libuv ldns sqlite3 yaml-0.1 libcurl zlib liblzma libzstd libsodium libidn2 libpsl \
        libcjson libnghttp2 openssl libpcre2-8 libmaxminddb
PKGS := $(if $(LITE),$(filter-out ldns libnghttp2 openssl,$(PKGS)),$(PKGS))

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
        -Wpointer-arith -Wno-missing-field-initializers
# -fcf-protection is known for x86 alone.
HARD := -fstack-protector-strong -fPIE $(shell $(CC) -fcf-protection -xc -fsyntax-only /dev/null 2>/dev/null && echo -fcf-protection)
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined

# Nothing here unwinds a stack; debuggers read .debug_frame, which strip takes off.
CFLAGS_release := -O2 -g -D_FORTIFY_SOURCE=3 -fno-asynchronous-unwind-tables -fno-unwind-tables $(HARD)
CFLAGS_debug   := -O0 -g $(HARD)
CFLAGS_asan    := -O1 -g -fno-omit-frame-pointer $(SANITIZE)
CFLAGS_tsan    := -O1 -g -fsanitize=thread
CFLAGS_fuzz    := -O1 -g -fno-omit-frame-pointer $(SANITIZE) -fsanitize=fuzzer-no-link
# What runs seldom is built for size.
SELDOM := $(addprefix resolver/,account config confine control neigh store)
SMALL_release := -Os
LDFLAGS_release := -pie -Wl,-z,relro,-z,now -Wl,--gc-sections
LDFLAGS_debug   := -pie
LDFLAGS_asan    := -fsanitize=address,undefined
LDFLAGS_tsan    := -fsanitize=thread
LDFLAGS_fuzz    := -fsanitize=address,undefined

# llhttp: the library where the system has one, else the C sources of Debian's
# node-llhttp.
ifeq ($(shell $(PKG_CONFIG) --exists libllhttp 2>/dev/null && echo yes),yes)
PKGS       += libllhttp
LLHTTP_OBJ :=
LLHTTP_INC :=
else
LLHTTP     ?= /usr/share/llhttp
LLHTTP_INCLUDE ?= /usr/share/include/llhttp
LLHTTP_OBJ := $B/llhttp/llhttp.o $B/llhttp/api.o $B/llhttp/http.o
LLHTTP_INC := -I$(LLHTTP_INCLUDE)
endif

# SECCOMP=no: the programs do without libseccomp, and without the filter of system calls.
SECCOMP ?= yes
ifeq ($(SECCOMP),no)
GG_SECCOMP := -DGREENGATE_NO_SECCOMP
else
PKGS += libseccomp
endif

# musl has no BSD queues.
ifneq ($(shell printf '\043include <sys/queue.h>' | $(CC) -E -xc - >/dev/null 2>&1 && echo yes),yes)
QUEUE_INC := -Ipackaging/openwrt/include
endif

# Said when something is compiled, not by `make setup`.
PKG_MISSING := $(shell $(PKG_CONFIG) --print-errors --exists $(PKGS) 2>&1)

# On 32 bits alone: elsewhere it only gives open() another name.
LARGE_FILES := $(if $(shell $(CC) -dM -E -xc /dev/null 2>/dev/null | grep '__SIZEOF_LONG__ 4'),-D_FILE_OFFSET_BITS=64)
GG_CFLAGS := -std=gnu11 $(WARN) $(CFLAGS_$(MODE)) -ffunction-sections -fdata-sections \
             -D_GNU_SOURCE $(LARGE_FILES) -DGREENGATE_DATADIR='"$(DATADIR)"' -Iresolver -I. \
             $(LLHTTP_INC) $(QUEUE_INC) $(GG_SECCOMP) \
             $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null) $(CFLAGS)
GG_LDFLAGS := $(LDFLAGS_$(MODE)) -Wl,--as-needed $(LDFLAGS)
# Some 32-bit machines count 64 bits atomically by a library's function.
ATOMIC := $(shell echo 'unsigned long long n; int main(void) { return __atomic_fetch_or(&n, 1, 5); }' | \
            $(CC) -xc - -o /dev/null 2>/dev/null || echo -latomic)
GG_LIBS := $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null) -lpthread -lm $(ATOMIC)

MAINS    := resolver/main.c resolver/web/main.c tools/main.c
# In the place of others where LITE says so.
LITE_SRC := resolver/net/tls_lite.c resolver/dns/mnemonic_lite.c blocklists/rdata_lite.c
FULL_SRC := resolver/net/tls.c resolver/net/tls_context.c resolver/dns/mnemonic.c blocklists/rdata.c \
            $(wildcard resolver/web/*.c)
LIB_SRC  := $(filter-out $(MAINS) $(if $(LITE),$(FULL_SRC),$(LITE_SRC)), \
              $(wildcard resolver/*.c resolver/*/*.c blocklists/*.c tools/*.c))
LIB_OBJ  := $(LIB_SRC:%.c=$B/%.o) $(if $(LITE),,$(LLHTTP_OBJ))
LIB      := $B/libgreengate.a
PROGRAMS := $B/greengated $(if $(LITE),,$B/greengate-web) $B/greengate

UNIT_SRC := $(wildcard tests/unit/test_*.c)
UNIT     := $(UNIT_SRC:tests/unit/%.c=$B/tests/%)
# What unit tests share: the other sources beside them.
FAKE_OBJ := $(patsubst %.c,$B/%.o,$(filter-out $(UNIT_SRC),$(wildcard tests/unit/*.c)))
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ     := $(FUZZ_SRC:tests/fuzz/%.c=$B/fuzz/%)
FUZZ_SECONDS ?= 60
# libFuzzer brings its own main(); the other modes replay files.
FUZZ_MAIN := $(if $(filter fuzz,$(MODE)),-fsanitize=fuzzer,$B/tests/fuzz/replay.o)

# Data files the programs read: the catalogue, and the starter list made from it.
CATALOG := blocklists/catalog
STARTER := $(wildcard $(CATALOG)/starter/*)
TEXTS   := $(patsubst $(CATALOG)/%,$B/data/%,$(filter %.txt,$(STARTER)))
DATA    := $(patsubst $(CATALOG)/%,$B/data/%,$(wildcard $(CATALOG)/*.yaml $(CATALOG)/*.txt)) \
           $(if $(STARTER),$B/data/starter.ggdb)

# The dashboard's files, each packed too; the charts are Debian's libjs-chart.js. CHART_JS= : tables alone.
CHART_JS ?= /usr/share/javascript/chart.js/chart.min.js
PAGES := $(patsubst resolver/web/dashboard/%,$B/data/dashboard/%,$(wildcard resolver/web/dashboard/*)) \
         $B/data/dashboard/chart.js
PAGES += $(PAGES:=.gz)
UNITS := $(wildcard $(addprefix packaging/systemd/*.,service socket timer path))

.DEFAULT_GOAL := all
.PHONY: setup all run test build-tests unit system peers sanitize fuzz bench bench-lists bench-policy \
        bench-reload bench-cache soak lint format install \
        clean help flags sources
.SECONDARY:

setup: ## install what building and testing need (Debian)
	@packaging/dev/setup all

all: $(PROGRAMS) $(DATA) $(TEXTS) $(if $(LITE),,$(PAGES)) ## build the three programs and their data
	@:

run: ## set up, build, start on high ports, say what to try (SETTINGS=FILE: other lists)
	@packaging/dev/setup run
	@$(SUBMAKE) all
	@packaging/dev/run $(B) $(SETTINGS)

test: ## set up, then every test
	@packaging/dev/setup test
	@$(SUBMAKE) all build-tests peers
	@tests/run $(B)

build-tests: $(UNIT) $(FUZZ) $B/bench/responder $B/tests/allocations.so $B/tests/faults.so $B/tests/planted.so
	@:

unit: $(UNIT) ## build and run the unit tests alone
	@tests/run $(B) --only unit

system: all build-tests peers ## run the system tests alone
	@tests/run $(B) --only system

peers: ## unpack the servers that tests need, without installing them
	@packaging/dev/unpack $(BUILD)/peers nsd minisign faketime dnsmasq-base ldnsutils

.PHONY: test-bigendian
test-bigendian: ## compile lists on an emulated s390x: the same bytes (Debian; unpacks 270 MB into build/)
	@tests/bigendian/run $(BUILD) $(CC)

ARCH ?= arm64 armhf mipsel s390x
.PHONY: test-cross cross-tests
test-cross: ## build for ARCH (arm64 armhf mipsel s390x) and run unit tests and a query there, emulated
	@packaging/dev/setup cross
	@$(SUBMAKE) peers
	@for arch in $(ARCH); do tests/cross/run $(BUILD) $$arch || exit; done

.PHONY: test-openwrt
test-openwrt: ## the OpenWrt package, its scripts under busybox ash, and the LuCI pages
	@packaging/dev/setup test
	@$(SUBMAKE) all
	@$(SUBMAKE) LITE=1 all
	@$(SUBMAKE) peers
	@tests/run $(B) --only system openwrt -k openwrt

.PHONY: test-musl
test-musl: ## compile every source file against musl, the C library of OpenWrt
	@packaging/dev/setup cross
	@tests/cross/musl $(BUILD)

cross-tests: $(UNIT)
	@:

.PHONY: test-browser
test-browser: ## the warning page in a real Chromium (needs chromium, npm, root for network namespaces)
	@$(SUBMAKE) all
	@mkdir -p $(BUILD)/browser
	@cp tests/browser/package.json tests/browser/package-lock.json $(BUILD)/browser
	@cd $(BUILD)/browser && npm ci --ignore-scripts --no-audit --no-fund --silent
	@tests/run $(B) --only browser

.PHONY: test-container
test-container: ## build the container image without pulling any, and run it (needs root, buildah, debootstrap)
	@packaging/container/test $(BUILD)/container

# What of the system tests feeds strangers' octets to the programs.
STRANGE := test_rfc|test_formats|test_badlists|test_signature|test_texts|test_upstream_hostile|test_dot|test_local|test_web|test_import|test_backup

.PHONY: sanitize-short
sanitize-short: ## under them the unit tests, the corpora, and the system tests of strangers' octets
	@packaging/dev/setup test
	@$(SUBMAKE) MODE=asan all build-tests peers
	@tests/run $(BUILD)/asan --only unit fuzz system -k 'asan/tests|asan/fuzz|$(STRANGE)'

sanitize: ## every test under AddressSanitizer and UBSan
	@$(MAKE) --no-print-directory MODE=asan test

fuzz: ## run each fuzz target for FUZZ_SECONDS
	@packaging/dev/setup all
	@$(SUBMAKE) MODE=fuzz CC=clang build-fuzz
	@tests/fuzz/run $(BUILD)/fuzz $(FUZZ_SECONDS)

.PHONY: build-fuzz
build-fuzz: $(FUZZ)
	@:

bench: ## measure against the goals of docs/performance.md
	@packaging/dev/setup all
	@$(SUBMAKE) all $B/bench/responder $B/bench/generator
	@tests/bench/run $(B)

bench-lists: ## compile and look up 1M and 10M names, beside dnsmasq and Unbound
	@packaging/dev/setup all
	@$(SUBMAKE) $B/bench/bench_blockdb
	@tests/bench/lists $B/bench/bench_blockdb

bench-policy: ## what addresses and patterns add to a query
	@packaging/dev/setup test
	@$(SUBMAKE) $B/bench/bench_policy
	@$B/bench/bench_policy

.PHONY: bench-who
bench-who: ## find a client's group among 10 and 10,000 subnets and devices
	@$(SUBMAKE) $B/bench/bench_who
	@$B/bench/bench_who

.PHONY: bench-pages
bench-pages: ## warning pages a second, idle connections, a year of statistics, a month's report
	@packaging/dev/setup test
	@$(SUBMAKE) all
	@tests/bench/pages $(B)

bench-reload: ## reload 1M names under load, beside PowerDNS Recursor and dnsdist
	@packaging/dev/setup all
	@$(SUBMAKE) all $B/bench/pacer
	@tests/bench/reload $(B)
bench-cache: ## hit rates of the cache beside LRU, over a trace of names (TRACE=FILE)
	@$(SUBMAKE) $B/bench/bench_cache
	@tests/bench/cache $B/bench/bench_cache $(TRACE)

SECONDS ?= 600
soak: ## floods, outages, reloads, updates and TCP abuse at once (SECONDS=600)
	@packaging/dev/setup test
	@$(SUBMAKE) all peers
	@tests/bench/soak $(B) --seconds $(SECONDS)

lint: ## layers, sizes, names, formats, clang-tidy, shellcheck
	@packaging/dev/setup all
	@$(SUBMAKE) all
	@tests/lint/run $(B)

format: ## rewrite the C files as .clang-format says
	@git ls-files -co --exclude-standard '*.c' '*.h' | xargs clang-format -i

install: all ## install below $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(DATADIR)/starter \
	    $(DESTDIR)$(DATADIR)/dashboard \
	    $(DESTDIR)$(SYSCONFDIR)/greengate
	install -m 755 $B/greengated $B/greengate-web $(DESTDIR)$(PREFIX)/sbin
	install -m 755 $B/greengate $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(DATA) $(DESTDIR)$(DATADIR)
	install -m 644 $(TEXTS) $(DESTDIR)$(DATADIR)/starter
	install -m 644 $(PAGES) $(DESTDIR)$(DATADIR)/dashboard
	install -d $(DESTDIR)$(UNITDIR) $(addprefix $(DESTDIR)$(MANDIR)/man,1 5 8)
	for n in 1 5 8; do install -m 644 packaging/man/*.$$n $(DESTDIR)$(MANDIR)/man$$n || exit; done
	install -d $(DESTDIR)$(BASHDIR) $(DESTDIR)$(ZSHDIR) $(DESTDIR)$(FISHDIR)
	install -m 644 packaging/completion/greengate.bash $(DESTDIR)$(BASHDIR)/greengate
	install -m 644 packaging/completion/_greengate $(DESTDIR)$(ZSHDIR)
	install -m 644 packaging/completion/greengate.fish $(DESTDIR)$(FISHDIR)
	install -d $(DESTDIR)$(PREFIX)/lib/sysusers.d $(DESTDIR)$(PREFIX)/lib/tmpfiles.d
	install -m 644 packaging/systemd/sysusers.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/greengate.conf
	install -m 644 packaging/systemd/tmpfiles.conf $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/greengate.conf
	for unit in $(notdir $(UNITS)); do \
	    sed 's|/usr/\(s\{0,1\}bin\)/|$(PREFIX)/\1/|' packaging/systemd/$$unit \
	        >$(DESTDIR)$(UNITDIR)/$$unit || exit; done
	test -e $(DESTDIR)$(SYSCONFDIR)/greengate/greengate.yaml || install -m 644 \
	    packaging/greengate.yaml $(DESTDIR)$(SYSCONFDIR)/greengate/greengate.yaml

.PHONY: deb test-deb
deb: ## build Debian packages (debhelper) into build/deb, and check them with lintian
	@packaging/dev/setup deb
	@packaging/debian/build $(BUILD)/deb

test-deb: deb all ## the same bytes twice; install, upgrade, remove, purge on a small Debian (root)
	@tests/debian/prepare $(BUILD)/deb
	@tests/run $(B) --only debian

clean: ## remove the build folder
	rm -rf $(BUILD)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-11s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

# For tests/lint: what the compiler is called with, and on which files.
flags:
	@printf '%s\n' $(foreach f,$(GG_CFLAGS),'$(f)')
sources:
	@printf '%s\n' $(LIB_SRC) $(wildcard $(MAINS))

$B/%.o: %.c Makefile
	$(if $(PKG_MISSING),$(error $(PKG_MISSING); try `make setup`))
	@mkdir -p $(@D)
	@[ $(V) = 1 ] || echo "  CC $<"
	$(Q)$(CC) $(GG_CFLAGS) $(if $(filter $(SELDOM:=/%),$<),$(SMALL_$(MODE))) -MMD -MP -c -o $@ $<

$B/llhttp/%.o: $(LLHTTP)/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) -O2 -g -fPIE $(filter -fsanitize=%,$(CFLAGS_$(MODE))) $(LLHTTP_INC) $(CFLAGS) -c -o $@ $<

$(LIB): $(LIB_OBJ)
	@rm -f $@
	$(Q)$(AR) rcs $@ $(LIB_OBJ)

$B/greengated: $B/resolver/main.o $(LIB)
	$(Q)$(CC) $(GG_LDFLAGS) -o $@ $^ $(GG_LIBS)
$B/greengate-web: $B/resolver/web/main.o $(LIB)
	$(Q)$(CC) $(GG_LDFLAGS) -o $@ $^ $(GG_LIBS)
$B/greengate: $B/tools/main.o $(LIB)
	$(Q)$(CC) $(GG_LDFLAGS) -o $@ $^ $(GG_LIBS)

# An archive, so that each test takes only what it names.
$B/libtest.a: $(FAKE_OBJ)
	@rm -f $@
	$(Q)$(AR) rcs $@ $(FAKE_OBJ)

$B/tests/%: $B/tests/unit/%.o $B/libtest.a $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(GG_LDFLAGS) -o $@ $^ $(GG_LIBS) -lcmocka

$B/fuzz/%: $B/tests/fuzz/%.o $(filter %.o,$(FUZZ_MAIN)) $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(GG_LDFLAGS) $(filter -f%,$(FUZZ_MAIN)) -o $@ $^ $(GG_LIBS)

$B/bench/responder: tests/bench/responder.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(GG_CFLAGS) $(GG_LDFLAGS) -o $@ $< -luv

$B/bench/bench_policy: $B/tests/bench/bench_policy.o $B/libtest.a $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(GG_LDFLAGS) -o $@ $^ $(GG_LIBS)

$B/bench/pacer: tests/bench/pacer.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(GG_CFLAGS) $(GG_LDFLAGS) -o $@ $<

$B/bench/generator: tests/bench/generator.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(GG_CFLAGS) $(GG_LDFLAGS) -o $@ $<

$B/bench/bench_%: $B/tests/bench/bench_%.o $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(GG_LDFLAGS) -o $@ $^ $(GG_LIBS)

$B/tests/%.so: tests/system/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) -O2 -g -fPIC -shared $(WARN) -D_GNU_SOURCE -o $@ $<

$B/data/%.yaml: $(CATALOG)/%.yaml
	@mkdir -p $(@D)
	$(Q)cp $< $@

$B/data/%.txt: $(CATALOG)/%.txt
	@mkdir -p $(@D)
	$(Q)cp $< $@

$B/data/dashboard/chart.js: $(CHART_JS)
	@mkdir -p $(@D)
	$(Q)$(if $(CHART_JS),cp $<,: >) $@

$B/data/dashboard/%.gz: $B/data/dashboard/%
	$(Q)gzip -9nc $< >$@

$B/data/dashboard/%: resolver/web/dashboard/%
	@mkdir -p $(@D)
	$(Q)cp $< $@

$B/data/starter.ggdb: $B/greengate $(STARTER) $(filter-out %.ggdb,$(DATA))
	@mkdir -p $(@D)
	@[ $(V) = 1 ] || echo "  LISTS $@"
	$(Q)GREENGATE_DATA=$(CATALOG) $(RUN) $B/greengate lists compile $@

-include $(LIB_OBJ:.o=.d) $(patsubst %.c,$B/%.d,$(MAINS) $(UNIT_SRC) $(FUZZ_SRC)) $(FAKE_OBJ:.o=.d)
