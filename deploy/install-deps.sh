#!/usr/bin/env bash
# Makes sure that what the tests and the demo need is on this machine: Go, a C
# compiler (for the race detector), Redis and the PostgreSQL server; and what is
# named as an argument: spin, the model checker; promtool, which checks the alert
# rules; chromium, in which the page is tested.
#
# On Debian and Ubuntu it installs what is missing, as root or through a sudo
# that asks for no password; Go it never installs. Elsewhere it says what to
# install and exits 1. When nothing is missing it changes nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
	echo "deps: $*" >&2
	exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# have_postgres looks where the tests look, so that both agree: initdb and
# postgres in one directory, which most distributions keep off the PATH.
have_postgres() {
	local dirs=() dir
	if have initdb; then dirs+=("$(dirname "$(command -v initdb)")"); fi
	if have pg_config; then dirs+=("$(pg_config --bindir)"); fi
	dirs+=(
		/usr/lib/postgresql/*/bin
		/usr/pgsql-*/bin
		/opt/homebrew/opt/postgresql@*/bin
		/usr/local/opt/postgresql@*/bin
		/opt/local/lib/postgresql*/bin
		/Applications/Postgres.app/Contents/Versions/*/bin
		/Library/PostgreSQL/*/bin
		/usr/local/pgsql/bin
	)
	for dir in "${dirs[@]}"; do
		if [[ -x $dir/initdb && -x $dir/postgres ]]; then return 0; fi
	done
	return 1
}

# have_chromium goes by the names under which Chromium and Chrome are installed.
have_chromium() {
	local name
	for name in chromium chromium-browser google-chrome google-chrome-stable; do
		if have "$name"; then return 0; fi
	done
	[[ -x "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" ||
		-x /Applications/Chromium.app/Contents/MacOS/Chromium ]]
}

check_go() {
	local want have_version major minor want_major want_minor
	want=$(sed -n 's/^go \([0-9.]*\)$/\1/p' go.mod)
	have go || fail "Go $want or newer is needed: see https://go.dev/dl/"
	# Asked outside the module, or an older Go would refuse to answer. Since
	# 1.21 it can fetch the version that go.mod asks for by itself.
	have_version=$(cd / && GOTOOLCHAIN=local go version | sed 's/^go version go//; s/[^0-9.].*$//')
	IFS=. read -r major minor _ <<<"$have_version"
	IFS=. read -r want_major want_minor _ <<<"$want"
	if ((${major:-0} < want_major || (${major:-0} == want_major && ${minor:-0} < want_minor))); then
		if [[ $(cd / && go env GOTOOLCHAIN) == local ]] || ((${major:-0} == 1 && ${minor:-0} < 21)); then
			fail "Go $want or newer is needed, this is ${have_version:-an unknown version}: see https://go.dev/dl/"
		fi
	fi
}

# look fills missing: each missing thing is one word, with a package name for
# each system below.
look() {
	local thing
	missing=()
	have cc || have gcc || missing+=(compiler)
	have redis-server || missing+=(redis)
	have_postgres || missing+=(postgres)
	for thing in "$@"; do
		case $thing in
		spin | promtool) have "$thing" || missing+=("$thing") ;;
		chromium) have_chromium || missing+=(chromium) ;;
		*) fail "$thing is not known: spin, promtool and chromium can be asked for" ;;
		esac
	done
}

check_go
look "$@"
if ((${#missing[@]} == 0)); then
	exit 0
fi

apt_packages() {
	local thing
	for thing in "${missing[@]}"; do
		case $thing in
		compiler) echo gcc libc6-dev ;;
		redis) echo redis-server ;;
		postgres) echo postgresql ;;
		spin) echo spin ;;
		promtool) echo prometheus ;;
		chromium) echo chromium ;;
		esac
	done
}

if ! have apt-get; then
	case $(uname -s) in
	Darwin) how="xcode-select --install (compiler), brew install redis (redis), brew install postgresql@17 (postgres), brew install spin (spin), brew install prometheus (promtool), brew install --cask google-chrome (chromium)" ;;
	*) how="a C compiler with the C library's headers (compiler), Redis 7.0 or newer (redis), PostgreSQL's server, 13 or newer (postgres), https://spinroot.com (spin), Prometheus (promtool), Chromium or Chrome (chromium)" ;;
	esac
	fail "missing: ${missing[*]}. Install with: $how"
fi

as_root=()
if ((EUID != 0)); then
	have sudo && sudo -n true 2>/dev/null ||
		fail "missing: ${missing[*]}. Run as root: apt-get install $(apt_packages | xargs)"
	as_root=(sudo -n)
fi
apt_get() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get "$@"; }

# retry runs a command a second time when it fails: mirrors have bad moments.
retry() { "$@" || { sleep 2 && "$@"; }; }

read -ra packages <<<"$(apt_packages | xargs)"
echo "deps: installing ${packages[*]}" >&2

# The tests start servers of their own. Debian would make and start others
# that nobody asked for: a PostgreSQL cluster, and each server as a service. So
# policy-rc.d, which packages ask whether they may start one, says no meanwhile,
# unless the machine has an answer of its own there.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
	trap '"${as_root[@]}" rm -f "$policy"' EXIT
	printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
	"${as_root[@]}" chmod 755 "$policy"
fi
conf=/etc/postgresql-common/createcluster.conf
if [[ " ${missing[*]} " == *" postgres "* && ! -e $conf ]]; then
	"${as_root[@]}" mkdir -p "$(dirname "$conf")"
	echo 'create_main_cluster = false' | "${as_root[@]}" tee "$conf" >/dev/null
fi
retry apt_get update -q
retry apt_get install -qy --no-install-recommends -o Dpkg::Options::=--force-confold "${packages[@]}"
if [[ -d /run/systemd/system ]]; then
	for thing in "${missing[@]}"; do
		case $thing in
		redis) "${as_root[@]}" systemctl disable --now redis-server ;;
		promtool) "${as_root[@]}" systemctl disable --now prometheus ;;
		esac
	done
fi

look "$@"
((${#missing[@]} == 0)) || fail "installed ${packages[*]}, but still missing: ${missing[*]}"
