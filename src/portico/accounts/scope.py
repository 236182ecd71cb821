"""Which models a key may ask for: the globs of its policy, over a model's name in the catalog and the name asked for.

A model out of scope is one that is not there: 404 on calls, absent from lists. A 403 makes clients shut the key out.
"""

import re
from fnmatch import translate
from functools import lru_cache
from typing import Final

from portico.core.errors import ModelNotFound

_LONGEST_SHOWN: Final = 100


@lru_cache(maxsize=1024)
def _pattern(globs: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join([translate(glob.casefold()) for glob in globs]))


@lru_cache(maxsize=16384)
def is_in_scope(globs: tuple[str, ...], model: str, asked: str) -> bool:
    """Whether these globs hold a model, by its catalog name or by the one it was asked for under. The case of letters does
    not count, as in names. No globs: everything."""
    if not globs:
        return True
    pattern = _pattern(globs)
    return any(pattern.match(name.casefold()) is not None for name in (model, asked))


def require_in_scope(globs: tuple[str, ...], model: str, asked: str, *, param: str | None = "model") -> None:
    """Raises `ModelNotFound`, which says no more than it would of a model that does not exist."""
    if globs and not is_in_scope(globs, model, asked):
        shown = repr(asked if len(asked) <= _LONGEST_SHOWN else asked[:_LONGEST_SHOWN] + "…")
        raise ModelNotFound(f"The model {shown} does not exist or you do not have access to it.", param=param)
