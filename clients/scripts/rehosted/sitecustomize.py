"""What Python does at start in llm-gemini, whose host is written down in it: requests to that host go to Portico.

It knows its models by heart, too: where ADDED_MODEL is set, a plugin of llm's adds that one, of llm-gemini's own class, so
that a model can be asked for that is not there.
"""

import os
from collections.abc import Callable
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

if os.environ.get("ADDED_MODEL"):
    import llm
    import llm_gemini
    from llm.plugins import pm

    class Added:
        """The plugin."""

        @llm.hookimpl
        def register_models(self, register: Callable[..., None]) -> None:
            register(llm_gemini.GeminiPro(os.environ["ADDED_MODEL"]))

    pm.register(Added())
