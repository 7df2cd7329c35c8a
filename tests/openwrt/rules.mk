# SPDX-License-Identifier: Apache-2.0
# Stands in for OpenWrt's rules.mk: what package Makefiles of ours use of it.
INCLUDE_DIR := $(TOPDIR)/include
BUILD_DIR ?= $(TOPDIR)/build_dir
DL_DIR ?= $(TOPDIR)/dl
STAGING_DIR ?= /usr
TAR := tar
CP := cp -fpR
INSTALL_DIR := install -d -m0755
INSTALL_BIN := install -m0755
INSTALL_DATA := install -m0644
INSTALL_CONF := install -m0600
