# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
# Stands in for OpenWrt's /lib/functions/network.sh.

network_get_device() {
	case $2 in
	lan) eval "$1=br-lan" ;;
	guest) eval "$1=br-guest" ;;
	*) return 1 ;;
	esac
}
