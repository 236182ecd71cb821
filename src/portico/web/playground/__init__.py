"""The playground: a call made by hand, with everything that was sent and came.

page.py     the page; Markdown for its script; what an error means
models.py   what can be asked, and how
tree.py     Markdown as a tree

The conversation is `../static/playground*.js`. It makes its calls itself, with a key that is lent to it
(`accounts/lending.py`).
"""

from typing import Final

from portico.web.inside.asked import Needs
from portico.web.inside.room import Room, room
from portico.web.playground.page import explain, look, render

ROOMS: Final[tuple[Room, ...]] = (
    room("/console/playground", look, needs=Needs.MEMBER),
    room("/console/playground/render", act=render, needs=Needs.MEMBER),
    room("/console/playground/errors/{code}", explain, needs=Needs.MEMBER),
)
