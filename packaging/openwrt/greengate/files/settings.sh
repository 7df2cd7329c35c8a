# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
# settings.sh: /etc/config/greengate turned into greengate's YAML.
# Needs /lib/functions.sh and /lib/functions/network.sh of OpenWrt.

STATE_DIR=/var/lib/greengate
SOCKET=/var/run/greengate/control.sock
RESOLV_AUTO=/tmp/resolv.conf.d/resolv.conf.auto
PRIVATE_REVERSE="10.in-addr.arpa 168.192.in-addr.arpa d.f.ip6.arpa"

# Of settings_print, for what it calls.
dnsmasq_port=54

settings_complain() {
	logger -s -t greengate -p daemon.err "/etc/config/greengate: $*"
}

# Options by type of section: what stands in none of these is a slip of the pen.
settings_known() {
	case $1 in
	greengate) echo "enabled mode dnsmasq_port port upstream upstream_strategy zone network firewall \
exempt_group page page_ipv4 page_ipv6 page_port organisation contact exit_url reviews language \
flash_copy cache_mb workers name wait_for_sync state_dir allow_client rate_limit_qps block_mode \
rebinding_exception update_every_h update_window memory_mb keep_generations list_names never_block \
stats_privacy stats_min_clients jail_mount" ;;
	group) echo "client block service only prefer block_country block_network mode look_alikes \
strip_ech safe_search youtube unsafe_search name" ;;
	schedule) echo "group block service allow except days from to time bell on not_on" ;;
	list) echo "url category format match public_key update_every_h update_window allow_private scope \
folder local_data insecure accept_popular shadow enabled id" ;;
	record) echo "name address" ;;
	zone) echo "domain server" ;;
	bell) echo "name from to" ;;
	dates) echo "name on" ;;
	*) return 1 ;;
	esac
}

settings_check_option() {
	case " $(settings_known "$settings_section_type") " in
	*" $1 "*) ;;
	*) settings_complain "section '$settings_section_type' has no option '$1', it is not heeded" ;;
	esac
}

settings_load() {
	local status
	# shellcheck disable=SC2317 # called by config_load
	config_cb() {
		settings_section_type=$1
		[ -z "$1" ] || settings_known "$1" >/dev/null ||
			settings_complain "there are no sections of type '$1', it is not heeded"
	}
	# shellcheck disable=SC2317
	option_cb() { settings_check_option "$1"; }
	# shellcheck disable=SC2317
	list_cb() { settings_check_option "$1"; }
	config_load greengate
	status=$?
	reset_cb
	[ $status = 0 ] || settings_complain "cannot be read; 'uci show greengate' says where"
	return $status
}

# The value as a YAML text in $quoted. All settings are one line: line ends become spaces.
settings_quote() {
	case $1 in
	*[!A-Za-z0-9._:/@%+,#-]*)
		quoted=\"$(printf '%s' "$1" | tr '\n\r\t' '   ' | tr -d '\001-\037\177' | sed 's/[\\"]/\\&/g')\"
		;;
	*) quoted=\"$1\" ;;
	esac
}

# put_text INDENT KEY VALUE: nothing for an empty value.
put_text() {
	[ -n "$3" ] || return 0
	settings_quote "$3"
	echo "$1$2: $quoted"
}

# A number stands bare; anything else is quoted, so that the checker says what it is.
put_number() {
	case $3 in
	'') ;;
	*[!0-9]*) put_text "$1" "$2" "$3" ;;
	*) echo "$1$2: $3" ;;
	esac
}

put_flag() {
	case $3 in
	'') ;;
	1 | on | true | yes | enabled) echo "$1$2: true" ;;
	0 | off | false | no | disabled) echo "$1$2: false" ;;
	*) put_text "$1" "$2" "$3" ;;
	esac
}

collect_item() {
	settings_quote "$1"
	items="$items${items:+, }$quoted"
}

# The items of a list in $items; one that was written as an option is split at spaces.
collect_list() {
	local count value
	items=
	config_get count "$1" "$2_LENGTH"
	if [ -n "$count" ]; then
		config_list_foreach "$1" "$2" collect_item
		return
	fi
	config_get value "$1" "$2"
	for value in $value; do
		collect_item "$value"
	done
}

# put INDENT SECTION KIND OPTION[=KEY]...: options of a section, those that are there.
put() {
	local indent=$1 section=$2 kind=$3 option value
	shift 3
	for option in "$@"; do
		if [ "$kind" = list ]; then
			collect_list "$section" "${option%%=*}"
			[ -z "$items" ] || echo "$indent${option#*=}: [$items]"
		else
			config_get value "$section" "${option%%=*}"
			"put_$kind" "$indent" "${option#*=}" "$value"
		fi
	done
}

