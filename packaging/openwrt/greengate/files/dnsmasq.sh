# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
# dnsmasq.sh: the first dnsmasq of /etc/config/dhcp makes room, and gets back what it had.
# What it had is remembered in /etc/config/greengate_undo. Flash is written only when something
# changes.

DNSMASQ="dhcp.@dnsmasq[0]"
UNDO_FILE=/etc/config/greengate_undo
# Run at every boot until it ends well, and kept by a sysupgrade.
GONE_SCRIPT=/etc/uci-defaults/91_greengate_gone

undo_has() {
	[ -n "$(uci -q get "greengate_undo.dnsmasq.was_$1")" ] ||
		case " $(uci -q get greengate_undo.dnsmasq.unset) " in *" $1 "*) true ;; *) false ;; esac
}

dnsmasq_set() {
	local now
	now=$(uci -q get "$DNSMASQ.$1")
	[ "$now" != "$2" ] || return 0
	if ! undo_has "$1"; then
		if [ -n "$now" ]; then
			uci set "greengate_undo.dnsmasq.was_$1=$now"
		else
			uci add_list "greengate_undo.dnsmasq.unset=$1"
		fi
	fi
	uci set "$DNSMASQ.$1=$2"
	dnsmasq_changed=1
}

# list_has OPTION VALUE
list_has() {
	case " $(uci -q get "$1") " in *" $2 "*) ;; *) return 1 ;; esac
}

# What was removed before and comes back, or the other way round, was never changed.
dnsmasq_remember() {
	if list_has "greengate_undo.dnsmasq.$1" "$3"; then
		uci del_list "greengate_undo.dnsmasq.$1=$3"
	elif ! list_has "greengate_undo.dnsmasq.$2" "$3"; then
		uci add_list "greengate_undo.dnsmasq.$2=$3"
	fi
	dnsmasq_changed=1
}

dnsmasq_add() {
	list_has "$DNSMASQ.$1" "$2" && return
	uci add_list "$DNSMASQ.$1=$2"
	dnsmasq_remember removed added "$1=$2"
}

dnsmasq_remove() {
	uci del_list "$DNSMASQ.$1=$2"
	dnsmasq_remember added removed "$1=$2"
}

# Servers for all names; those of a domain (/corp.example/10.0.0.1) stay.
dnsmasq_remove_servers() {
	local server
	for server in $(uci -q get "$DNSMASQ.server"); do
		case $server in
		/* | "$1") ;;
		*) dnsmasq_remove server "$server" ;;
		esac
	done
}

# It keeps names of this network and asks nobody for others: its new port is no way around.
# Without port 53 it no longer tells devices whom to ask: 0.0.0.0 means itself.
dnsmasq_behind_us() {
	dnsmasq_set port "$1"
	dnsmasq_set noresolv 1
	dnsmasq_remove_servers
	case " $(uci -q get "$DNSMASQ.dhcp_option")" in
	*" 6,"* | *" option:dns-server,"*) ;;
	*) dnsmasq_add dhcp_option 6,0.0.0.0 ;;
	esac
}

# Its cache would give one group's answers to another; the MAC tells us who asks, and a device
# must not be able to tell another's. Rebinding is our business: it would take zero addresses for it.
dnsmasq_before_us() {
	dnsmasq_remove_servers "127.0.0.1#$1"
	dnsmasq_add server "127.0.0.1#$1"
	dnsmasq_set noresolv 1
	dnsmasq_set addmac 1
	dnsmasq_set stripmac 1
	dnsmasq_set cachesize 0
	dnsmasq_set rebind_protection 0
}

# An image without greengate keeps /etc/config, and there nobody would answer: a script of its own,
# for nothing else of the package may be there, gives dnsmasq back what it had.
dnsmasq_write_gone() {
	local new=/tmp/greengate.gone.new
	{
		echo "# Written by greengate: what is to be done where it is no longer there."
		echo "[ ! -x /usr/sbin/greengated ] || exit 1"
		cat "${LIB:-/usr/lib/greengate}/dnsmasq.sh"
		echo "dnsmasq_undo"
		echo "exit 0"
	} >"$new"
	mkdir -p "${GONE_SCRIPT%/*}"
	cmp -s "$new" "$GONE_SCRIPT" || cp "$new" "$GONE_SCRIPT"
	rm -f "$new"
}

# dnsmasq_apply front|behind PORT: 0 = dnsmasq must be restarted.
dnsmasq_apply() {
	local was
	dnsmasq_changed=0
	was=$(uci -q get greengate_undo.dnsmasq.mode)
	if [ -n "$was" ] && [ "$was" != "$1" ]; then
		dnsmasq_undo
		dnsmasq_changed=1
	fi
	[ -e "$UNDO_FILE" ] || : >"$UNDO_FILE"
	[ -n "$(uci -q get greengate_undo.dnsmasq)" ] || uci set greengate_undo.dnsmasq=undo
	[ "$(uci -q get greengate_undo.dnsmasq.mode)" = "$1" ] || uci set "greengate_undo.dnsmasq.mode=$1"
	if [ "$1" = front ]; then
		dnsmasq_behind_us "$2"
	else
		dnsmasq_before_us "$2"
	fi
	dnsmasq_write_gone
	[ "$dnsmasq_changed" = 1 ] || return 1
	# Should the power fail in between, what is changed is known.
	uci commit greengate_undo
	uci commit dhcp
}

# As it was before. 0 = dnsmasq must be restarted.
dnsmasq_undo() {
	local item was
	[ -e "$UNDO_FILE" ] || return 1
	for item in $(uci -q get greengate_undo.dnsmasq.added); do
		uci -q del_list "$DNSMASQ.${item%%=*}=${item#*=}"
	done
	for item in $(uci -q get greengate_undo.dnsmasq.removed); do
		list_has "$DNSMASQ.${item%%=*}" "${item#*=}" || uci add_list "$DNSMASQ.${item%%=*}=${item#*=}"
	done
	for item in $(uci -q get greengate_undo.dnsmasq.unset); do
		uci -q delete "$DNSMASQ.$item"
	done
	for item in port noresolv addmac stripmac cachesize rebind_protection; do
		was=$(uci -q get "greengate_undo.dnsmasq.was_$item")
		[ -z "$was" ] || uci set "$DNSMASQ.$item=$was"
	done
	uci commit dhcp
	rm -f "$UNDO_FILE" "$GONE_SCRIPT"
}
