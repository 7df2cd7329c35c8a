# SPDX-License-Identifier: Apache-2.0
# One non-recursive Makefile; `make help` lists the targets.

MODE  ?= release
BUILD ?= build
V     ?= 0
PREFIX ?= /usr
DATADIR ?= $(PREFIX)/share/greengate

B := $(BUILD)/$(MODE)
Q := $(if $(filter 1,$(V)),,@)

PKGS := libuv libldns sqlite3 yaml-0.1 libcurl zlib liblzma libzstd libsodium libidn2 libpsl \
        libcjson libnghttp2 openssl

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
        -Wpointer-arith -Wno-missing-field-initializers
HARD := -fstack-protector-strong -fPIE -fcf-protection
CFLAGS_release := -O2 -g -D_FORTIFY_SOURCE=3 -DNDEBUG_FAULTS $(HARD)
CFLAGS_debug   := -O0 -g -DGREENGATE_FAULTS $(HARD)
CFLAGS_asan    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
                  -fno-sanitize-recover=undefined -DGREENGATE_FAULTS
CFLAGS_tsan    := -O1 -g -fsanitize=thread -DGREENGATE_FAULTS
LDFLAGS_release := -pie -Wl,-z,relro,-z,now -Wl,--gc-sections
LDFLAGS_debug   := -pie
LDFLAGS_asan    := -fsanitize=address,undefined
LDFLAGS_tsan    := -fsanitize=thread

LLHTTP := /usr/share/llhttp
LLHTTP_INC := /usr/share/include/llhttp

GG_CFLAGS := -std=gnu11 $(WARN) $(CFLAGS_$(MODE)) -ffunction-sections -fdata-sections \
             -D_GNU_SOURCE -DGREENGATE_DATADIR='"$(DATADIR)"' \
             -Iresolver -I. -I$(LLHTTP_INC) $(shell pkg-config --cflags $(PKGS)) $(CFLAGS)
GG_LDFLAGS := $(LDFLAGS_$(MODE)) $(LDFLAGS)
GG_LIBS := $(shell pkg-config --libs $(PKGS)) -lpthread -lm

MAINS := resolver/main.c resolver/web/main.c tools/main.c
LIB_SRC := $(filter-out $(MAINS),$(wildcard resolver/*.c resolver/*/*.c blocklists/*.c tools/*.c))
LIB_OBJ := $(LIB_SRC:%.c=$B/%.o) $B/llhttp/llhttp.o $B/llhttp/api.o $B/llhttp/http.o
LIB := $B/libgreengate.a
PROGRAMS := $B/greengated $B/greengate-web $B/greengate
UNIT_SRC := $(wildcard tests/unit/test_*.c)
UNIT := $(UNIT_SRC:tests/unit/%.c=$B/tests/%)

.PHONY: all unit clean
all: $(PROGRAMS) ## build the three programs

$B/%.o: %.c Makefile
	@mkdir -p $(@D)
	@[ $(V) = 1 ] || echo "  CC $<"
	$(Q)$(CC) $(GG_CFLAGS) -MMD -MP -c -o $@ $<

$B/llhttp/%.o: $(LLHTTP)/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) -O2 -g -fPIE $(filter -fsanitize=%,$(CFLAGS_$(MODE))) -I$(LLHTTP_INC) -c -o $@ $<

$(LIB): $(LIB_OBJ)
	@rm -f $@
	$(Q)$(AR) rcs $@ $(LIB_OBJ)

$B/greengated: $B/resolver/main.o $(LIB)
	$(Q)$(CC) $(GG_LDFLAGS) -o $@ $^ $(GG_LIBS)
$B/greengate-web: $B/resolver/web/main.o $(LIB)
	$(Q)$(CC) $(GG_LDFLAGS) -o $@ $^ $(GG_LIBS)
$B/greengate: $B/tools/main.o $(LIB)
	$(Q)$(CC) $(GG_LDFLAGS) -o $@ $^ $(GG_LIBS)

$B/tests/%: $B/tests/unit/%.o $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(GG_LDFLAGS) -o $@ $^ $(GG_LIBS) -lcmocka

unit: $(UNIT) ## build and run the unit tests
	@for t in $(UNIT); do $$t || exit 1; done

clean: ## remove the build folder
	rm -rf $(BUILD)

-include $(LIB_OBJ:.o=.d) $(UNIT_SRC:%.c=$B/%.d)
