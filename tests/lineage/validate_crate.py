"""The official RO-Crate validator where there is no web: its context comes from the copy that rocrate has.

That is RO-Crate 1.3's, whose terms include those of 1.1.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import requests
import rocrate
from requests.adapters import HTTPAdapter
from rocrate_validator.cli import cli

CONTEXT = "https://w3id.org/ro/crate/1.1/context"


def send(self: HTTPAdapter, request: requests.PreparedRequest, **_: Any) -> requests.Response:
    if request.url != CONTEXT:
        raise requests.ConnectionError(f"no web: {request.url}")
    whole = json.loads((Path(rocrate.__file__).parent / "data" / "ro-crate.jsonld").read_bytes())
    response = requests.Response()
    response.status_code, response.url, response.request = 200, request.url, request
    response.headers["Content-Type"] = "application/ld+json"
    response.raw = io.BytesIO(json.dumps({"@context": whole["@context"]}).encode())
    return response


if __name__ == "__main__":
    HTTPAdapter.send = send  # type: ignore[method-assign]
    sys.argv[0] = "rocrate-validator"
    cli()
