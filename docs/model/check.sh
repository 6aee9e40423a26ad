#!/usr/bin/env bash
# Verifies the model of the election, and that each of its faults is found.
#
#   check.sh                 runs everything
#   check.sh trace VARIANT   shows the shortest way to the fault of a variant
#
# It needs spin and gcc. JOBS (2) is how many runs go on at once; each needs up to
# 1.5 GB of memory.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
jobs=${JOBS:-2}
optimize=-O1 # a variant is found sooner than it is compiled well

for tool in spin gcc; do
	command -v "$tool" >/dev/null 2>&1 || {
		echo "model: $tool is missing: install the packages spin and gcc (Debian, Ubuntu: apt-get install spin gcc; macOS: brew install spin gcc)" >&2
		exit 1
	}
done

work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$work"' EXIT

# The good model: name and defines.
good=(
	"election      -DARBITERS=3 -DWINS=3 -DFAULTS=1"
	"two-losses    -DARBITERS=2 -DWINS=3 -DFAULTS=2 -DLOSSES_ONLY"
	"no-shortcut   -DARBITERS=2 -DWINS=2 -DFAULTS=1 -DNO_SHORTCUT"
	"liveness      -DARBITERS=2 -DWINS=4 -DFAULTS=1 -DNO_SHORTCUT -DLIVE"
)

# The variants: name, what fails, what spin must print, and defines.
both='both containers hold the connection|assertion violated .*may\[0\]==0.*may\[1\]==0'
issued='an epoch is issued twice|assertion violated .*was\[i\]\.inc!=r\.inc'
lost='an incarnation goes on without records that it had|assertion violated .*past\[r\.inc\]'
stuck='acceptance cycle'
variants=(
	"fence-off|a record enters the history under an epoch that is over|assertion violated .*was\[.*\]\.epoch==r\.epoch|-DFENCE_OFF -DONLY=2"
	"base-off|a delayed commit makes an intent count twice|assertion violated .*r\.t_taken&|-DBASE_OFF -DONLY=4"
	"again-off|a leader is stopped by its own repeated commit|assertion violated .*reply!=|-DAGAIN_OFF"
	"cursor-apart|an intent counts twice|assertion violated .*r\.t_taken&|-DCURSOR_APART -DONLY=4"
	"mail-first|$both|-DMAIL_FIRST -DONLY=1"
	"catch-up-off|$both|-DCATCH_UP_OFF -DONLY=1"
	"barrier-off|$both|-DBARRIER_OFF -DONLY=1"
	"campaign-life-off|$both|-DCAMPAIGN_LIFE_OFF -DLOSSES_ONLY -DONLY=1"
	"commit-life-off|$both|-DCOMMIT_LIFE=0 -DLOSSES_ONLY -DONLY=1"
	"commit-life-first|$lost|-DCOMMIT_LIFE=1 -DONLY=2"
	"script-shared|$both|-DSCRIPT_SHARED -DCOMMIT_LIFE=1 -DLOSSES_ONLY -DONLY=1"
	"epoch-kept|$issued|-DEPOCH_KEPT -DONLY=2"
	"epoch-from-memory|$issued|-DEPOCH_FROM_MEMORY -DONLY=2"
	"incarnation-kept|$issued|-DINCARNATION_KEPT -DONLY=2"
	"never-begun-off|nobody ever leads|$stuck|-DNEVER_BEGUN_OFF -DNO_SHORTCUT -DWINS=4 -DLIVE"
	"extend-life-off|a leader waits for ever behind what Redis has|$stuck|-DEXTEND_LIFE_OFF -DNO_SHORTCUT -DWINS=4 -DLIVE"
)

