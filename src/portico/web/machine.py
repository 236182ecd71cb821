"""What programs ask for: robots.txt, sitemap.xml, llms.txt (one per locale), openapi.json, security.txt where the operator
says whom to write to; and what they are told where there is nothing."""

from datetime import timedelta
from typing import Final
from xml.sax.saxutils import escape

from portico.web.addresses import HREFLANGS, Address, Form, Locale
from portico.web.book import chapters, navigation
from portico.web.markdown import in_markdown
from portico.web.openapi import document_bytes
from portico.web.render import EVIDENCE, MENU
from portico.web.showroom import Showroom
from portico.web.site import PAGES
from portico.web.words import Say

_AN_HOUR: Final = "public, max-age=3600"
_TEXT: Final = "text/plain; charset=utf-8"
_LLMS: Final = {f"{locale.prefix}/llms.txt": locale for locale in Locale}
SECURITY: Final = "/.well-known/security.txt"
NO_CONTACT: Final = """Whoever runs this Portico has not said whom to write to about a weakness of it.
If that is you: set contact in [web] of portico.toml, and it stands here as RFC 9116 describes.
"""
VALID: Final = timedelta(days=180)
"""How long what security.txt says holds, from the day on which it is read; RFC 9116 wants less than a year."""
ADDRESSES: Final = frozenset({*_LLMS, SECURITY, "/robots.txt", "/sitemap.xml", "/openapi.json"})
"""Where programs find something."""


def find(path: str, showroom: Showroom, base_url: str) -> tuple[bytes, dict[str, str]] | None:
    """The body at such an address and its headers; None where there is none."""
    if path in _LLMS:
        return _told(llms(_LLMS[path], showroom, base_url).encode(), _TEXT)
    match path:
        case "/robots.txt":
            return _told(f"User-agent: *\nAllow: /\nSitemap: {base_url}/sitemap.xml\n".encode(), _TEXT)
        case "/sitemap.xml":
            return _told(sitemap(showroom, base_url).encode(), "application/xml")
        case "/openapi.json":
            return _told(document_bytes(base_url), "application/json")
        case "/.well-known/security.txt" if showroom.contact is not None:
            return _told(security(showroom, showroom.contact, base_url).encode(), _TEXT)
    return None


def _told(body: bytes, media_type: str) -> tuple[bytes, dict[str, str]]:
    return body, {"cache-control": _AN_HOUR, "content-type": media_type}


def security(showroom: Showroom, contact: str, base_url: str) -> str:
    """Whom to write to about a weakness (RFC 9116)."""
    until = showroom.now().date() + VALID
    return f"Contact: {contact}\nExpires: {until.isoformat()}T00:00:00Z\nCanonical: {base_url}{SECURITY}\n"


def every_address(showroom: Showroom) -> list[str]:
    """The English addresses of all pages, each once."""
    return list(dict.fromkeys(address for page in PAGES for address in page.addresses(showroom)))


def sitemap(showroom: Showroom, base_url: str) -> str:
    """Every page in every locale, each with its twins in the others (sitemaps.org; xhtml:link)."""

    def url(path: str, locale: Locale) -> str:
        return escape(base_url + str(Address(path, locale)), {'"': "&quot;"})

    told = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml">',
    ]
    for path in every_address(showroom):
        twins = "".join(
            f'<xhtml:link rel="alternate" hreflang="{lang}" href="{url(path, locale)}"/>' for lang, locale in HREFLANGS
        )
        told += [f"<url><loc>{url(path, locale)}</loc>{twins}</url>" for locale in Locale]
    return "\n".join([*told, "</urlset>"]) + "\n"


def llms(locale: Locale, showroom: Showroom, base_url: str) -> str:
    """The index that llmstxt.org describes: what this is, and every page's Markdown twin with a line on it."""
    say = Say(locale, markup=False)

    def twin(path: str, title: str, line: str = "") -> str:
        return f"- [{title}]({base_url}{Address(path, locale, Form.MARKDOWN)}){': ' + line if line else ''}"

    lead = say("One door to every model: use Gemini, GPT and Claude through the client you have, with one key.")
    told = ["# Portico", "", f"> {lead}", ""]
    told += [say("Every page has a Markdown twin at the same address with .md at its end."), ""]
    told += [f"## {say('Portico')}", "", twin("/", say("Start"))]
    told += [twin(path, say(title)) for path, title in (*MENU, *EVIDENCE) if path != "/docs"]
    others = [path for path in every_address(showroom) if path.startswith("/models/")]
    for title, sources in navigation(locale):
        told += ["", f"## {title}", ""]
        told += [twin(source.path, source.title, source.summary) for source in sources]
    for title, sources in chapters(locale):
        told += ["", f"## {say('API reference')}: {title}", ""]
        told += [twin(source.path, source.title, source.summary) for source in sources]
    told += ["", f"## {say('Models')}", ""]
    told += [twin(path, in_markdown(path.removeprefix("/models/"))) for path in others]
    rest = [Locale(other) for other in Locale if other is not locale]
    told += ["", f"## {say('Other languages')}", ""]
    told += [f"- [{other.own_name}]({base_url}{other.prefix}/llms.txt)" for other in rest]
    return "\n".join(told) + "\n"


def advice(method: str, path: str) -> str:
    """What a program is told at an address where there is nothing for it: most often its base URL lacks the version."""
    return (
        f"There is nothing at {method} {path[:200]}. A base URL for an OpenAI client ends in /v1, one for Anthropic's or "
        "Google's ends with the host. See /docs/quickstart."
    )