# put_default KIND OPTION[=KEY] VALUE: an option of `main`, or this.
put_default() {
	local value
	config_get value main "${2%%=*}" "$3"
	"put_$1" "  " "${2#*=}" "$value"
}

put_wan_servers() {
	local word address rest
	[ -r "$RESOLV_AUTO" ] || return 0
	while read -r word address rest; do
		case $word:$address in
		nameserver:*%* | nameserver:127.* | nameserver:::1 | nameserver:0.0.0.0) ;;
		nameserver:*:*) collect_item "udp://[$address]:53" ;;
		nameserver:*) collect_item "udp://$address:53" ;;
		esac
	done <"$RESOLV_AUTO"
}

put_server_item() {
	case $1 in
	wan) put_wan_servers ;;
	*) collect_item "$1" ;;
	esac
}

put_server() {
	local tz
	tz=$(uci -q get "system.@system[0].timezone")
	echo "server:"
	put_default number workers 1
	put_text "  " state_dir "$STATE_DIR"
	put_text "  " control_socket "$SOCKET"
	put_text "  " timezone "$tz"
	put_default flag wait_for_sync 1
	put "  " main text name
}

# An item of a list of maps is a dash alone, its keys below it.
put_record() {
	echo "    -"
	put "      " "$1" text name address
}

put_dns() {
	local mode=$1 lease port records
	lease=$(uci -q get "dhcp.@dnsmasq[0].leasefile")
	echo "dns:"
	if [ "$mode" = behind ]; then
		config_get port main port 5453
		echo "  listen: [\"127.0.0.1:$port\", \"[::1]:$port\"]"
		echo "  trusted_forwarders: [\"127.0.0.1\", \"::1\"]"
	else
		echo "  listen: [\"0.0.0.0:53\", \"[::]:53\"]"
	fi
	settings_quote "${lease:-/tmp/dhcp.leases}"
	echo "  lease_files: [$quoted, \"/tmp/hosts/odhcpd\"]"
	put "  " main list allow_client=allow_clients rebinding_exception=rebinding_exceptions
	put "  " main number rate_limit_qps
	records=$(config_foreach put_record record)
	[ -z "$records" ] || printf '  records:\n%s\n' "$records"
}

put_zone() {
	echo "    -"
	put "      " "$1" text domain
	put "      " "$1" list server=servers
}

put_dnsmasq_zone() {
	case " $zones_seen " in *" $1 "*) return ;; esac
	zones_seen="$zones_seen $1"
	settings_quote "$1"
	echo "    - {domain: $quoted, servers: [\"udp://127.0.0.1:$dnsmasq_port\"]}"
}

# Domains that dnsmasq asks servers of their own for: /corp.example/10.0.0.1
put_dnsmasq_server() {
	local rest=${1#/} domain
	case $1 in /*/*) ;; *) return ;; esac
	while [ "${rest#*/}" != "$rest" ]; do
		domain=${rest%%/*}
		rest=${rest#*/}
		[ -z "$domain" ] || put_dnsmasq_zone "$domain"
	done
}

# In front of dnsmasq: names of this network are its business.
put_zones() {
	local mode=$1 domain zones zones_seen='' i
	zones=$(config_foreach put_zone zone)
	if [ "$mode" = front ]; then
		zones="$zones
$(
			domain=$(uci -q get "dhcp.@dnsmasq[0].domain")
			for domain in "${domain:-lan}" $PRIVATE_REVERSE; do
				put_dnsmasq_zone "$domain"
			done
			i=16
			while [ $i -lt 32 ]; do
				put_dnsmasq_zone "$i.172.in-addr.arpa"
				i=$((i + 1))
			done
			for domain in $(uci -q get "dhcp.@dnsmasq[0].server"); do
				put_dnsmasq_server "$domain"
			done
		)"
	fi
	[ -z "$zones" ] || printf '  zones:\n%s\n' "$zones" | sed '/^$/d'
}

put_upstream() {
	local count words word
	echo "upstream:"
	items=
	config_get count main upstream_LENGTH
	if [ -n "$count" ]; then
		config_list_foreach main upstream put_server_item
	else
		config_get words main upstream wan
		for word in $words; do
			put_server_item "$word"
		done
	fi
	# Before the provider said anything the default stands in.
	[ -n "$items" ] || collect_item "udp://9.9.9.9:53"
	echo "  servers: [$items]"
	put "  " main text upstream_strategy=strategy
	put_zones "$1"
}

