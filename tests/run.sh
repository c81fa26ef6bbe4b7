#!/usr/bin/env bash
# Every test, with every plugin: installs what the plugins of C++ engines need (Debian, as root), or says what to
# install, builds them, and runs the tests. A plugin that cannot be built is named at the end; with
# IMLE_REQUIRE_ALL_BACKENDS=1 it is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."

# What is missing for a plugin, as Debian packages.
missing_for() {
  command -v cc >/dev/null && command -v c++ >/dev/null || echo g++
  case $1 in
  imle-ilp-highs)
    command -v cmake >/dev/null || echo cmake
    has_libclang || echo libclang1
    ;;
  imle-ilp-cbc)
    echo 'int main(void) { return 0; }' | cc -x c - -lCbcSolver -o /dev/null 2>/dev/null || echo coinor-libcbc-dev
    ;;
  esac
}

has_libclang() {
  local found=(${LIBCLANG_PATH:+"$LIBCLANG_PATH"/libclang*}
    /usr/lib/llvm*/lib/libclang[.-]* /usr/lib/*/libclang[.-]* /usr/lib64/libclang[.-]* /usr/local/lib/libclang[.-]*)
  local file
  for file in "${found[@]}"; do [ -e "$file" ] && return; done
  return 1
}

plugins=(imle-ilp-highs imle-ilp-cbc)
packages=$(for plugin in "${plugins[@]}"; do missing_for "$plugin"; done | sort -u | tr '\n' ' ')
if [ -n "$packages" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get update -q && apt-get install -q -y --no-install-recommends $packages ||
    echo "The installation failed; going on without." >&2
fi

built=() absent=()
for plugin in "${plugins[@]}"; do
  packages=$(missing_for "$plugin" | tr '\n' ' ')
  if [ -n "$packages" ]; then
    absent+=("$plugin, which needs: apt-get install $packages")
  else
    # One package a command, always: another selection of features compiles HiGHS again.
    cargo build --locked -p "$plugin"
    built+=("$plugin")
  fi
done

cargo test --locked "$@"
for plugin in ${built[@]+"${built[@]}"}; do
  cargo test --locked -p "$plugin" "$@"
done

for plugin in ${absent[@]+"${absent[@]}"}; do
  echo "NOT BUILT AND NOT TESTED: $plugin" >&2
done
[ ${#absent[@]} = 0 ] || [ "${IMLE_REQUIRE_ALL_BACKENDS:-0}" != 1 ]
