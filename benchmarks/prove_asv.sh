#!/bin/sh
# Shows that `asv continuous` sees what it should: in a scratch clone, a commit that only changes a
# comment must pass, and one whose kernel does every round twice must fail. Takes minutes and
# compares times, so it stands here and not in the test suite. Needs asv and virtualenv.
#
#   sh benchmarks/prove_asv.sh [SCRATCH-FOLDER]
set -eu
cd "$(dirname "$0")/.."
scratch=${1:-build/prove_asv}
rm -rf "$scratch"
git clone --quiet . "$scratch"
cd "$scratch"
scratch=$PWD
git checkout --quiet -B main
HOME=$scratch/build
export HOME
mkdir -p "$HOME"
rounds=src/blake2_simd/blake2_simd_lanes.h

commit() { git -c user.name=proof -c user.email=proof@localhost commit --quiet --all -m "$1"; }
compare() { (cd benchmarks && asv continuous --factor 1.3 --bench 'selection.Nodes' main HEAD); }

cd benchmarks && asv machine --yes >/dev/null && cd ..

git checkout --quiet -b unchanged main
echo "/* unchanged */" >>"$rounds"
commit "a comment"
compare || { echo "asv continuous failed a commit that changes nothing" >&2; exit 1; }

git checkout --quiet -b slowed main
sed -i 's/^  ROUND(W, .*) \\$/&\n&/' "$rounds"
commit "every round twice"
if compare; then
  echo "asv continuous passed a kernel that does every round twice" >&2
  exit 1
fi
printf '\nasv continuous passed the unchanged commit and failed the slowed one\n'