put_block_and_web() {
	local page port
	config_get_bool page main page 1
	config_get port main page_port 8053
	[ -x /usr/sbin/greengate-web ] || page=0
	echo "block:"
	if [ "$page" = 1 ]; then
		put_default text block_mode=mode page
		put_default text page_ipv4 198.18.53.1
		put_default text page_ipv6 2001:2::53:1
	else
		put_default text block_mode=mode nxdomain
	fi
	echo "web:"
	echo "  listen: [\"0.0.0.0:$port\", \"[::]:$port\"]"
	put "  " main text organisation contact exit_url
	put "  " main flag reviews
	put "  " main list language=languages
}

put_source() {
	local id
	config_get id "$1" id "$1"
	echo "    -"
	put_text "      " id "$id"
	put "      " "$1" text url category format match public_key update_window scope
	put "      " "$1" number update_every_h
	put "      " "$1" list folder=folders
	put "      " "$1" flag allow_private local_data insecure accept_popular shadow enabled
}

# A quarter of the memory, 32 to 64 MB: the files of an update count, as they lie in memory too.
memory_share() {
	awk '$1 == "MemTotal:" { mb = int($2 / 4096) } END { print mb < 32 ? 32 : mb > 64 ? 64 : mb }' /proc/meminfo
}

put_lists() {
	local sources
	echo "lists:"
	put_default number memory_mb "$(memory_share)"
	put_default number keep_generations 2
	put_default flag list_names=names 0
	put "  " main number update_every_h
	put "  " main text update_window
	put "  " main list never_block
	sources=$(config_foreach put_source list)
	[ -z "$sources" ] || printf '  sources:\n%s\n' "$sources"
}

put_schedule() {
	local group
	config_get group "$1" group
	[ "$group" = "$2" ] || return 0
	echo "      -"
	put "        " "$1" list block service=services allow except time=times bell=bells on not_on
	put "        " "$1" text days from to
}

put_group() {
	local name rows
	config_get name "$1" name "$1"
	echo "  -"
	put_text "    " name "$name"
	put "    " "$1" list client=clients block service=services only prefer \
		block_country=block_countries block_network=block_networks
	put "    " "$1" text mode youtube unsafe_search
	put "    " "$1" flag look_alikes strip_ech safe_search
	rows=$(config_foreach put_schedule schedule "$name")
	[ -z "$rows" ] || printf '    schedule:\n%s\n' "$rows"
}

put_bell() {
	echo "    -"
	put "      " "$1" text name from to
}

put_dates() {
	echo "    -"
	put "      " "$1" text name
	put "      " "$1" list on
}

put_calendar() {
	local bells dates
	bells=$(config_foreach put_bell bell)
	dates=$(config_foreach put_dates dates)
	[ -n "$bells$dates" ] || return 0
	echo "calendar:"
	[ -z "$bells" ] || printf '  bells:\n%s\n' "$bells"
	[ -z "$dates" ] || printf '  dates:\n%s\n' "$dates"
}

note_group() {
	local name
	config_get name "$1" name "$1"
	group_names="$group_names $name"
}

check_schedule() {
	local group
	config_get group "$1" group
	case " $group_names " in
	*" $group "*) ;;
	*)
		settings_complain "a schedule names the group '$group', and there is no such group"
		settings_fault=1
		;;
	esac
}

# What the YAML could not show any more. 1: do not go on.
settings_check() {
	local mode option port
	settings_fault=0
	group_names=
	config_get mode main mode front
	case $mode in
	front | behind) ;;
	*)
		settings_complain "mode '$mode' is neither front nor behind"
		settings_fault=1
		;;
	esac
	for option in port dnsmasq_port; do
		config_get port main "$option" 54
		case $port in
		5353)
			settings_complain "$option '5353' is that of mDNS: take 5453 or 54"
			settings_fault=1
			;;
		*[!0-9]* | 53)
			settings_complain "$option '$port' is no port, or the one that must be free: take 5453 or 54"
			settings_fault=1
			;;
		esac
	done
	config_foreach note_group group
	config_foreach check_schedule schedule
	return $settings_fault
}

# settings_print: the whole file on standard output, after settings_load.
settings_print() {
	local mode
	config_get mode main mode front
	config_get dnsmasq_port main dnsmasq_port 54
	config_get STATE_DIR main state_dir "$STATE_DIR"
	echo "# Made from /etc/config/greengate at every start and reload: change that one."
	put_server
	put_dns "$mode"
	put_upstream "$mode"
	echo "cache:"
	put_default number cache_mb=size_mb 2
	put_block_and_web
	put_lists
	put_calendar
	echo "stats:"
	put_default text stats_privacy=privacy counters
	put "  " main number stats_min_clients=min_clients
	groups=$(config_foreach put_group group)
	[ -z "$groups" ] || printf 'groups:\n%s\n' "$groups"
}
