"""Which models a key may ask for: the globs of its policy, over a model's name in the catalog and the name asked for.

What SDKs put before a name (`google/`, `models/` …) says nothing of the model, since any may stand before any, so it does
not count. With its vendor before it a model may be named in a glob: `google/*` holds Google's, whatever they are asked as.

A model out of scope is one that is not there: 404 on calls, absent from lists. A 403 makes clients shut the key out.
"""

import re
from fnmatch import translate
from functools import lru_cache
from typing import Final

from portico.catalog.names import without_prefixes
from portico.core.errors import ModelNotFound

_LONGEST_SHOWN: Final = 100


@lru_cache(maxsize=1024)
def _pattern(globs: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join([translate(glob.casefold()) for glob in globs]))


@lru_cache(maxsize=16384)
def is_in_scope(globs: tuple[str, ...], model: str, vendor: str, asked: str) -> bool:
    """Whether these globs hold a vendor's model, by its catalog name or by the one it was asked for under. The case of
    letters does not count, as in names. No globs: everything."""
    if not globs:
        return True
    pattern = _pattern(globs)
    names = (model, without_prefixes(asked))
    return any(pattern.match(name.casefold()) is not None for name in (*names, *[f"{vendor}/{name}" for name in names]))


def require_in_scope(
    globs: tuple[str, ...], model: str, vendor: str, asked: str, *, param: str | None = "model"
) -> None:
    """Raises `ModelNotFound`, which says no more than it would of a model that does not exist."""
    if globs and not is_in_scope(globs, model, vendor, asked):
        shown = repr(asked if len(asked) <= _LONGEST_SHOWN else asked[:_LONGEST_SHOWN] + "…")
        raise ModelNotFound(f"The model {shown} does not exist or you do not have access to it.", param=param)
