"""A view becomes HTML or Markdown: the templates, and what they may say.

HTML is escaped by itself. Markdown is not: what comes from elsewhere than this house goes through `md` there.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from portico.routing.traffic import within_ms
from portico.web import chart, connecting, labels, money, static, words
from portico.web.addresses import HREFLANGS, Address, Form, Locale
from portico.web.book import Source, body_of, sample_files, with_base_url
from portico.web.evidence import number
from portico.web.markdown import Written, code_block, in_markdown, tabs, to_html, to_twin
from portico.web.page import View, Visit
from portico.web.words import Say

MENU: Final = (("/models", "Models"), ("/pricing", "Pricing"), ("/docs", "Docs"), ("/status", "Status"))
"""The rooms that every page leads to, with their names in English."""
EVIDENCE: Final = (
    ("/benchmarks", "Benchmarks"),
    ("/conformance", "Conformance"),
    ("/receipts/sample", "A sample receipt"),
    ("/changes", "Changes"),
)
"""Pages that show what others claim."""
MACHINE: Final = frozenset({"/sitemap.xml", "/robots.txt", "/openapi.json", "/.well-known/security.txt"})
"""Addresses that have neither a locale nor a twin."""
INDEX: Final = "/llms.txt"
"""One per locale, and without a twin."""


def instant(at_s: int) -> datetime:
    """Seconds since 1970 as a time in UTC."""
    return datetime.fromtimestamp(at_s, UTC)


def moment_of(at_us: int) -> datetime:
    """Microseconds since 1970 as a time in UTC."""
    return datetime.fromtimestamp(at_us / 1_000_000, UTC)


def in_code(text: object) -> str:
    """The same as a code span: its fence is longer than any in it."""
    told = " ".join(str(text).split())
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", told)), default=0))
    space = " " if told.startswith("`") or told.endswith("`") else ""
    return f"{fence}{space}{told}{space}{fence}"


@cache
def environment(*, html: bool) -> Environment:
    made = Environment(
        loader=PackageLoader("portico.web"),
        autoescape=html,  # noqa: S701 - Markdown is not escaped as HTML is; see in_markdown
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "whole": words.whole,
        "wait": words.wait,
        "usd": money.usd,
        "price": money.price,
        "aligned": _aligned,
        "exact": money.exact,
        "number": number,
        "md": in_markdown,
        "code": in_code,
    }
    made.globals |= {
        "menu": MENU,
        "asset": static.address,
        "client_pages": connecting.LINKS,
        "labels": labels,
        "chart": chart,
        "locales": tuple(Locale),
        "hreflangs": HREFLANGS,
        "Form": Form,
        "instant": instant,
        "moment_of": moment_of,
        "within_ms": within_ms,
    }
    return made


@cache
def _voice(locale: Locale, *, html: bool) -> Say:
    return Say(locale, markup=html)


class Links:
    """Addresses of other pages, in the locale and the form of the page that leads to them."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit

    def __call__(self, path: str, query: str = "") -> str:
        """The address of a page of this house by its English one, which may name a place in it."""
        page, hash_, place = path.partition("#")
        if page == INDEX:
            return self._visit.locale.prefix + path
        if page in MACHINE or page.startswith(("/s/", "/v1")):
            return path
        told = str(Address(page, self._visit.locale)) if page else ""
        return f"{told}{'?' + query if query else ''}{hash_}{place}"

    def twin(self, form: Form, query: str | Sequence[tuple[str, str]] = "") -> str:
        """The address of this page in another form, with what is asked of it."""
        told = query if isinstance(query, str) else urlencode(query)
        return f"{self._visit.address.as_form(form)}{'?' + told if told else ''}"

    def switch(self, locale: Locale, *, chosen: bool = False) -> str:
        """The address of this page in another language, with all that is asked of it. `chosen`: by which it is kept."""
        asked = [(name, list(values)) for name, values in self._visit.query.items()]
        told = urlencode([*asked, *([("language", locale.value)] if chosen else [])], doseq=True)
        return f"{self._visit.address.in_locale(locale)}{'?' + told if told else ''}"

    def relink(self, href: str) -> str:
        """A link of a written page: `/docs/chat#x` is another page's English address, everything else stays."""
        return self(href) if href.startswith("/") and not href.startswith("//") else href

    def whole(self, href: str) -> str:
        """The same in a Markdown twin: an address with a host, of the twin."""
        page, hash_, place = href.partition("#")
        if page == INDEX:
            return self._visit.base_url + self._visit.locale.prefix + href
        if page in MACHINE or page.startswith("/v1"):
            return self._visit.base_url + href
        return f"{self._visit.base_url}{Address(page, self._visit.locale, Form.MARKDOWN)}{hash_}{place}"


@lru_cache(maxsize=4096)
def _aligned(milli_nanos: int, digits: int = 3) -> Markup:
    """A price whose point stands under the one above: the digits that are missing are there, and not seen."""
    told = money.price(milli_nanos)
    missing = digits - len(told.rpartition(".")[2])
    return Markup(f"{told}<i>{'0' * missing}</i>" if missing > 0 else told)  # noqa: S704 - of digits


@lru_cache(maxsize=512)
def _mode_words(locale: Locale, modes: tuple[str, ...]) -> Markup:
    """What a model takes or makes: icons, which the style sheet draws, and words."""
    say = _voice(locale, html=True)
    told = [(escape(word), escape(say(labels.MODES.get(word, word)))) for word in modes]
    return Markup("".join(f' <i class="{word}">{label}</i>' for word, label in told))  # noqa: S704 - escaped above


