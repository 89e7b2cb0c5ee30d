#!/bin/sh
# Installs pesearch from its source tree into a folder of its own, in the pinned versions. The Dockerfile runs this, and
# so does tests/packaging/check_install.py on any machine.
#
#   container/install.sh SOURCE FOLDER [cpu|cuda]
#
# UV_FIND_LINKS: a folder of wheels to take torch from instead of PyTorch's index of CPU builds.
set -eu

source=$1
folder=$2
profile=${3:-cpu}
python=${PYTHON:-python3}

"$python" -m venv "$folder"
if command -v uv >/dev/null; then
    uv=uv
else
    "$folder/bin/pip" install --quiet --disable-pip-version-check uv
    uv="$folder/bin/uv"
fi
if [ "$profile" = cpu ] && [ -z "${UV_FIND_LINKS:-}" ]; then
    set -- --torch-backend cpu
else
    set --
fi
"$uv" pip install --quiet --python "$folder/bin/python" "$@" \
    --constraints "$source/requirements/$profile.txt" "$source[photos]"
"$folder/bin/pesearch" --version
