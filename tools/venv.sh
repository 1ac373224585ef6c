#!/bin/sh
# Makes a virtual environment, or leaves a working one alone: `tools/venv.sh .venv`.
# PYTHON names an interpreter; otherwise the first that the pinned wheels exist for is taken.
set -eu

venv=$1
here=$(dirname "$0")

suits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

if suits "$venv/bin/python" && [ -x "$venv/bin/pip" ]; then
    exit 0
fi

python=
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if suits "$candidate"; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "no Python 3.11, 3.12 or 3.13 found; run: sudo apt install python3 python3-venv" >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    "$here/apt.sh" python3-venv || exit 1
fi

rm -rf "$venv"
"$python" -m venv "$venv"
