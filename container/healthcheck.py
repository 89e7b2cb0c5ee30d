"""Exits with 0 if the page of this container answers: the HEALTHCHECK of the Dockerfile."""

import os
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

PORT = os.environ.get("PESEARCH_PORT", "8501")
TOKEN = urlencode({"token": os.environ.get("PESEARCH_TOKEN", "")})

try:
    with urlopen(f"http://127.0.0.1:{PORT}/_stcore/health?{TOKEN}", timeout=5) as answer:
        assert answer.read() == b"ok"
except HTTPError as error:
    assert error.code == 401, error  # it answers, and its token is in a file or is a random one
