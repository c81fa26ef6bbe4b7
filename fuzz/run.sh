#!/usr/bin/env bash
# Runs the fuzz targets one after the other: bash fuzz/run.sh SECONDS [TARGET..], all of them if none is named.
# Needs rustup's nightly toolchain and cargo-fuzz. Ends at the first finding, which cargo-fuzz leaves in artifacts/TARGET.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=$1
shift
[ $# -gt 0 ] || set -- $(cd fuzz/seeds && echo *)

# One thread, so that what a target covers does not depend on the machine.
export RAYON_NUM_THREADS=1
for target in "$@"; do
  echo
  echo "== fuzz: $target, $seconds s"
  dictionary=fuzz/dictionaries/$target.dict
  mkdir -p "fuzz/corpus/$target"
  cargo +nightly fuzz run "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
    -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=2000 -print_final_stats=1 \
    $([ ! -e "$dictionary" ] || echo "-dict=$dictionary")
done
