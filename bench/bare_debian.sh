#!/usr/bin/env bash
# The two commands of the README on a machine that has nothing but Debian, python3, python3-venv, make and certificates.
#
# Makes such a machine in a folder with debootstrap, copies this checkout in (what git tracks or would track) and times,
# with empty caches: `make run` until the page is ready, the same again, SIGTERM, and `make test`. Needs root, for chroot
# and for namespaces of its own: what was started inside ends with it, whatever happens.
#
#   sudo bench/bare_debian.sh                  all of it
#   sudo WHAT=install bench/bare_debian.sh     only what `make run` installs, twice
#
# SUITE (bookworm), MIRROR, BARE (the folder; kept, and used again, when named), PORT (8000), PERSON (root; any other
# name is added as an ordinary user), PIP_CONF (a pip.conf to copy in). Proxy, certificate and index variables go along.
set -euo pipefail

SUITE=${SUITE:-bookworm}
MIRROR=${MIRROR:-http://deb.debian.org/debian}
PORT=${PORT:-8000}
WHAT=${WHAT:-all}
PERSON=${PERSON:-root}
here=$(cd "$(dirname "$0")/.." && pwd)
bare=${BARE:-$(mktemp -d)}
trap '[ -n "${BARE:-}" ] || rm -rf --one-file-system "$bare"' EXIT

if [ ! -x "$bare/usr/bin/make" ]; then
    echo "== Debian $SUITE into $bare"
    chmod 755 "$bare"
    debootstrap --variant=minbase --include=python3,python3-venv,make,ca-certificates \
        "$SUITE" "$bare" "$MIRROR" >"$bare.log" 2>&1 || { tail -n 20 "$bare.log"; exit 1; }
    rm "$bare.log"
fi

echo "== this checkout and this machine's way to the network"
cp /etc/resolv.conf /etc/hosts "$bare/etc/"
cp /usr/local/share/ca-certificates/*.crt "$bare/usr/local/share/ca-certificates/" 2>/dev/null || true
chroot "$bare" update-ca-certificates >/dev/null 2>&1
if [ -n "${PIP_CONF:-}" ]; then cp "$PIP_CONF" "$bare/etc/pip.conf"; fi
home=/root
if [ "$PERSON" != root ]; then
    home=/home/$PERSON
    chroot "$bare" id "$PERSON" >/dev/null 2>&1 || chroot "$bare" useradd --create-home "$PERSON"
fi
rm -rf "${bare:?}$home/kinora" "$bare$home/.cache" "$bare/var/lib/kinora" "$bare/tmp/"*
mkdir -p "$bare$home/kinora"
git -c safe.directory="$here" -C "$here" ls-files -z --cached --others --exclude-standard |
    (cd "$here" && xargs -0 sh -c 'for f; do [ ! -e "$f" ] || printf "%s\0" "$f"; done' _) |
    tar -C "$here" --null --files-from=- -cf - | tar -C "$bare$home/kinora" --no-same-owner -xf -
[ "$PERSON" = root ] || chroot "$bare" chown -R "$PERSON:" "$home/kinora"

cat >"$bare/measure.sh" <<'INSIDE'
set -eu
cd "$HOME/kinora"
python3 --version
now() { date +%s.%N; }
since() { echo "$1 $(now)" | awk '{ printf "%.1f s", $2 - $1 }'; }
size() { du -sm "$1" 2>/dev/null | cut -f1; }
processes() { ls -d /proc/[0-9]* | wc -l; }

ready() {  # waits for the page, at most 15 minutes; fails at once when the server is gone
    python3 - "$PORT" "$1" <<'PYTHON'
import os, sys, time, urllib.error, urllib.request
for _ in range(9000):
    try:
        os.kill(int(sys.argv[2]), 0)
    except ProcessLookupError:
        sys.exit("make run has ended:")
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/readyz", timeout=5):
            break
    except (urllib.error.URLError, OSError):
        time.sleep(0.1)
else:
    sys.exit("never ready")
PYTHON
}

start_and_stop() {
    before=$(processes) began=$(now)
    make run >"run.log" 2>&1 &
    make=$!
    if ! ready "$make"; then cat run.log; exit 1; fi
    echo "make run, $1: ready after $(since "$began")"
    began=$(now)
    kill -TERM "$make"
    wait "$make" 2>/dev/null || true
    echo "  SIGTERM: gone after $(since "$began"), $(( $(processes) - before )) processes left"
}

install() {
    began=$(now)
    make .venv/.runtime
    echo "install, $1: $(since "$began")"
}

if [ "$WHAT" = install ]; then
    install "empty caches"
    install "again"
else
    start_and_stop "empty caches"
    start_and_stop "again"
fi
echo "packages: $(ls -d .venv/lib/python3.*/site-packages/*.dist-info | wc -l), .venv $(size .venv) MB, .uv $(size .uv) MB"
[ "$WHAT" = install ] && exit 0
began=$(now)
make test
echo "make test: $(since "$began")"
INSIDE

keep=()
for name in HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy \
    SSL_CERT_FILE PIP_CERT PIP_INDEX_URL PIP_EXTRA_INDEX_URL UV_DEFAULT_INDEX UV_INDEX; do
    if [ -n "${!name:-}" ]; then keep+=("$name=${!name}"); fi
done
export bare
echo "== in there, as $PERSON"
# shellcheck disable=SC2016
unshare --mount --pid --fork --kill-child sh -c '
    mount -t proc proc "$bare/proc" && mount -t tmpfs -o mode=1777 tmpfs "$bare/dev/shm" && exec "$@"' _ \
    chroot --userspec="$PERSON" "$bare" env -i HOME="$home" PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin \
    LANG=C.UTF-8 PORT="$PORT" WHAT="$WHAT" "${keep[@]}" sh /measure.sh
