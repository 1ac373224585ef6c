#!/bin/sh
# Installs Debian packages that are missing: `tools/apt.sh libportaudio2 python3-venv`.
# Works as root or with password-free sudo; otherwise names the command to run and fails.
set -eu

missing=
for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "not installed:$missing (no apt-get here: use this system's own package tool)" >&2
    exit 1
elif [ "$(id -u)" -eq 0 ]; then
    root=
elif sudo -n true 2>/dev/null; then
    root="sudo -n"
else
    echo "not installed:$missing; run: sudo apt install$missing" >&2
    exit 1
fi

echo "installing$missing" >&2
install="$root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends"
# The package lists may be absent or old: fetch them only then.
# shellcheck disable=SC2086 # words on purpose
$install $missing >/dev/null 2>&1 || { $root apt-get update -qq && $install $missing >/dev/null; }
