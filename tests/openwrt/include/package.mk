# SPDX-License-Identifier: Apache-2.0
# Stands in for OpenWrt's package.mk: says what the packages are (DUMP=1), as the feed's index is
# made, and installs one: make install-NAME DESTDIR=FOLDER.
all:

.PHONY: all
$(if $(PKG_NAME),,$(error no PKG_NAME))
$(if $(PKG_RELEASE),,$(error no PKG_RELEASE))

define Download
  $(eval FILE :=) $(eval URL :=) $(eval HASH :=) $(eval $(Download/$(1)))
  $(if $(and $(FILE),$(URL),$(HASH)),,$(error Download/$(1) misses FILE, URL or HASH))
endef

define shown
  $(info $(1): $(strip $($(1))))
endef

define BuildPackage
  $(foreach field,SECTION CATEGORY SUBMENU TITLE DEPENDS VARIANT DEFAULT_VARIANT PROVIDES CONFLICTS USERID URL,$(eval $(field) :=))
  $(eval $(Package/$(1)))
  $(foreach field,SECTION CATEGORY TITLE,$(if $($(field)),,$(error Package/$(1) is missing the $(field) field)))
  $(if $(DUMP),$(info Package: $(1))$(info Version: $(PKG_VERSION)-r$(PKG_RELEASE))$(foreach field,SECTION CATEGORY SUBMENU TITLE DEPENDS VARIANT DEFAULT_VARIANT PROVIDES CONFLICTS USERID,$(call shown,$(field)))$(info Conffiles: $(Package/$(1)/conffiles))$(info @@))
  $(eval install-$(1): ; $$(call Package/$(1)/install,$$(DESTDIR)))
  $(eval postrm-$(1): ; $$(info $$(Package/$(1)/postrm)))
endef
