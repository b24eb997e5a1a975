#!/bin/sh
# Shows that `asv continuous` sees what it should: in a scratch clone, a commit that only changes a
# comment must pass, and one whose kernel does every round twice must fail, by name. Takes minutes
# and compares times, so it stands here and not in the test suite. Needs asv and virtualenv.
#
#   sh benchmarks/prove_asv.sh
set -eu
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
git clone --quiet . "$scratch/rvh"
cd "$scratch/rvh"
git checkout --quiet -B main
export HOME="$scratch" # asv's settings of its own
rounds=src/blake2_simd/blake2_simd_lanes.h

commit() { git -c user.name=proof -c user.email=proof@localhost commit --quiet --all -m "$1"; }
compare() {
  status=0
  (cd benchmarks && asv continuous --factor 1.3 --bench selection.Nodes main HEAD) \
    >"$scratch/said" 2>&1 || status=$?
  cat "$scratch/said"
}
fail() {
  echo "$1" >&2
  exit 1
}

(cd benchmarks && asv machine --yes >/dev/null)

git checkout --quiet -b unchanged main
echo "/* unchanged */" >>"$rounds"
commit "a comment"
compare
[ "$status" = 0 ] || fail "asv continuous failed a commit that changes nothing"

git checkout --quiet -b slowed main
awk '{ print } /^  ROUND\(W, / { print }' "$rounds" >"$scratch/twice"
cp "$scratch/twice" "$rounds"
commit "every round twice"
compare
[ "$status" = 1 ] || fail "asv continuous ended with $status for a kernel that does every round twice"
grep -q "^| +.*time_argselect('portable', 'blake2b', 64)" "$scratch/said" ||
  fail "asv continuous failed without naming the slowed kernel"
printf '\nasv continuous passed the unchanged commit and failed the slowed one\n'
