# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
# flash.sh: the state folder lies in memory; what cannot be made again, and the last good lists,
# have a copy on flash, which is written when something changed and there is room.
# The folder belongs to the daemon's user and root copies: no link in it is followed.

FLASH_DIR=/etc/greengate/saved
FLASH_RESERVE_KB=1024
# What cannot be made again; and what is worth a write when the machine goes down.
FLASH_PRECIOUS="rules.yaml managed.yaml accounts.db"
FLASH_ON_STOP="requests.db audit.log audit.log.1"

flash_room_kb() {
	df -k /etc 2>/dev/null | awk 'NR > 1 { free = $(NF - 2) } END { print free + 0 }'
}

is_plain() {
	[ -f "$1" ] && [ ! -h "$1" ]
}

# flash_copy FILE TARGET: only when it differs, and whole or not at all. What has become a link in
# between is copied as one, and thrown away.
flash_copy() {
	is_plain "$1" || return 1
	cmp -s "$1" "$2" && return 0
	if ! { cp -pP "$1" "$2.new" && is_plain "$2.new" && mv "$2.new" "$2"; }; then
		rm -f "$2.new"
		return 1
	fi
}

# flash_save_files STATE FILE...: rules, what commands set, who changed what. Nothing is removed.
flash_save_files() {
	local state=$1 file
	shift
	mkdir -p "$FLASH_DIR"
	for file in "$@"; do
		# A database that is being written is whole the next time.
		! is_plain "$state/$file" || [ -e "$state/$file-journal" ] || flash_copy "$state/$file" "$FLASH_DIR/$file"
	done
}

flash_refuse() {
	flash_refused=$1
	logger -t greengate -p daemon.warn "no room on flash for a copy of the lists ($2 KiB needed): \
after a reboot they are fetched again"
}

# Room for so many KiB, if need be of what an older copy takes.
flash_make_room() {
	local file
	[ "$(flash_room_kb)" -ge "$1" ] && return 0
	rm -rf "$FLASH_DIR/sources"
	[ "$(flash_room_kb)" -ge "$1" ] && return 0
	for file in "$FLASH_DIR"/[0-9]*.ggdb; do
		[ -f "$file" ] && [ $(($(flash_room_kb) + $(wc -c <"$file") / 1024)) -ge "$1" ] || return 1
		rm -f "$file"
		return 0
	done
}

# The database in force, and then the copies of the lists, by which the next update after a
# reboot needs not fetch all: as far as there is room. One write for each generation.
flash_save_lists() {
	local link name need file
	link=$(readlink "$1/blocklist.ggdb") || return 0
	name=${link##*/}
	case $name in [0-9]*.ggdb) ;; *) return 0 ;; esac
	[ "$link" = "generations/$name" ] && [ ! -h "$1/generations" ] && is_plain "$1/$link" && [ "$flash_refused" != "$name" ] || return 0
	[ -f "$FLASH_DIR/$name" ] && [ ! "$1/$link" -nt "$FLASH_DIR/$name" ] && return 0
	mkdir -p "$FLASH_DIR"
	need=$(($(wc -c <"$1/$link") / 1024 + FLASH_RESERVE_KB))
	if ! flash_make_room "$need" || ! flash_copy "$1/$link" "$FLASH_DIR/$name"; then
		flash_refuse "$name" "$need"
		return 1
	fi
	for file in "$FLASH_DIR"/[0-9]*.ggdb; do
		[ "$file" = "$FLASH_DIR/$name" ] || rm -f "$file"
	done
	flash_save_sources "$1"
}

flash_save_sources() {
	local file saved
	[ ! -h "$1/sources" ] || return 0
	mkdir -p "$FLASH_DIR/sources"
	for saved in "$FLASH_DIR"/sources/*; do
		[ -f "$1/sources/${saved##*/}" ] || rm -f "$saved"
	done
	for file in "$1"/sources/*.zst; do
		case $file in *.new.zst) continue ;; esac
		is_plain "$file" || continue
		[ "$(flash_room_kb)" -ge $(($(wc -c <"$file") / 1024 + FLASH_RESERVE_KB)) ] || continue
		flash_copy "$file" "$FLASH_DIR/sources/${file##*/}" &&
			flash_copy "${file%.zst}.json" "$FLASH_DIR/sources/$(basename "${file%.zst}").json"
	done
}

# flash_restore STATE: into a state folder that is empty, as after a reboot.
flash_restore() {
	local file name
	[ -d "$FLASH_DIR" ] || return 0
	for file in $FLASH_PRECIOUS $FLASH_ON_STOP; do
		[ -e "$1/$file" ] || [ -h "$1/$file" ] || [ ! -f "$FLASH_DIR/$file" ] || cp -p "$FLASH_DIR/$file" "$1/$file"
	done
	[ ! -e "$1/blocklist.ggdb" ] && [ ! -h "$1/generations" ] && [ ! -h "$1/sources" ] || return 0
	for file in "$FLASH_DIR"/[0-9]*.ggdb; do
		[ -f "$file" ] || continue
		name=${file##*/}
		mkdir -p "$1/generations" "$1/sources"
		[ ! -h "$1/generations/$name" ] || continue
		cp -p "$file" "$1/generations/$name" && ln -sfn "generations/$name" "$1/blocklist.ggdb"
	done
	for file in "$FLASH_DIR"/sources/*; do
		[ ! -f "$file" ] || [ -h "$1/sources/${file##*/}" ] || cp -p "$file" "$1/sources/${file##*/}"
	done
}