def render_html(visit: Visit, view: View, *, theme: str, offered: Locale | None = None) -> str:
    """The page. `theme` is "light", "dark", or "" for what the system says; `offered`: a language its reader may prefer."""
    template = environment(html=True).get_template(f"{view.template}.html")
    told = template.render(common(visit, view, html=True, theme=theme) | _offer(offered))
    return told if visit.locale is Locale.EN else closed_up(told)


_INLINE: Final = "(?:a|abbr|code|em|span|strong|time)"
_HAN: Final = "\u3400-\u9fff「“"
_BETWEEN: Final = re.compile(
    rf"([。！？；：，、](?:</{_INLINE}>)*|[0-9]日|[{_HAN}」”]</strong>) +(?=(?:<{_INLINE}(?: [^<>]*)?>)*[{_HAN}])"
)


def closed_up(text: str) -> str:
    """Chinese, whose sentences have no space between them however a template puts them beside each other: as links, in
    bold, or behind a day."""
    return _BETWEEN.sub(r"\1", text)


def _offer(offered: Locale | None) -> dict[str, Any]:
    """What the bar needs that offers another language, in which it speaks."""
    if offered is None:
        return {}
    return {"offered": offered, "say_offered": _voice(offered, html=True)}


def render_markdown(visit: Visit, view: View) -> str:
    """Its twin: front matter, then the same content."""
    body = environment(html=False).get_template(f"{view.template}.md").render(common(visit, view, html=False))
    front = {
        "title": view.title,
        "url": visit.url(Form.MARKDOWN),
        "canonical": visit.url(Form.HTML),
        "locale": visit.locale.value,
        **({"model": view.model} if view.model else {}),
        "summary": view.summary,
    }
    told = "".join(f"{name}: {_yaml(value)}\n" for name, value in front.items())
    index = f"{visit.base_url}{visit.locale.prefix}{INDEX}"
    say = _voice(visit.locale, html=False)
    body = body if visit.locale is Locale.EN else closed_up(body)
    lead = say("Index of all pages for programs: %(index)s", index=index)
    return f"---\n{told}---\n\n> {lead}\n\n# {in_markdown(view.title)}\n\n{body.strip()}\n"


def render_missing(visit: Visit, *, theme: str) -> str:
    """The page that says that there is none."""
    say = _voice(visit.locale, html=True)
    view = View(template="missing", title=say("There is no such page"), summary="", follows=False)
    return render_html(visit, view, theme=theme)


def render_failed(visit: Visit, *, theme: str) -> str:
    """The page that says that the house failed, and not the visitor."""
    say = _voice(visit.locale, html=True)
    view = View(template="failed", title=say("Portico failed"), summary="", follows=False)
    return render_html(visit, view, theme=theme)


def _yaml(text: str) -> str:
    """A string as YAML in double quotes, which every reader of front matter understands."""
    told = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(one if one.isprintable() else f"\\U{ord(one):08x}" for one in told) + '"'


def common(visit: Visit, view: View, *, html: bool, theme: str = "") -> dict[str, Any]:
    """What every template sees."""
    say = _voice(visit.locale, html=html)
    links = Links(visit)
    return {
        "_": say,
        "say": say,
        "visit": visit,
        "view": view,
        "theme": theme,
        "link": links,
        "whole_link": links.whole,
        "twin_link": links.twin,
        "switch": links.switch,
        "offered": None,
        "mode_words": lambda modes: _mode_words(visit.locale, modes),
        "sample": _html_sample(visit, say) if html else _markdown_sample(visit),
        "code": lambda text, language: Markup(code_block(text, language, say)),  # noqa: S704 - it escapes
        "written": _written_html(visit, say, links) if html else _written_markdown(visit, links),
        **view.data,
    }


def _html_sample(visit: Visit, say: Say) -> Any:
    def told(name: str, values: Mapping[str, str] | None = None) -> Markup:
        blocks = [
            (client.title, code_block(_filled(text, visit, values), client.language, say))
            for client, text in sample_files(name)
        ]
        return Markup(tabs(blocks, name.replace("/", "-")))  # noqa: S704 - code_block escapes

    return told


def _markdown_sample(visit: Visit) -> Any:
    def told(name: str, values: Mapping[str, str] | None = None) -> str:
        return "\n\n".join(
            f"**{client.title}**\n\n```{client.language}\n{_filled(text, visit, values).rstrip()}\n```"
            for client, text in sample_files(name)
        )

    return told


def _filled(text: str, visit: Visit, values: Mapping[str, str] | None) -> str:
    """A sample with the visitor's address, and with other words than it is kept with, such as another model's name."""
    for old, new in (values or {}).items():
        text = text.replace(old, new)
    return with_base_url(text, visit.base_url)


def _written_html(visit: Visit, say: Say, links: Links) -> Any:
    def told(source: Source) -> Written:
        key = (source.path, visit.locale)
        of, kept = _HTML.get(key, (None, None))
        if kept is None or of != source:
            kept = to_html(body_of(source, _STAND_IN), relink=links.relink, say=say)
            _HTML[key] = source, kept
        return Written(kept.html.replace(_STAND_IN, escape(visit.base_url)), kept.headings)

    return told


def _written_markdown(visit: Visit, links: Links) -> Any:
    def told(source: Source) -> str:
        return to_twin(body_of(source, visit.base_url), relink=links.whole)

    return told


_STAND_IN: Final = "http://base-url.invalid:8080"
"""Stands in kept pages for the visitor's address: there is no end of addresses a visitor may claim to come by."""
_HTML: Final[dict[tuple[str, Locale], tuple[Source, Written]]] = {}
"""Written pages as HTML, by address and locale, and what each was made of: some tell of models, which change."""
