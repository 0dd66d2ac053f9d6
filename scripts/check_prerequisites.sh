#!/bin/sh
# Names what is missing before pip would fail on it: fasttext is compiled, and needs headers.
python=${1:-python3}
fix="on Debian or Ubuntu: sudo apt install python3 python3-dev python3-venv g++ git make"

fail() {
    echo "crawl2chat: $1; $fix" >&2
    exit 1
}

command -v "$python" >/dev/null 2>&1 || fail "$python is missing"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$("$python" --version) is too old, Python 3.11 or newer is needed (make PYTHON=python3.12)"
"$python" -c 'import venv, ensurepip' 2>/dev/null || fail "Python's venv module is missing"
"$python" -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' ||
    fail "Python's headers (Python.h) are missing"
command -v "${CXX:-c++}" >/dev/null 2>&1 || command -v g++ >/dev/null 2>&1 ||
    fail "a C++ compiler is missing"
