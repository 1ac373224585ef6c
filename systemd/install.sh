#!/bin/sh
# Installs edge-daemon as a systemd service, or upgrades it in place.
#
#   sudo systemd/install.sh              install or upgrade
#   sudo systemd/install.sh --rollback   go back to the version before the last upgrade
#
# The program goes into one of two slots, /opt/edge-daemon.a and .b, and /opt/edge-daemon is a link
# to the one that runs: an upgrade that fails, or loses power half-way, leaves the running one alone.
#
#   DESTDIR=  installs into an image's root and starts nothing
#   WHEEL=    a built wheel; otherwise one is built from this checkout
#   PIP_ARGS= more arguments for pip, such as --no-index --find-links=DIRECTORY
#   PYTHON=   the Python to use
set -eu
umask 022 # the service runs as a user of its own

here=$(cd "$(dirname "$0")" && pwd)
checkout=$(dirname "$here")
root=${DESTDIR:-}
opt=$root/opt/edge-daemon
etc=$root/etc/edge-daemon
unit=$root/etc/systemd/system/edge-daemon.service
users=$root/etc/sysusers.d/edge-daemon.conf
command=$root/usr/local/bin/edge-daemon
share=share/edge-daemon
work=

say() { echo "edge-daemon: $*"; }
die() { echo "edge-daemon: $*" >&2; exit 1; }
trap '[ -z "$work" ] || rm -rf "$work"' EXIT

# Whether systemd runs here and the installation is for this system.
live() { [ -z "$root" ] && [ -d /run/systemd/system ]; }

# flip SLOT: let /opt/edge-daemon point at it, in one step.
flip() {
    ln -sfn "$(basename "$1")" "$opt.next"
    mv -T "$opt.next" "$opt"
}

other_slot() {
    case $(readlink "$opt" 2>/dev/null || true) in
        edge-daemon.a) echo "$opt.b" ;;
        *) echo "$opt.a" ;;
    esac
}

build_wheel() {
    if [ -n "${WHEEL:-}" ]; then
        echo "$WHEEL"
        return
    fi
    # shellcheck disable=SC2086 # words on purpose
    "$1/bin/python" -m pip --disable-pip-version-check --quiet wheel --no-deps ${PIP_ARGS:-} \
        --wheel-dir "$work" "$checkout" >&2 || die "the wheel could not be built"
    echo "$work"/edge_daemon-*.whl
}

# refuse_hidden SLOT: the unit hides /home and /root, where a Python would be found now and not at
# the start of the service. Both the path that the slot names and what it leads to must be seen.
refuse_hidden() {
    for place in "$(sed -n 's/^home = //p' "$1/pyvenv.cfg")" "$(readlink -f "$1/bin/python")"; do
        case $place in
            /home/* | /root/*)
                rm -rf "$1"
                die "the service cannot see a Python below /home or /root ($place):" \
                    "install one below /usr/local or /opt, and name it with PYTHON="
                ;;
        esac
    done
}

install_program() {
    slot=$(other_slot)
    say "installing into $slot"
    rm -rf "$slot"
    mkdir -p "$(dirname "$opt")"
    "$checkout/tools/venv.sh" "$slot"
    [ -n "$root" ] || refuse_hidden "$slot"
    wheel=$(build_wheel "$slot")
    # shellcheck disable=SC2086 # words on purpose
    "$slot/bin/python" -m pip --disable-pip-version-check --quiet install ${PIP_ARGS:-} \
        --constraint "$checkout/constraints.txt" "$wheel" ||
        die "installing failed; the version that was there before is untouched"
    # Whoever let the running version see the system's packages (picamera2) means the next one too;
    # only now, so that all it needs itself is its own.
    seen='^include-system-site-packages = true$'
    if grep -qs "$seen" "$opt/pyvenv.cfg"; then
        sed -i 's/^\(include-system-site-packages\) = .*/\1 = true/' "$slot/pyvenv.cfg"
    fi
    if [ -n "$root" ]; then
        # Inside the image the slot has another name.
        grep -rlI --null "$slot" "$slot/bin" "$slot/pyvenv.cfg" | xargs -0r sed -i "s|$root/|/|g"
    else
        "$slot/bin/edge-daemon" --version >/dev/null || die "the new version does not start"
    fi
}

# A configuration that nobody has changed is replaced; one that was is left alone.
install_config() {
    new=$(echo "$1"/lib/python3*/site-packages/edge_daemon/config.yaml)
    old=$(echo "$opt"/lib/python3*/site-packages/edge_daemon/config.yaml)
    mkdir -p "$etc"
    rm -f "$etc/config.yaml.new"
    if [ ! -e "$etc/config.yaml" ] || cmp -s "$etc/config.yaml" "$old"; then
        install -m 0644 "$new" "$etc/config.yaml"
    elif ! cmp -s "$etc/config.yaml" "$new" && ! cmp -s "$old" "$new"; then
        install -m 0644 "$new" "$etc/config.yaml.new"
        say "kept your $etc/config.yaml; the new defaults are in config.yaml.new"
    fi
}

# The units of a version stay with it, for the way back.
keep_units() {
    install -d "$1/$share"
    install -m 0644 "$here/edge-daemon.service" "$here/edge-daemon.sysusers" \
        "$here/network-camera.conf" "$1/$share"
}

# install_units SLOT: put those of its version in force.
install_units() {
    mkdir -p "$(dirname "$unit")" "$(dirname "$users")" "$(dirname "$command")"
    ln -sfn /opt/edge-daemon/bin/edge-daemon "$command"
    install -m 0644 "$1/$share/edge-daemon.service" "$unit"
    install -m 0644 "$1/$share/edge-daemon.sysusers" "$users"
}

# restart: let the version that is now in force run, unless the service was stopped on purpose.
restart() {
    systemctl daemon-reload
    case $(systemctl is-active edge-daemon) in
        inactive | unknown) return 1 ;;
    esac
    systemctl reset-failed edge-daemon
    systemctl restart edge-daemon ||
        die "$opt does not start, see: journalctl -u edge-daemon; the way back: $0 --rollback"
    say "restarted; see: systemctl status edge-daemon"
}

start() {
    systemd-sysusers "$users"
    # systemd makes it at the first start; `edge-daemon check` looks for it before.
    install -d -m 0750 -o edge-daemon -g edge-daemon /var/log/edge-daemon
    restart ||
        say "next: edit $etc/config.yaml, then: sudo systemctl enable --now edge-daemon"
}

rollback() {
    slot=$(other_slot)
    [ -x "$slot/bin/edge-daemon" ] || die "there is no earlier version to go back to"
    install_units "$slot"
    flip "$slot"
    say "$opt is $(basename "$slot") again"
    if live && ! restart; then say "it is stopped; to start it: sudo systemctl start edge-daemon"; fi
}

[ -n "$root" ] || [ "$(id -u)" -eq 0 ] || die "run this as root: sudo systemd/install.sh"
case ${1:-} in
    --rollback) rollback; exit ;;
    "") ;;
    *) die "unknown argument: $1 (only --rollback is known)" ;;
esac

work=$(mktemp -d)
install_program
if [ -z "$root" ]; then
    "$checkout/tools/apt.sh" libportaudio2 || say "no microphone until libportaudio2 is installed"
else
    say "the image needs libportaudio2 for a microphone"
fi
install_config "$slot"
keep_units "$slot"
install_units "$slot"
flip "$slot"
if live; then
    start
else
    say "installed; in the running system: sudo systemctl enable --now edge-daemon"
fi
