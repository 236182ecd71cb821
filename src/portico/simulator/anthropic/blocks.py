"""The forms of content blocks and of messages."""

from portico.simulator.anthropic.forms import (
    Form,
    anything,
    array,
    either,
    flag,
    integer,
    mapping,
    record,
    tagged,
    text,
    word,
)

CACHE = tagged({"ephemeral": record({"type": text(), "ttl": word("5m", "1h"), "scope": text()})})
_TYPE: dict[str, Form] = {"type": text(), "cache_control": CACHE}
_ID = text(pattern="^[a-zA-Z0-9_-]+$")
_SERVER_ID = text(pattern="^srvtoolu_[a-zA-Z0-9_]+$")
_NAME = text(least=1, most=200)
_INT = integer()

_CITED: dict[str, Form] = {"type": text(), "cited_text": text(), "title": text()}
_DOCUMENT: dict[str, Form] = {
    "type": text(),
    "cited_text": text(),
    "document_index": integer(0),
    "document_title": text(),
    "file_id": text(),
}
CITATION = tagged(
    {
        "char_location": record(_DOCUMENT | {"start_char_index": _INT, "end_char_index": _INT}, "cited_text"),
        "page_location": record(_DOCUMENT | {"start_page_number": _INT, "end_page_number": _INT}, "cited_text"),
        "content_block_location": record(
            _DOCUMENT | {"start_block_index": _INT, "end_block_index": _INT}, "cited_text"
        ),
        "search_result_location": record(
            _CITED
            | {"source": text(), "search_result_index": _INT, "start_block_index": _INT, "end_block_index": _INT},
            "source",
        ),
        "web_search_result_location": record(_CITED | {"url": text(), "encrypted_index": text()}, "encrypted_index"),
    }
)
TEXT = record(_TYPE | {"text": text(), "citations": array(CITATION)}, "text")
IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")
_URL = record({"type": text(), "url": text(least=1)}, "url")
FILE = record({"type": text(), "file_id": text(least=1)}, "file_id")
IMAGE = record(
    _TYPE
    | {
        "source": tagged(
            {
                "base64": record(
                    {"type": text(), "media_type": word(*IMAGE_TYPES), "data": text(least=1)}, "media_type", "data"
                ),
                "url": _URL,
                "file": FILE,
            }
        ),
        "transformations": anything,
    },
    "source",
)
_CITATIONS = record({"enabled": flag})
DOCUMENT = record(
    _TYPE
    | {
        "source": tagged(
            {
                "base64": record(
                    {"type": text(), "media_type": word("application/pdf"), "data": text(least=1)}, "media_type", "data"
                ),
                "text": record(
                    {"type": text(), "media_type": word("text/plain"), "data": text(least=1)}, "media_type", "data"
                ),
                "content": record(
                    {
                        "type": text(),
                        "content": either((str, text()), (list, array(tagged({"text": TEXT, "image": IMAGE})))),
                    },
                    "content",
                ),
                "url": _URL,
                "file": FILE,
            }
        ),
        "title": text(most=500),
        "context": text(),
        "citations": _CITATIONS,
    },
    "source",
)
SEARCH_RESULT = record(
    _TYPE
    | {
        "source": text(),
        "title": text(),
        "content": array(tagged({"text": TEXT})),
        "citations": _CITATIONS,
    },
    "source",
    "title",
    "content",
)
_REFERENCE = record(_TYPE | {"tool_name": text()}, "tool_name")
_CALLER = tagged(
    {
        "direct": record({"type": text()}),
        "code_execution_20250825": record({"type": text(), "tool_id": text()}, "tool_id"),
        "code_execution_20260120": record({"type": text(), "tool_id": text()}, "tool_id"),
        "code_execution_20260521": record({"type": text(), "tool_id": text()}, "tool_id"),
    }
)
_THINKING = record({"type": text(), "thinking": text(), "signature": text()}, "thinking", "signature")
_REDACTED = record({"type": text(), "data": text()}, "data")
_TOOL_USE = record(
    _TYPE | {"id": _ID, "name": _NAME, "input": mapping, "caller": _CALLER, "toolset_name": text()},
    "id",
    "name",
    "input",
)
_RESULT_BLOCKS = array(
    tagged(
        {
            "text": TEXT,
            "image": IMAGE,
            "document": DOCUMENT,
            "search_result": SEARCH_RESULT,
            "tool_reference": _REFERENCE,
            "browser_state": anything,
        }
    )
)
_RESULT: dict[str, Form] = {"tool_use_id": _ID, "caller": _CALLER}
_TOOL_RESULT = record(
    _TYPE
    | {
        "tool_use_id": _ID,
        "content": either((str, text()), (list, _RESULT_BLOCKS)),
        "is_error": flag,
        "toolset_name": text(),
    },
    "tool_use_id",
)
SERVER_NAMES = (
    *("web_search", "web_fetch", "code_execution", "bash_code_execution", "text_editor_code_execution"),
    *("tool_search_tool_regex", "tool_search_tool_bm25", "advisor"),
)
_SERVER_USE = record(
    _TYPE | {"id": _SERVER_ID, "name": word(*SERVER_NAMES), "input": mapping, "caller": _CALLER}, "id", "name", "input"
)
_MCP_USE = record(
    _TYPE | {"id": _ID, "name": _NAME, "input": mapping, "server_name": text()}, "id", "name", "input", "server_name"
)
_MCP_RESULT = record(
    _TYPE | _RESULT | {"content": either((str, text()), (list, array(tagged({"text": TEXT})))), "is_error": flag},
    "tool_use_id",
)


def _result(content: Form) -> Form:
    return record(_TYPE | _RESULT | {"content": content}, "tool_use_id", "content")


_FOUND = record(
    {"type": text(), "url": text(), "title": text(), "encrypted_content": text(), "page_age": text()},
    "url",
    "title",
    "encrypted_content",
)
SERVER_RESULTS: dict[str, Form] = {
    "web_search_tool_result": _result(
        either((list, array(tagged({"web_search_result": _FOUND}))), (dict, mapping)),
    ),
    "web_fetch_tool_result": _result(mapping),
    "code_execution_tool_result": _result(mapping),
    "bash_code_execution_tool_result": _result(mapping),
    "text_editor_code_execution_tool_result": _result(mapping),
    "tool_search_tool_result": _result(mapping),
    "advisor_tool_result": _result(mapping),
}
BLOCKS: dict[str, Form] = {
    "text": TEXT,
    "image": IMAGE,
    "document": DOCUMENT,
    "search_result": SEARCH_RESULT,
    "thinking": _THINKING,
    "redacted_thinking": _REDACTED,
    "tool_use": _TOOL_USE,
    "tool_result": _TOOL_RESULT,
    "server_tool_use": _SERVER_USE,
    **SERVER_RESULTS,
    "mcp_tool_use": _MCP_USE,
    "mcp_tool_result": _MCP_RESULT,
    "container_upload": record(_TYPE | {"file_id": text()}, "file_id"),
    "compaction": record(_TYPE | {"content": text(), "encrypted_content": text()}),
    "fallback": anything,
    "tool_addition": record(_TYPE | {"tool": mapping}, "tool"),
    "tool_removal": record(_TYPE | {"tool": mapping}, "tool"),
}
EFFORTS = ("low", "medium", "high", "xhigh", "max")
MESSAGE = record(
    {
        "role": text(),
        "content": either((str, text()), (list, array(tagged(BLOCKS)))),
        "output_config": record({"effort": word(*EFFORTS)}),
    },
    "role",
    "content",
)
