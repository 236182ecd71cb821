"""Markdown -> HTML for the pages that are written, and -> the Markdown that their twins show.

What is understood beside CommonMark: tables, strikethrough, GitHub's alerts (`> [!NOTE]`), an id of a heading set by hand
(`## Ask for JSON {#ask-for-json}`), and the title of a tab on a fence (```` ```bash tab="curl" ````): fences with titles
that follow each other are one set of tabs. Raw HTML is shown as text.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final
from unicodedata import east_asian_width

import msgspec
from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline.state_inline import Scanned, StateInline
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES
from pygments.util import ClassNotFound

Relink = Callable[[str], str]
"""What a link leads to, given what the source says."""


class Heading(msgspec.Struct, frozen=True):
    """A heading as the contents of a page list it."""

    level: int
    id: str
    text: str


class Written(msgspec.Struct, frozen=True):
    """A page's body."""

    html: str
    headings: tuple[Heading, ...]


_ID: Final = re.compile(r"\s*\{#([a-z0-9_.-]+)\}\s*$")
_TAB: Final = re.compile(r'\btab="([^"]*)"')
_FENCE: Final = re.compile(
    r"^(?P<fence>`{3,}|~{3,})(?P<info>[^\n]*)\n(?P<body>.*?)^(?P=fence)[ \t]*$", re.MULTILINE | re.DOTALL
)
_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>|#&~])")
_LINK: Final = re.compile(r"\]\((/[^)\s]*)\)")
_HEADING_ID: Final = re.compile(r"^(#{2,6} .*?)\s*\{#[a-z0-9_.-]+\}[ \t]*$", re.MULTILINE)
_FORMATTER: Final = HtmlFormatter(nowrap=True)
_WORDS: Final = {"console": "bash", "json5": "javascript", "text": ""}


def to_html(text: str, *, relink: Relink = str, say: Callable[[str], str] = str) -> Written:
    """The HTML of a body. `say` puts a word of the page's furniture into its language."""
    env: dict[str, Any] = {"relink": relink, "say": say, "headings": []}
    html = _PARSER.render(text, env)
    return Written(html, tuple(env["headings"]))


def parsed(text: str, *, longest: int) -> list[Token]:
    """The tokens of a text that none of us wrote: its links stay as they are, and lead nowhere that is not an address. What
    stands in a paragraph of more than `longest` characters is not looked at, and stays a text."""
    return _PARSER.parse(text, {"relink": str, "say": str, "headings": [], "longest": longest})


def language_of(info: str) -> str:
    """The language that a fence says of its code; `text` if it says none."""
    words = info.split()
    return words[0] if words and "=" not in words[0] else "text"


def pieces(code: str, language: str) -> Iterator[tuple[str, str]]:
    """Code in pieces, each with the class of its kind of word; "" for none."""
    try:
        lexer = get_lexer_by_name(_WORDS.get(language, language) or "text", stripnl=False, ensurenl=False)
    except ClassNotFound:
        yield "", code
        return
    for kind, piece in lexer.get_tokens(code):
        yield STANDARD_TYPES.get(kind, ""), piece


def to_twin(text: str, *, relink: Relink = str) -> str:
    """The Markdown a reader without a browser gets: tabs become titled blocks, ids of headings go, links are whole."""

    def outside(part: str) -> str:
        return _LINK.sub(lambda match: f"]({relink(match[1])})", _HEADING_ID.sub(r"\1", part))

    told, at = [], 0
    for match in _FENCE.finditer(text):
        told.append(outside(text[at : match.start()]))
        info, tab = match["info"], _TAB.search(match["info"])
        if tab is not None:
            told.append(f"**{tab[1]}**\n\n")
        told.append(f"{match['fence']}{info.split()[0] if info.split() else ''}\n{match['body']}{match['fence']}")
        at = match.end()
    told.append(outside(text[at:]))
    return "".join(told)


