"""Code that «runs» on Google's side: written from the prompt, its result really computed, a chart if one was asked for."""

import ast
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from portico.simulator import media
from portico.simulator.literals import read
from portico.simulator.refusal import Json

_SPOKEN = (
    (re.compile(r"(\d+)\s+squared"), r"\1**2"),
    (re.compile(r"(\d+)\s+cubed"), r"\1**3"),
    (re.compile(r"(\d+)\s+to the power of\s+(\d+)"), r"\1**\2"),
)
_EXPRESSION = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:\s*(?:\*\*|[-+*/%^×÷])\s*\d+(?:\.\d+)?)+(?!\w|\.\d)")
_CHART = re.compile(r"\b(?:plots?|charts?|graphs?|histograms?|figures?|diagrams?)\b", re.IGNORECASE)
_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_MOST_POWER = 500


@dataclass(frozen=True)
class Run:
    """A program, what it printed, whether it failed, and the chart it drew."""

    code: str
    output: str
    failed: bool = False
    chart: Json | None = None


def run(words: str, dice: Random, *, fails: bool) -> Run:
    """The program a model would write for this prompt, and its result."""
    if fails:
        code = "raise ValueError('simulated')\n"
        return Run(code, 'Traceback (most recent call last):\n  File "<string>", line 1\nValueError: simulated\n', True)
    numbers = read(words).numbers[:50]
    if _CHART.search(words):
        values = [float(number) for number in numbers] or [float(dice.randint(1, 9)) for _ in range(5)]
        code = f"import matplotlib.pyplot as plt\nplt.bar(range({len(values)}), {values})\nplt.show()\n"
        return Run(code, "", chart=media.chart(values))
    if expression := _expression(words):
        return _evaluated(expression)
    if numbers:
        return Run(f"print(sum({list(numbers)}))\n", f"{sum(numbers)}\n")
    said = words[:80]
    return Run(f"print(len({said!r}))\n", f"{len(said)}\n")


def _expression(words: str) -> str:
    for pattern, replacement in _SPOKEN:
        words = pattern.sub(replacement, words)
    found = _EXPRESSION.search(words)
    if not found or len(found[0]) > 200:
        return ""
    text = found[0].replace("×", "*").replace("÷", "/").replace("^", "**")
    return re.sub(r"(?<![\w.])0+(?=\d)", "", text)


def _evaluated(expression: str) -> Run:
    code = f"print({expression})\n"
    try:
        return Run(code, f"{_value(ast.parse(expression, mode='eval').body)}\n")
    except (ArithmeticError, ValueError) as error:
        text = f'Traceback (most recent call last):\n  File "<string>", line 1\n{type(error).__name__}: {error}\n'
        return Run(code, text, failed=True)


def _value(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as value):
            return value
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            base, power = _value(left), _value(right)
            if abs(power) > _MOST_POWER or abs(base) > 10**6:
                raise OverflowError("the sandbox gives up")
            raised: float = base**power
            return raised
        case ast.BinOp(left=left, op=kind, right=right):
            return _OPERATORS[type(kind)](_value(left), _value(right))
        case _:
            raise ValueError("not arithmetic")
