#!/usr/bin/env bash
# Prints a value for VK_ADD_DRIVER_FILES that adds SwiftShader, a second software Vulkan driver, to
# the drivers of the system; hardware drivers stay. The first time takes it out of Debian's package
# chromium-common, into a cache outside this tree. Where it cannot be had, says so and prints what
# the variable held before.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=${XDG_CACHE_HOME:-$HOME/.cache}/grilly/swiftshader
manifest=$folder/swiftshader_icd.json
library=$folder/usr/lib/chromium/libvk_swiftshader.so
log=build/swiftshader.log

fetch() {
  tools/unpack_deb.sh chromium-common "$folder" \
    ./usr/lib/chromium/libvk_swiftshader.so ./usr/lib/chromium/vk_swiftshader_icd.json
  # Debian's manifest names the library relative to itself. Ours is written last: it stands for all.
  sed "s|\"\./libvk_swiftshader\.so\"|\"$library\"|" \
    "$folder/usr/lib/chromium/vk_swiftshader_icd.json" >"$manifest.new"
  grep -qF "\"$library\"" "$manifest.new"
  mv "$manifest.new" "$manifest"
}

if [ ! -e "$manifest" ]; then
  echo "set-up: SwiftShader, a second Vulkan driver, from Debian's chromium-common" >&2
  mkdir -p build
  if ! (set -e; fetch) >"$log" 2>&1 </dev/null; then
    echo "set-up: no SwiftShader (see $log): going on with the drivers that are there" >&2
    echo "${VK_ADD_DRIVER_FILES:-}"
    exit
  fi
fi
echo "${VK_ADD_DRIVER_FILES:+$VK_ADD_DRIVER_FILES:}$manifest"