def in_markdown(text: object) -> str:
    """A text that is none of the house's own, so that it stays text in Markdown."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(text).split()))


def highlighted(code: str, language: str) -> str:
    """Code as HTML in which every kind of word has its class."""
    try:
        lexer = get_lexer_by_name(_WORDS.get(language, language) or "text", stripnl=False)
    except ClassNotFound:
        return escape(code)
    return str(highlight(code, lexer, _FORMATTER))


def code_block(code: str, language: str, say: Callable[[str], str] = str) -> str:
    """One block of code. It can be scrolled with the keyboard, so it has a name and takes the focus."""
    label = escape(say("Code"))
    marked = highlighted(code.rstrip("\n"), language)
    return (
        f'<div class="code" data-language="{escape(language)}"><pre tabindex="0" role="region" aria-label="{label}">'
        f"<code>{marked}</code></pre></div>\n"
    )


def tabs(blocks: Sequence[tuple[str, str]], number: str) -> str:
    """Blocks behind titles, one of them open. They work without a script; `number` tells one set from another."""
    told = [
        f'<details class="tab" name="tabs-{number}"{" open" if at == 0 else ""}>'
        f'<summary data-client="{escape(title)}">{escape(title)}</summary>{html}</details>'
        for at, (title, html) in enumerate(blocks)
    ]
    return f'<div class="tabs">{"".join(told)}</div>\n'


# -- the parser ----------------------------------------------------------------------------------------------------------


class _State(StateInline):
    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: N802, N803 - the name is theirs
        """Stars beside Chinese: CommonMark closes no emphasis between full-width punctuation and a letter, since it knows
        words by their spaces (commonmark-spec #650). Where there is a wide character beside the run, a space is not
        asked for: what stands directly before text opens, what stands directly behind it closes."""
        scanned = super().scanDelims(start, canSplitWord)
        end = start + scanned.length
        before = self.src[start - 1] if start > 0 else " "
        behind = self.src[end] if end < self.posMax else " "
        if not (_is_wide(before) or _is_wide(behind)):
            return scanned
        opens, closes = not isWhiteSpace(ord(behind)), not isWhiteSpace(ord(before))
        if opens and closes and not canSplitWord:
            return scanned
        if _is_mark(before) and not _is_mark(behind) and not scanned.can_close:
            return Scanned(scanned.can_open or opens, closes, scanned.length)
        return Scanned(opens or scanned.can_open, closes or scanned.can_close, scanned.length)


def _is_mark(char: str) -> bool:
    return isPunctChar(char) or isMdAsciiPunct(ord(char))


def _is_wide(char: str) -> bool:
    return east_asian_width(char) in ("W", "F")


class _Inline(ParserInline):
    def parse(self, src: str, md: MarkdownIt, env: Any, tokens: list[Token]) -> list[Token]:
        state = _State(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


def _long(state: StateCore) -> None:
    """A paragraph takes the square of its length, if it is made for that."""
    longest: int = state.env.get("longest", len(state.src))
    for token in state.tokens:
        if token.type == "inline" and len(token.content) > longest:
            token.type = "text"


def _headings(state: StateCore) -> None:
    """Ids of headings, and the contents of the page."""
    for token, inline in zip(state.tokens, state.tokens[1:], strict=False):
        if token.type != "heading_open" or not inline.children:
            continue
        last = inline.children[-1]
        match = _ID.search(last.content) if last.type == "text" else None
        if match is None:
            continue
        last.content = last.content[: match.start()]
        token.attrSet("id", match[1])
        text = "".join(child.content for child in inline.children if child.type in ("text", "code_inline"))
        state.env["headings"].append(Heading(int(token.tag[1]), match[1], text))


def _links(state: StateCore) -> None:
    for token in state.tokens:
        for child in token.children or ():
            href = child.attrGet("href") if child.type == "link_open" else None
            if isinstance(href, str):
                child.attrSet("href", state.env["relink"](href))


def _classes(state: StateCore) -> None:
    """A style is a class, for no style may stand in a page; an alert is one of the house's notes, in its language."""
    title = False
    for token in state.tokens:
        style = token.attrs.pop("style", None)
        if style is not None:
            token.attrSet("class", "number" if str(style).endswith("right") else "middle")
        if token.type == "alert_open":
            token.attrSet("class", f"note note-{token.info.lower()}")
            token.attrSet("role", "note")
        if title and token.children:
            token.children[0].content = state.env["say"](token.content)
        title = token.type == "alert_title_open"
        if title:
            token.attrSet("class", "note-title")


def _tabbed(state: StateCore) -> None:
    """Fences with titles that follow each other become one token."""
    told: list[Token] = []
    for token in state.tokens:
        tab = _TAB.search(token.info) if token.type == "fence" else None
        if tab is None:
            told.append(token)
            continue
        title = tab[1]
        if not (told and told[-1].type == "tabs"):
            told.append(Token("tabs", "", 0, meta={"blocks": [], "number": str(token.map[0]) if token.map else "0"}))
        told[-1].meta["blocks"].append((title, token))
    state.tokens = told


def _fence(_: Any, tokens: Sequence[Token], at: int, __: Any, env: Mapping[str, Any]) -> str:
    return code_block(tokens[at].content, language_of(tokens[at].info), env["say"])


def _tabs(_: Any, tokens: Sequence[Token], at: int, __: Any, env: Mapping[str, Any]) -> str:
    meta = tokens[at].meta
    blocks = [(title, code_block(one.content, language_of(one.info), env["say"])) for title, one in meta["blocks"]]
    return tabs(blocks, meta["number"])


def _table_open(_: Any, __: Sequence[Token], ___: int, ____: Any, env: Mapping[str, Any]) -> str:
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(env["say"]("Table"))}"><table>\n'


def _table_close(*_: Any) -> str:
    return "</table></div>\n"


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "typographer": False, "alerts": True})
    parser.enable(["table", "strikethrough"])
    inline = _Inline()
    inline.ruler, inline.ruler2 = parser.inline.ruler, parser.inline.ruler2
    parser.inline = inline
    parser.core.ruler.before("inline", "long", _long)
    parser.core.ruler.push("headings", _headings)
    parser.core.ruler.push("links", _links)
    parser.core.ruler.push("classes", _classes)
    parser.core.ruler.push("tabbed", _tabbed)
    for name, rule in (("fence", _fence), ("tabs", _tabs), ("table_open", _table_open), ("table_close", _table_close)):
        parser.add_render_rule(name, rule)
    return parser


_PARSER: Final = _parser()
