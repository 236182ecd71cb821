"""What a model wrote, as a small tree that a script builds its nodes of: no markup goes to the page, so none can get in.

    a text                                  "text"
    an element, its attributes, its content ["p", {}, "text", ["strong", {}, "more"]]

A link leads to an address of the web or of mail, and a picture is one that came with the text: one at an address would tell
whoever serves it that it was looked at, and what stands in the address.

A text can be made so that reading it takes the square of its length, and code so that a lexer's expressions do: what is too
long for that stays plain text. It is the process of everybody's calls that would wait for it.
"""

import re
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from markdown_it.token import Token

from portico.web.markdown import language_of, parsed, pieces

Node: TypeAlias = str | list[Any]
MAX_CHARACTERS: Final = 32_000
"""Of one text. The page sends a long answer in pieces as its blocks are finished."""
LONGEST_PARAGRAPH: Final = 8_000
LONGEST_CODE: Final = 20_000
LONGEST_LINE: Final = 200
"""Of code that has colours, and of blanks in it: what an expression of a lexer can look at in vain, at every character."""
COLOURED_S: Final = 0.1
"""A block of code has colours as far as that much work goes."""
_TRIED: Final = (
    "bash c console cpp csharp css diff docker dockerfile go graphql groovy haskell html http ini java javascript js json",
    "json5 julia kotlin lua make makefile markdown matlab md nginx objective-c php powershell protobuf py pycon python r",
    "rb ruby rust scala sh shell sql swift terraform toml ts tsx typescript xml yaml yml zsh",
)
LANGUAGES: Final = frozenset(" ".join(_TRIED).split())
"""Of the several hundred that lexers exist for, those that are written most, whose expressions were tried."""
_BLANKS: Final = re.compile(rf"\s{{{LONGEST_LINE}}}")
_SCHEMES: Final = ("http", "https", "mailto")
_TAGS: Final = {
    **{f"h{level}": f"h{min(level + 2, 6)}" for level in range(1, 7)},
    **{tag: tag for tag in ("p", "ul", "ol", "li", "blockquote", "strong", "em", "s", "table", "thead", "tbody", "tr")},
    **{tag: tag for tag in ("th", "td", "a", "div")},
}
"""Elements that open and close; the headings of an answer stand below those of the page."""
_KEPT: Final = ("class", "start")


def to_tree(text: str) -> list[Node]:
    """The nodes of a text in Markdown."""
    return _nodes(parsed(text, longest=LONGEST_PARAGRAPH))


def _nodes(tokens: Sequence[Token]) -> list[Node]:
    root: list[Node] = []
    open_: list[list[Node]] = [root]
    for token in tokens:
        if token.hidden:
            continue
        if token.nesting > 0:
            made: list[Any] = [_TAGS.get(token.tag, "div"), _attributes(token)]
            open_[-1].append(made)
            open_.append(made)
        elif token.nesting < 0:
            open_.pop()
        else:
            open_[-1] += _alone(token)
    return root


def _alone(token: Token) -> list[Node]:
    """What has no end of its own."""
    match token.type:
        case "inline":
            return _nodes(token.children or [])
        case "fence" | "code_block":
            return [_code(token.content, language_of(token.info))]
        case "tabs":
            return [_code(one.content, language_of(one.info)) for _, one in token.meta["blocks"]]
        case "code_inline":
            return [["code", {}, token.content]]
        case "softbreak":
            return ["\n"]
        case "hardbreak":
            return [["br", {}]]
        case "hr":
            return [["hr", {}]]
        case "image":
            return [_image(str(token.attrGet("src") or ""), token.content)]
        case _:
            return [token.content] if token.content else []


def _code(code: str, language: str) -> Node:
    told: list[Any] = ["code", {}]
    for kind, piece in _coloured(code.rstrip("\n"), language):
        told.append(["span", {"class": kind}, piece] if kind else piece)
    return ["div", {"class": "code"}, ["pre", {}, told]]


def _coloured(code: str, language: str) -> Iterator[tuple[str, str]]:
    """Code in pieces, as `markdown.pieces`: those in front of where the work becomes too much, and the rest as one."""
    long = (
        len(code) > LONGEST_CODE or max(map(len, code.split("\n"))) > LONGEST_LINE or _BLANKS.search(code) is not None
    )
    if long or language.lower() not in LANGUAGES:
        yield "", code
        return
    until, at = time.thread_time() + COLOURED_S, 0
    for kind, piece in pieces(code, language.lower()):
        yield kind, piece
        at += len(piece)
        if time.thread_time() > until:
            yield "", code[at:]
            return


def _image(address: str, alt: str) -> Node:
    if address.startswith("data:image/"):
        return ["img", {"src": address, "alt": alt}]
    return _link(address, [alt or address])


def _link(address: str, content: list[Node]) -> Node:
    return ["a", {"href": address}, *content] if _leads_out(address) else ["span", {}, *content]


def _attributes(token: Token) -> dict[str, Any]:
    kept = {name: token.attrs[name] for name in _KEPT if name in token.attrs}
    address = str(token.attrGet("href") or "") if token.tag == "a" else ""
    return kept | ({"href": address} if _leads_out(address) else {})


def _leads_out(address: str) -> bool:
    try:
        return urlsplit(address).scheme in _SCHEMES
    except ValueError:
        return False
