#!/usr/bin/env bash
# The tests in which threads meet, under the thread sanitizer: fails with both places of a data race.
#
#     bash tests/thread_sanitizer/run.sh [TEST..]
#
# Needs a nightly toolchain and a C compiler; x86-64 Linux. The standard library of a toolchain is compiled without the
# sanitizer, so std_locks.c tells it what the locks do where the library itself waits.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$PWD/tests/thread_sanitizer target=$PWD/target/thread-sanitizer
[ $# -gt 0 ] || set -- cache hot_swap swaps determinism fallback

# The name in the standard library of a function that ends like this.
std=("$(rustc +nightly --print target-libdir)"/libstd-*.so)
name_of() {
  local name
  name=$(nm --dynamic "${std[0]}" | sed -n "s/^[0-9a-f]* T \(_RN.*std.*$1\)$/\1/p" | sort -u)
  [ "$(wc -w <<<"$name")" = 1 ] || { echo "this nightly has no single function ...$1: $name" >&2 && exit 1; }
  echo "$name"
}

flags="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer -Zshare-generics=no"
flags+=" -Clink-arg=$target/std_locks.o -Clink-arg=-Wl,--export-dynamic-symbol=__tsan_*"
defines=()
for function in MUTEX_LOCK=Mutex14lock_contended READ_LOCK=RwLock14read_contended WRITE_LOCK=RwLock15write_contended \
  CONDVAR_WAIT=futex.*Condvar4wait ONCE_CALL=futex.*Once4call ONCE_WAIT=Once10wait_force; do
  name=$(name_of "${function#*=}")
  defines+=("-D${function%%=*}=$name")
  flags+=" -Clink-arg=-Wl,--wrap=$name"
done
mkdir -p "$target"
cc -O1 -fPIC "${defines[@]}" -c "$folder/std_locks.c" -o "$target/std_locks.o"

export RUSTFLAGS=$flags IMLE_SWAPS="${IMLE_SWAPS:-600}" TSAN_OPTIONS="suppressions=$folder/suppressions.txt"
cargo +nightly test --locked --target x86_64-unknown-linux-gnu --target-dir "$target" \
  --config 'profile.dev.opt-level=0' --config 'profile.dev.package."*".opt-level=0' "${@/#/--test=}"
