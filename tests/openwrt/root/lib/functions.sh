# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
# Stands in for OpenWrt's /lib/functions.sh: the same functions, as scripts see them.

reset_cb() {
	config_cb() { return 0; }
	option_cb() { return 0; }
	list_cb() { return 0; }
}
reset_cb

config() {
	CONFIG_COUNT=$((CONFIG_COUNT + 1))
	CONFIG_SECTION=${2:-cfg$CONFIG_COUNT}
	CONFIG_SECTIONS="$CONFIG_SECTIONS $CONFIG_SECTION"
	eval "CONFIG_${CONFIG_SECTION}_TYPE=\$1"
	config_cb "$1" "$CONFIG_SECTION"
}

option() {
	eval "CONFIG_${CONFIG_SECTION}_$1=\$2"
	option_cb "$1" "$2"
}

list() {
	eval "CONFIG_${CONFIG_SECTION}_$1_LENGTH=\$((\${CONFIG_${CONFIG_SECTION}_$1_LENGTH:-0} + 1))
		CONFIG_${CONFIG_SECTION}_$1=\"\${CONFIG_${CONFIG_SECTION}_$1:+\$CONFIG_${CONFIG_SECTION}_$1 }\$2\"
		eval CONFIG_${CONFIG_SECTION}_$1_ITEM\$CONFIG_${CONFIG_SECTION}_$1_LENGTH=\\\$2"
	list_cb "$1" "$2"
}

package() { return 0; }

config_load() {
	local name data
	for name in $(set | sed -n 's/^\(CONFIG_[A-Za-z0-9_]*\)=.*/\1/p'); do
		unset "$name"
	done
	CONFIG_COUNT=0
	CONFIG_SECTIONS=
	data=$(uci ${UCI_CONFIG_DIR:+-c "$UCI_CONFIG_DIR"} export "$1" 2>/dev/null) || return 1
	eval "$data"
}

config_get() {
	case $2${3:-$1} in *[!A-Za-z0-9_]*) return ;; esac
	if [ -z "$3" ]; then
		eval "echo \"\${CONFIG_${1}_$2:-\$4}\""
	else
		eval "$1=\${CONFIG_${2}_$3:-\$4}"
	fi
}

config_get_bool() {
	local _value
	config_get _value "$2" "$3" "$4"
	case $_value in
	1 | on | true | yes | enabled) _value=1 ;;
	0 | off | false | no | disabled) _value=0 ;;
	*) _value=$4 ;;
	esac
	eval "$1=\$_value"
}

config_foreach() {
	local _function=$1 _type=$2 section kind
	shift 2
	for section in $CONFIG_SECTIONS; do
		config_get kind "$section" TYPE
		[ "$kind" != "$_type" ] || "$_function" "$section" "$@"
	done
}

config_list_foreach() {
	local _section=$1 _option=$2 _function=$3 _count _value _i=1
	shift 3
	config_get _count "$_section" "${_option}_LENGTH"
	while [ "$_i" -le "${_count:-0}" ]; do
		config_get _value "$_section" "${_option}_ITEM$_i"
		"$_function" "$_value" "$@"
		_i=$((_i + 1))
	done
}
