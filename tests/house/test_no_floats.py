"""Money is counted in integers: no float, and nothing that makes one, where amounts are moved or worked out."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import portico

HOUSE = Path(portico.__file__).parent
MODULES = [
    *sorted((HOUSE / "ledger").rglob("*.py")),
    *sorted((HOUSE / "metering").rglob("*.py")),
    HOUSE / "catalog" / "price.py",
    HOUSE / "catalog" / "books.py",
]
SECONDS = ("_s", "_seconds")
"""Names that end so are times, as is what a function `seconds_…` works out: a wait may be a fraction of a second."""


def floats(tree: ast.AST) -> Iterator[ast.AST]:
    """Float literals, true divisions, `float`, `round` and modules of fractions, but for times."""
    times = {id(part) for node in ast.walk(tree) if _is_time(node) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in times:
            continue
        match node:
            case ast.Constant(value=float() | complex()):
                yield node
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                yield node
            case ast.Name(id="float" | "round"):
                yield node
            case ast.Import() | ast.ImportFrom() if _imports(node) & {"math", "statistics", "decimal", "fractions"}:
                yield node


def _is_time(node: ast.AST) -> bool:
    match node:
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.arg(arg=name) | ast.keyword(arg=str(name)):
            return name.lower().endswith(SECONDS)
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name.lower().endswith(SECONDS)
        case ast.FunctionDef(name=name):
            return name.startswith("seconds_")
        case ast.Call(func=ast.Attribute(attr="fromtimestamp")):
            return True
    return False


def _imports(node: ast.Import | ast.ImportFrom) -> set[str]:
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_amounts_are_integers(path: Path) -> None:
    found = [ast.unparse(node) for node in floats(ast.parse(path.read_text("utf-8")))]
    assert found == []


@pytest.mark.parametrize(
    "text", ["x = 0.1", "x = a / b", "x /= 2", "float(x)", "round(x)", "import math", "from decimal import Decimal"]
)
def test_what_makes_a_float_is_found(text: str) -> None:
    assert len(list(floats(ast.parse(text)))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "retry_after_s: float = 0.5",
        "RETRY_S: Final = 1.0",
        "def seconds_left(): return x / 2",
        "d.fromtimestamp(x / 2)",
        "x = a // b",
        "def f(wait_s: float): ...",
        "x = -(-a // b)",
    ],
)
def test_what_makes_none_is_not(text: str) -> None:
    assert list(floats(ast.parse(text))) == []
