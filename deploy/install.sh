#!/usr/bin/env bash
# Installs Kinora on Debian or Ubuntu from the folder this file stands in; run again, it updates, and changes what is needed only.
#
#   sudo deploy/install.sh [--prefix /opt/kinora] [--user kinora] [--root DIR] [--no-systemd] [--code-only]
#
#   PREFIX/releases/VERSION-HASH/   a release: code and environment, root's, never changed once it is whole
#   PREFIX/current                  the release that the next start takes
#   /usr/local/bin/kinora           starts its programs: kinora web|worker|demo|manage
#   /etc/kinora/kinora.env          the settings, with a secret; made once, never overwritten
#   /var/lib/kinora                 DATA_DIR
#   /etc/systemd/system/kinora-{web,worker}@.service
#
# --root puts all of it under another folder and makes no user, to look at it. --no-systemd leaves the units out;
# --code-only, for images, the settings too. PYTHON names the Python. Nothing is started, stopped or removed.
set -euo pipefail
umask 022

prefix=/opt/kinora user=kinora root='' units=yes settings=yes
source=$(cd "$(dirname "$0")/.." && pwd -P)

say() { printf '%s\n' "$*"; }
fail() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

while [ $# -gt 0 ]; do
    case $1 in
        --prefix | --user | --root) [ -n "${2:-}" ] || fail "$1 needs a value" ;;&
        --prefix) prefix=$2; shift ;;
        --user) user=$2; shift ;;
        --root) mkdir -p "$2"; root=$(cd "$2" && pwd -P); shift ;;
        --no-systemd) units=no ;;
        --code-only) units=no settings=no ;;
        -h | --help) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;;
        *) fail "$1 is no option; --help lists them" ;;
    esac
    shift
