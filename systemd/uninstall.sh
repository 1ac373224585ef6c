#!/bin/sh
# Removes the edge-daemon service. Configuration and journal stay, unless --purge is given.
# DESTDIR= works on an image's root.
set -eu

root=${DESTDIR:-}
opt=$root/opt/edge-daemon
etc=$root/etc/edge-daemon
log=$root/var/log/edge-daemon
state=$root/var/lib/edge-daemon
unit=$root/etc/systemd/system/edge-daemon.service
users=$root/etc/sysusers.d/edge-daemon.conf
command=$root/usr/local/bin/edge-daemon

say() { echo "edge-daemon: $*"; }
die() { echo "edge-daemon: $*" >&2; exit 1; }

case ${1:-} in
    --purge) purge=yes ;;
    "") purge= ;;
    *) die "unknown argument: $1 (only --purge is known)" ;;
esac
[ -n "$root" ] || [ "$(id -u)" -eq 0 ] || die "run this as root: sudo systemd/uninstall.sh"

live=
if [ -z "$root" ] && [ -d /run/systemd/system ]; then live=yes; fi
if [ -n "$live" ] && [ -e "$unit" ]; then
    systemctl disable --now --quiet edge-daemon
fi
rm -f "$unit" "$root/etc/systemd/system/multi-user.target.wants/edge-daemon.service" "$users"
if [ "$(readlink "$command" || true)" = /opt/edge-daemon/bin/edge-daemon ]; then rm "$command"; fi
rm -rf "$opt" "$opt.a" "$opt.b" "$opt.next"
if [ -n "$live" ]; then systemctl daemon-reload; fi

if [ -n "$purge" ]; then
    rm -rf "$etc" "$log" "$state" "$unit.d"
    if [ -z "$root" ] && getent passwd edge-daemon >/dev/null; then userdel edge-daemon; fi
    say "removed, with configuration and journal"
else
    say "removed; kept where they exist: $etc, $log, $unit.d"
    say "to remove them too: sudo systemd/uninstall.sh --purge"
fi
