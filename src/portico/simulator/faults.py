"""Failures on demand: what a test may ask the simulator to do wrong.

Asked for by the header `x-sim-fault: NAME[=VALUE]` or by markers `[[sim:NAME]]`, `[[sim:NAME=VALUE]]` in the last text of
the user; `once:` before the name makes it happen only the first time that very text (or header) is seen.

    429, 429-day, 500, 503, 504, 400, 403, 404, context, html-502   an error instead of an answer
    cut[=N], cut-before                    the connection is dropped after N events (1), or before anything is sent
    stall=S, stall-mid=S                   S seconds of silence before, or after, the first event
    garbage, error-mid[=N]                 a body that is no JSON; an error object inside the stream after N events (1)
    malformed, unexpected, empty, block[=REASON], safety, recitation, length    answers that are no full answer
    size=50M, slow=S, words=N              N bytes of text; S seconds between events; an answer of N words
    steps=N, calls=N, talk                 N rounds of calls before the text; N calls in a round; text before the calls
    say … [[sim:said]]                     an answer that says what stands between the two markers
    refuse, failed                         of OpenAI: a refusal; a response that failed (`malformed`: a call's arguments)
    529, redacted, pause, context-end      of Anthropic: overloaded; thinking that is redacted; a turn that is paused, or
                                           that the context ended (`refuse` is a refusal there too)
    sources=N, ungrounded, code-fails      N sources of a search (3); no search though one is offered; code that fails
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from portico.simulator.refusal import Json, Refused, detail

_MARKER = re.compile(r"\[\[sim:(once:)?([a-z0-9-]+)(?:=([^\]]*))?\]\]")
_SAY = re.compile(r"\[\[sim:say\]\]\s*(.*?)\s*\[\[sim:said\]\]", re.DOTALL)


@dataclass(frozen=True)
class Wishes:
    """The markers of one request: name -> value, and the text without them."""

    asked: Mapping[str, str]
    once: frozenset[str]
    words: str

    def __contains__(self, name: str) -> bool:
        return name in self.asked

    def number(self, name: str, default: float) -> float:
        """The numeric value of a marker, `default` if it has none; K, M and G are powers of 1000."""
        text = self.asked.get(name, "")
        unit = {"K": 1e3, "M": 1e6, "G": 1e9}.get(text[-1:].upper(), 1)
        try:
            return float(text if unit == 1 else text[:-1]) * unit
        except ValueError:
            return default

    def without(self, names: frozenset[str]) -> "Wishes":
        return Wishes({name: value for name, value in self.asked.items() if name not in names}, self.once, self.words)


def wishes(text: str, header: str = "") -> Wishes:
    """The markers in `text` and in the `x-sim-fault` header."""
    lines = _SAY.search(text)
    text = _SAY.sub("", text)
    found = _MARKER.findall(text) + _MARKER.findall(f"[[sim:{header.strip()}]]" if header else "")
    asked = {name: value for _, name, value in found}
    if lines is not None:
        asked["say"] = lines[1]
    once = frozenset(name for first, name, _ in found if first)
    return Wishes(asked, once, _MARKER.sub("", text).strip())


_DOCS = "https://ai.google.dev/gemini-api/docs/rate-limits"
_PLAIN = {
    "500": (
        500,
        "An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting",
    ),
    "503": (
        503,
        "This model is currently experiencing high demand. Spikes in demand are usually temporary. Please try again later.",
    ),
    "504": (504, "The request timed out. Please try again."),
    "400": (400, "Request contains an invalid argument."),
    "403": (403, "The caller does not have permission"),
    "404": (404, "Requested entity was not found."),
    "context": (400, "The input token count (1250074) exceeds the maximum number of tokens allowed (1048576)."),
}


def refusal(asked: Wishes, model: str, *, vertex: bool) -> Refused | None:
    """The error asked for instead of an answer, if one was."""
    for name, (code, message) in _PLAIN.items():
        if name in asked:
            return Refused(message, code=code)
    if "429" in asked or "429-day" in asked:
        if vertex:
            link = "https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429"
            text = f"Resource exhausted. Please try again later. Please refer to {link} for more details."
            return Refused(text, code=429)
        return _quota(model, per_day="429-day" in asked)
    return None


def _quota(model: str, *, per_day: bool) -> Refused:
    window, limit, delay = ("PerDay", "250", "46800") if per_day else ("PerMinute", "10", "34")
    metric = "generativelanguage.googleapis.com/generate_content_free_tier_requests"
    violation: Json = {
        "quotaMetric": metric,
        "quotaId": f"GenerateRequests{window}PerProjectPerModel-FreeTier",
        "quotaDimensions": {"location": "global", "model": model},
        "quotaValue": limit,
    }
    message = (
        "You exceeded your current quota, please check your plan and billing details. For more information on this error, "
        f"head to: {_DOCS}. To monitor your current usage, head to: https://ai.dev/rate-limit. \n* Quota exceeded for "
        f"metric: {metric}, limit: {limit}, model: {model}\nPlease retry in {delay}.407192s."
    )
    details = [
        detail("Help", links=[{"description": "Learn more about Gemini API quotas", "url": _DOCS}]),
        detail("QuotaFailure", violations=[violation]),
        detail("RetryInfo", retryDelay=f"{delay}s"),
    ]
    return Refused(message, code=429, details=details)
