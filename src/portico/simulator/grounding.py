"""What an answer is grounded in: searches, sources, and which bytes of the text rest on which source.

Facts kept from recorded traffic: offsets count UTF-8 bytes of the candidate's whole visible text, a start of 0 is omitted,
a structured answer is one segment, generation 3 may list an empty query, 2.0 scores its supports.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from random import Random
from urllib.parse import quote_plus

from portico.simulator.refusal import Json

_REDIRECT = "https://vertexaisearch.cloud.google.com/grounding-api-redirect/"
_SITES = (
    "wikipedia.org",
    "amber-news.example",
    "statistik.example",
    "harbor-times.example",
    "météo.example",
    "fjord.example",
)
_FINDINGS = (
    "The Café Größenwahn in Zürich calls it “très étonnant”, and has done so since 2009.",
    "The observatory of Kraków measured a rise from 21 °C to 25 °C.",
    "東京の記録によると、答えは四十二です。",
    "São Paulo and Reykjavík agree, naïvely perhaps 🧭.",
    "Les élèves d’Orléans l’ont vérifié à Noël: ça marche.",
    "Łódź reports 1 234 567 €, give or take a façade.",
)
_PLACES = ("Café Ærø", "Naïve Bakery", "Jalapeño House", "Kööp Coffee", "Bistrô São João")
_STYLE = (
    "<style>\n.container {\n  align-items: center;\n  display: flex;\n  padding: 8px 12px;\n}\n.chip {\n"
    "  border: solid 1px;\n  border-radius: 16px;\n}\n</style>\n"
)
_SCORE = 0.97


@dataclass(frozen=True)
class Evidence:
    """What was found. `sources` are groundingChunks; `lines` are what the answer says of them."""

    queries: tuple[str, ...] = ()
    sources: tuple[Json, ...] = ()
    lines: tuple[str, ...] = ()
    page: str = ""
    """The searchEntryPoint, of searches only."""

    def __add__(self, other: "Evidence") -> "Evidence":
        return Evidence(
            self.queries + other.queries,
            self.sources + other.sources,
            self.lines + other.lines,
            self.page or other.page,
        )


def search(words: str, dice: Random, *, modern: bool, count: int) -> Evidence:
    """A web search for what was said, with `count` sources; the last may be a search page, which has no title."""
    asked = " ".join(re.sub(r"[^\w\s.+-]", " ", words).split()[:8]).lower() or "nothing in particular"
    queries = (asked,) if dice.random() < 0.5 else (asked, f"{asked} 2026")
    sites = dice.sample(_SITES, min(count, len(_SITES)))
    sources: list[Json] = [{"web": {"uri": _redirect(f"{asked} {site}"), "title": site}} for site in sites]
    if len(sources) > 1 and dice.random() < 0.25:
        sources[-1] = {"web": {"uri": f"https://www.google.com/search?q={quote_plus(asked)}"}}
    empty = ("",) if modern and dice.random() < 0.5 else ()
    lines = tuple(dice.sample(_FINDINGS, 3))
    return Evidence((*empty, *queries), tuple(sources), lines, entry_point(queries))


def entry_point(queries: Sequence[str]) -> str:
    """The HTML that Google wants shown beside a grounded answer."""
    chips = "\n".join(f'    <a class="chip" href="{_redirect(query)}">{escape(query)}</a>' for query in queries)
    return f'{_STYLE}<div class="container">\n  <div class="carousel">\n{chips}\n  </div>\n</div>\n'


def places(words: str, dice: Random) -> Evidence:
    """What googleMaps finds: places, with a query but no search suggestions."""
    chosen = dice.sample(_PLACES, 3)
    sources = []
    for title in chosen:
        number = int.from_bytes(hashlib.sha256(title.encode()).digest()[:8])
        place = {"uri": f"https://maps.google.com/?cid={number}", "title": title, "placeId": f"places/ChIJ{number:x}"}
        sources.append({"maps": place})
    query = " ".join(words.split()[:8])
    return Evidence(
        (query,) if query else (), tuple(sources), tuple(f"**{one}** is open until 22 h." for one in chosen)
    )


def files(stores: Sequence[str], words: str) -> Evidence:
    """What fileSearch finds: one passage of each store, quoted in the answer."""
    passage = f"Die Akte sagt über „{words[:60]}“: geprüft und für gut befunden."
    sources = tuple(
        {"retrievedContext": {"text": passage, "fileSearchStore": store}}
        for store in (stores or ["fileSearchStores/any"])
    )
    return Evidence((), sources, (passage,))


def pages(words: str) -> tuple[Evidence, Json, int]:
    """What urlContext read: the evidence, the urlContextMetadata, and the tokens read. Nothing where no URL was named."""
    urls = list(dict.fromkeys(re.findall(r"https?://[^\s<>\"')\]]*[\w/]", words)))[:20]
    if not urls:
        return Evidence(), {}, 0
    sources, entries, lines, read = [], [], [], 0
    for url in urls:
        host = url.split("/")[2]
        lost = host.endswith(".invalid")
        status = "URL_RETRIEVAL_STATUS_ERROR" if lost else "URL_RETRIEVAL_STATUS_SUCCESS"
        entries.append({"retrievedUrl": url, "urlRetrievalStatus": status})
        if not lost:
            sources.append({"web": {"uri": url, "title": host}})
            lines.append(f"The page at {host} begins “Überblick – très bref”.")
            read += 400 + int.from_bytes(hashlib.sha256(url.encode()).digest()[:2]) % 4000
    return Evidence((), tuple(sources), tuple(lines)), {"urlMetadata": entries}, read


def metadata(found: Evidence, text: str, *, salt: bytes, scored: bool) -> Json:
    """The groundingMetadata of a candidate whose visible text is `text`; {} if nothing was found."""
    if not found.sources:
        return {}
    dice = Random(int.from_bytes(hashlib.sha256(salt + text.encode("utf-8", "surrogatepass")).digest()[:8]))
    result: Json = {}
    if found.page:
        result["searchEntryPoint"] = {"renderedContent": found.page}
    result["groundingChunks"] = list(found.sources)
    supports = []
    for start, end in _segments(text):
        segment: Json = {"startIndex": start} if start else {}
        data = text.encode("utf-8", "surrogatepass")[start:end]
        segment |= {"endIndex": end, "text": data.decode("utf-8", "surrogatepass")}
        chosen = dice.sample(range(len(found.sources)), dice.randint(1, min(2, len(found.sources))))
        support: Json = {"segment": segment, "groundingChunkIndices": chosen}
        if scored:
            support["confidenceScores"] = [_SCORE - number / 10 for number in range(len(chosen))]
        supports.append(support)
    if supports:
        result["groundingSupports"] = supports
    if scored:
        result["retrievalMetadata"] = {}
    if found.queries:
        result["webSearchQueries"] = list(found.queries)
    return result


def _segments(text: str) -> list[tuple[int, int]]:
    """(start, end) in bytes: the whole of a structured answer, else each line that is not blank."""
    structured = text.lstrip().startswith(("{", "[{"))
    lines = [text.rstrip()] if structured else text.split("\n")
    found, at = [], 0
    for line in lines:
        size = len(line.encode("utf-8", "surrogatepass"))
        if line.strip():
            found.append((at, at + size))
        at += size + 1
    return found[:12]


def _redirect(about: str) -> str:
    digest = hashlib.shake_256(about.encode("utf-8", "surrogatepass")).digest(108)
    return _REDIRECT + "AUZIYQ" + base64.urlsafe_b64encode(digest).decode()
