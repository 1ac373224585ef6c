#!/bin/sh
# Makes a virtual environment, or leaves a working one alone: `tools/venv.sh .venv`.
# PYTHON names an interpreter; otherwise the first that the pinned wheels exist for is taken.
set -eu

venv=$1
here=$(dirname "$0")

# suits PYTHON [BITS]: whether the wheels are for its version, and it is one for 64 bits (or BITS).
suits() {
    "$1" -c "import sys
bits = 64 if sys.maxsize > 2**32 else 32
sys.exit(not ((3, 11) <= sys.version_info[:2] <= (3, 13) and bits == ${2:-64}))" 2>/dev/null
}

# offers PACKAGE: whether apt could install it.
offers() { [ -n "$(apt-cache show "$1" 2>/dev/null)" ]; }

# Why no Python suits, and what to do about it on this release.
refuse() {
    for candidate; do
        if suits "$candidate" 32; then
            echo "$candidate is for 32 bits, and the wheels are for 64: install a 64-bit system" >&2
            exit 1
        fi
    done
    if [ -n "${PYTHON:-}" ]; then
        echo "PYTHON=$PYTHON is no Python 3.11, 3.12 or 3.13" >&2
        exit 1
    fi
    for version in 3.13 3.12 3.11; do
        if offers "python$version-venv"; then
            echo "no Python 3.11, 3.12 or 3.13 found;" \
                "run: sudo apt install python$version python$version-venv" >&2
            exit 1
        fi
    done
    echo "no Python 3.11, 3.12 or 3.13 found, and apt knows of none (sudo apt update, should its" \
        "lists be empty): install one below /usr/local or /opt and name it with" \
        "PYTHON=/usr/local/bin/python3.11" >&2
    exit 1
}

if suits "$venv/bin/python" && [ -x "$venv/bin/pip" ]; then
    exit 0
fi

candidates=${PYTHON:-python3 python3.13 python3.12 python3.11}
python=
for candidate in $candidates; do
    if suits "$candidate"; then
        python=$candidate
        break
    fi
done
# shellcheck disable=SC2086 # words on purpose
[ -n "$python" ] || refuse $candidates
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    # Each version has its own; python3-venv is that of the system's python3 alone.
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    offers "$package" || package=python3-venv
    "$here/apt.sh" "$package" || exit 1
fi

rm -rf "$venv"
"$python" -m venv "$venv"
