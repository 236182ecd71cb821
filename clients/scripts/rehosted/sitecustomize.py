"""What Python does at start in a client whose host is written down in it: requests to that host go to another."""

import os
from typing import Any

import httpx

_FROM, _TO = os.environ["REHOSTED_FROM"], httpx.URL(os.environ["REHOSTED_TO"])
_send = httpx.Client.send


def _elsewhere(self: httpx.Client, request: httpx.Request, **more: Any) -> httpx.Response:
    if request.url.host == _FROM:
        request.url = request.url.copy_with(scheme=_TO.scheme, host=_TO.host, port=_TO.port)
        request.headers["host"] = request.url.netloc.decode()
    return _send(self, request, **more)


httpx.Client.send = _elsewhere  # type: ignore[method-assign]
