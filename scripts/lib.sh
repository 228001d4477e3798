# Sourced by the other scripts: short words on the terminal, the long story in a log.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
log=$root/build/setup.log

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 3; }

# Run a command with its output in the log; show what it said last when it fails.
quietly() {
    mkdir -p "$root/build"
    if "$@" >"$log.last" 2>&1 </dev/null; then status=0; else status=$?; fi
    { printf '\n$ %s\n' "$*"; cat "$log.last"; } >>"$log"
    [ $status = 0 ] && return
    tail -n 15 "$log.last" >&2
    fail "this failed: $* (the whole log: $log)"
}

# Install Debian packages, refreshing apt's lists only when the first try finds them stale.
apt_install() {
    command -v apt-get >/dev/null || fail "$* missing, and there is no apt-get here: please install it"
    [ "$(id -u)" = 0 ] || fail "$* missing: run 'apt-get install $*' as root, then this again"
    say "apt-get install $*"
    set -- env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y \
        --no-install-recommends "$@"
    mkdir -p "$root/build"
    "$@" >>"$log" 2>&1 </dev/null && return
    quietly apt-get update
    quietly "$@"
}

# make_venv PYTHON FOLDER: a fresh virtual environment with the locked pip and setuptools.
make_venv() {
    if ! "$1" -c 'import ensurepip, venv' 2>/dev/null; then
        version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        case $1 in
            /usr/bin/*) apt_install "python$version-venv" ;;
            *) fail "$1 has no venv or ensurepip module: set PYTHON to a complete Python $version" ;;
        esac
    fi
    rm -rf "$2"
    quietly "$1" -m venv "$2"
    install_lock "$2" requirements/build.txt
    echo "$root" >"$2/made-in"
}

# install_lock FOLDER LOCK: exactly what the lock names, and nothing it does not.
install_lock() {
    quietly "$1/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
        --require-hashes --no-deps --no-build-isolation --use-pep517 -r "$2"
}
