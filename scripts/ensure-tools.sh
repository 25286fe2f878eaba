#!/usr/bin/env bash
# Sees to it that the programs which the tests start are there: PostgreSQL, PgBouncer, Redis, MariaDB, OpenSSH's
# server, Chromium, and the C compiler that Go's race detector needs. Installs on Debian what is missing; when nothing
# is, it does nothing. It starts no server and touches none that runs.
set -euo pipefail

missing=()
have() { command -v "$1" >/dev/null; }
have make || missing+=(make)
have "${CC:-gcc}" || missing+=(gcc libc6-dev)
have initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
have redis-server || missing+=(redis-server)
have mariadbd || [ -x /usr/sbin/mariadbd ] || missing+=(mariadb-server)
have pgbouncer || [ -x /usr/sbin/pgbouncer ] || missing+=(pgbouncer)
have sshd || [ -x /usr/sbin/sshd ] || missing+=(openssh-server)
have chromium || have chromium-browser || have google-chrome || missing+=(chromium fonts-liberation)
[ ${#missing[@]} -gt 0 ] || exit 0

fail() { echo "The tests need what is not installed here (${missing[*]}): $1" >&2 && exit 1; }
have apt-get || fail "install it with your system's package manager."
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  have sudo || fail "run as root: apt-get install ${missing[*]}"
  as_root=(sudo)
  [ -t 0 ] || as_root+=(-n) # nobody is there to type a password
  "${as_root[@]}" true || fail "run: sudo apt-get install ${missing[*]}"
fi

echo "Installing ${missing[*]} (once)"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt_get() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qy -o DPkg::Lock::Timeout=300 "$@" \
    >"$log" 2>&1 </dev/null || { cat "$log" >&2 && fail "apt-get could not install it, see above."; }
}
apt_get update
apt_get install --no-install-recommends "${missing[@]}"

# Nothing of what was just installed is to listen on this machine by itself, now or after a reboot.
[ -d /run/systemd/system ] || exit 0
services=()
for package in "${missing[@]}"; do
  case $package in
    postgresql | pgbouncer | redis-server) services+=("$package") ;;
    mariadb-server) services+=(mariadb) ;;
    openssh-server) services+=(ssh) ;;
  esac
done
[ ${#services[@]} -eq 0 ] || "${as_root[@]}" systemctl -q disable --now "${services[@]}"
