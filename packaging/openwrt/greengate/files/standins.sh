#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# While building: .pc files for libraries that have none, standins.sh FOLDER.
set -e

mkdir -p "$1"
for pair in ldns:ldns yaml-0.1:yaml libmaxminddb:maxminddb libpcre2-8:pcre2-8 libcjson:cjson \
	libpsl:psl libidn2:idn2 libsodium:sodium; do
	name=${pair%%:*}
	pkg-config --exists "$name" || cat >"$1/$name.pc" <<PC
Name: $name
Description: found where the linker looks
Version: 0
Libs: -l${pair#*:}
PC
done