done
case $prefix in /*[!A-Za-z0-9._/-]* | /) fail "--prefix must be a plain path" ;; /*) ;; *) fail "--prefix must begin with /" ;; esac
[[ $user =~ ^[a-z_][a-z0-9_-]*$ ]] || fail "--user must be a plain name"
etc=$root/etc/kinora data=$root/var/lib/kinora

find_python() {  # one that fits and can make environments
    local name
    for name in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    return 1
}

check_machine() {
    local missing=()
    [ -n "$root" ] || [ "$(id -u)" = 0 ] || fail "needs root; or --root DIR to look at what it would install"
    has tar || missing+=(tar)
    [ -n "$root" ] || has useradd || missing+=(passwd)
    python=$(find_python) || missing+=(python3 python3-venv)
    [ ${#missing[@]} = 0 ] || fail "missing, Python being 3.11 to 3.13: apt-get install ${missing[*]}"
}

listing() {  # the files of a release, by NUL: of git what is not ignored, else all but what is made or a person's own
    cd "$source"
    if has git && git -c safe.directory="$source" ls-files --error-unmatch deploy/install.sh >/dev/null 2>&1; then
        git -c safe.directory="$source" ls-files -z --cached --others --exclude-standard |
            while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done
    else
        find . \( -name .git -o -name '.venv*' -o -name .uv -o -name .data -o -name .files -o -name .env -o -name compose.env -o -name __pycache__ \
            -o -name '.*_cache' -o -name .hypothesis \) -prune -o \( -type f -o -type l \) -printf '%P\0'
    fi | grep -zEv '^(tests|bench)/' | LC_ALL=C sort -z
}

name_release() {  # the version, and a hash of what is in it, so that the same code is the same release
    local version hash
    version=$(sed -n 's/^VERSION = "\(.*\)"$/\1/p' "$source/settings.py")
    hash=$(cd "$source" && listing | xargs -0 sha256sum | sha256sum | cut -c1-10)
    printf '%s-%s\n' "$version" "$hash"
}

build_release() {  # into $release: files, environment, byte code; `.whole` is written last
    rm -rf "$release"
    mkdir -p "$release"
    listing | tar -C "$source" --null --no-recursion --files-from=- -cf - | tar -C "$release" --no-same-owner -xf -
    chmod -R u+rwX,go+rX,go-w "$release"
    # No cache is left behind: neither root's home nor an image wants it.
    (cd "$release" && UV_NO_CACHE=1 UV_LINK_MODE=copy PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1 "$python" .ci/install.py runtime)
    rm -rf "$release/.uv"
    # Nobody may write here later; without byte code each start would compile everything anew. Some packages bring templates that
    # are no Python.
    say "Compiling."
    "$release/.venv/bin/python" -m compileall -qq -j 0 --invalidation-mode unchecked-hash "$release" >/dev/null || true
    [ "$settings" = no ] || ln -s /etc/kinora/kinora.env "$release/.env"
    touch "$release/.whole"
}

make_user() {
    [ -z "$root" ] || return 0
    id "$user" >/dev/null 2>&1 ||
        useradd --system --user-group --no-create-home --home-dir /var/lib/kinora --shell /usr/sbin/nologin "$user"
    [ -d "$data" ] || install -d -m 0750 -o "$user" -g "$user" "$data"
    install -d -m 0750 -o "$user" -g "$user" /var/cache/kinora
}

switch_to() {  # at once: a start finds the old release or the new one
    ln -sfn "releases/$name" "$root$prefix/.next"
    mv -T "$root$prefix/.next" "$root$prefix/current"
    mkdir -p "$root/usr/local/bin"
    ln -sfn "$prefix/current/deploy/kinora" "$root/usr/local/bin/kinora"
}

write_settings() {
    mkdir -p "$etc"
    if [ -e "$etc/kinora.env" ]; then
        say "Settings:  $etc/kinora.env, left as it is"
        return
    fi
    local secret
    secret=$("$python" -c 'import secrets; print(secrets.token_urlsafe(48))')
    (umask 077 && sed "s|^CHAINLIT_AUTH_SECRET=.*|CHAINLIT_AUTH_SECRET=$secret|" "$release/deploy/kinora.env" >"$etc/kinora.env.new")
    chmod 0640 "$etc/kinora.env.new"
    [ -n "$root" ] || chown "root:$(id -gn "$user")" "$etc/kinora.env.new"
    mv "$etc/kinora.env.new" "$etc/kinora.env"
    say "Settings:  $etc/kinora.env, new, with a secret of its own"
}

write_units() {
    local unit folder=$root/etc/systemd/system
    mkdir -p "$folder"
    for unit in kinora-web@.service kinora-worker@.service; do
        sed -e "s|/opt/kinora|$prefix|g" -e "s|^User=.*|User=$user|" "$release/deploy/$unit" >"$folder/$unit.new"
        mv "$folder/$unit.new" "$folder/$unit"
    done
    say "Units:     kinora-web@PORT, kinora-worker@NUMBER"
    if [ -z "$root" ] && [ -d /run/systemd/system ]; then systemctl daemon-reload
    else say "           (no systemd runs here: written, not loaded)"; fi
}

check_machine
name=$(name_release)
release=$root$prefix/releases/$name
before=$(readlink "$root$prefix/current" 2>/dev/null || true)
make_user
if [ -e "$release/.whole" ]; then
    say "Release:   $release is there"
else
    say "Release:   $release, from $source"
    build_release
fi
[ "$settings" = no ] || write_settings
[ "$units" = no ] || write_units
switch_to
if [ "$settings" = no ]; then exit 0; fi
if [ -z "$before" ]; then
    say "Next:      look through $etc/kinora.env, then: systemctl enable --now kinora-web@8000"
    say "           and to see what is wrong, if anything is: runuser -u $user -- kinora manage doctor"
elif [ "$before" != "releases/$name" ]; then
    say "Before:    $before, which may go when nothing runs from it any more"
    say "Next:      restart one by one, waiting for /readyz of each: systemctl restart kinora-worker@1, kinora-web@8000"
fi
