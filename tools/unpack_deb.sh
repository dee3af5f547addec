#!/usr/bin/env bash
# Unpacks files of a Debian package into a folder: nothing is installed and no root is needed.
#
#   tools/unpack_deb.sh PACKAGE FOLDER PATTERN...      patterns are tar's, as in './usr/lib/*.so'
set -euo pipefail
package=$1 folder=$2
shift 2

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

# The system's lists may be missing or old, and only root may renew them: then use our own.
if ! apt-get download "$package"; then
  mkdir -p state/lists/partial cache/archives/partial
  own=(-o "Dir::State=$scratch/state" -o Dir::State::status=/var/lib/dpkg/status
    -o "Dir::Cache=$scratch/cache")
  apt-get "${own[@]}" update
  apt-get "${own[@]}" download "$package"
fi

mkdir -p "$folder"
dpkg-deb --fsys-tarfile "$package"_*.deb | tar -x -C "$folder" --wildcards "$@"