# build NAME DEFINES... [-- CFLAGS...] makes the verifier in a directory of its own.
build() {
	local dir=$work/$1 defines=() flags=(-DSAFETY -DNOFAIR)
	shift
	while (($# > 0)) && [[ $1 != -- ]]; do
		defines+=("$1")
		[[ $1 != -DLIVE ]] || flags=(-DNFAIR=3)
		shift
	done
	(($# == 0)) || shift
	mkdir "$dir"
	cp election.pml "$dir"
	(cd "$dir" && spin -a "${defines[@]}" election.pml && gcc "$optimize" -w -DMEMLIM=3500 "${flags[@]}" "$@" -o pan pan.c) >"$dir/build" 2>&1 || {
		cat "$dir/build" >&2
		return 1
	}
}

# search NAME DEFINES... builds and runs the verifier, which goes through every
# state: there is no hashing that could overlook one.
search() {
	local dir=$work/$1 options=(-m1000000 -w24)
	[[ " $* " != *" -DLIVE "* ]] || options+=(-a -f)
	build "$@"
	(cd "$dir" && nice ./pan "${options[@]}") >"$dir/out" 2>&1 || true
}

figures() {
	awk '/states, stored/ { n = $1 } /total actual memory/ { m = $1 } /elapsed time/ { t = $4 }
		END { printf "%d states, %.1f s, %.0f MB", n, t, m }' "$work/$1/out"
}

check_good() {
	local name=$1 out=$work/$1/out optimize=-O2
	search "$@"
	if grep -q '^Full statespace search' "$out" && grep -q 'errors: 0$' "$out" && grep -q 'states, stored' "$out" &&
		! grep -qiE 'search not completed|max search depth too small|truncated|out of memory|MEMLIM' "$out"; then
		echo "ok $name: $(figures "$name")"
	else
		echo "FAILED $name:"
		grep -E '^pan:|^error|^Warning|errors:' "$out" || cat "$out"
	fi
}

check_variant() {
	local name=$1 what=$2 pattern=$3 out=$work/$1/out
	shift 3
	search "$name" "$@"
	if grep -qE "^pan:1: $pattern" "$out"; then
		echo "ok $name fails as it must: $what"
	else
		echo "FAILED $name does not fail as it must:"
		grep -E '^pan:|^error|^Warning|errors:' "$out" || cat "$out"
	fi
}

trace() {
	local line name what pattern defines options=(-m1000000) flags=(-DBFS)
	for line in "${variants[@]}"; do
		IFS='|' read -r name what pattern defines <<<"$line"
		[[ $name == "$1" ]] || continue
		read -ra defines <<<"$defines"
		if [[ " ${defines[*]} " == *" -DLIVE "* ]]; then
			options+=(-a -f) flags=()
		else
			defines+=(-DTRACE)
		fi
		build "$name" "${defines[@]}" -- "${flags[@]}"
		cd "$work/$name"
		nice ./pan "${options[@]}" >out 2>&1 || true
		spin -t -T "${defines[@]}" election.pml 2>&1 | sed '/^spin: trail ends/,$d; /^ltl /d; /^Never claim/d; /^spin: .*Error: assertion/d; s/^spin: text of failed assertion: /FAILS: /'
		echo "$name: $what"
		return
	done
	echo "model: there is no variant $1; the variants are: $(printf '%s\n' "${variants[@]}" | cut -d'|' -f1 | xargs)" >&2
	exit 1
}

if [[ ${1:-} == trace ]]; then
	trace "${2:-}"
	exit
fi

# Each run writes its line into a file; they are shown in order.
names=()
start() {
	while (($(jobs -rp | wc -l) >= jobs)); do wait -n || true; done
	names+=("$2")
	"$@" >"$work/$2.line" 2>&1 &
}
began=$SECONDS
for line in "${good[@]}"; do
	read -ra words <<<"$line"
	start check_good "${words[@]}"
done
for line in "${variants[@]}"; do
	IFS='|' read -r name what pattern defines <<<"$line"
	read -ra words <<<"$defines"
	start check_variant "$name" "$what" "$pattern" "${words[@]}"
done
wait

failed=0
for name in "${names[@]}"; do
	cat "$work/$name.line"
	grep -q "^ok $name" "$work/$name.line" || failed=1
done
if ((failed)); then
	echo "model: FAILED" >&2
	exit 1
fi
echo "model: ok, ${#good[@]} runs of the model and ${#variants[@]} variants in $((SECONDS - began)) s"
