"""The door itself: signing in and up, invitations, links that work once, and a person's own settings.

door.py       sign in, up and out
opened.py     what a link opens: the first start, an invitation, another password
issuer.py     a provider of identities (OpenID Connect), asked
oidc.py       signing in with one: there and back
settings.py   a person's own: name, password, language, where they are signed in
members.py    who is in an account; and which account is looked at
"""

from typing import Final

from portico.web.inside.asked import Needs
from portico.web.inside.room import Room, room
from portico.web.people import door, members, oidc, opened, settings

ROOMS: Final[tuple[Room, ...]] = (
    room(door.SIGN_IN, door.look_in, door.sign_in, needs=Needs.NOBODY),
    room(door.SIGN_UP, door.look_up, door.sign_up, needs=Needs.NOBODY),
    room("/sign-out", None, door.sign_out, needs=Needs.NOBODY),
    room("/first-start/{link}", opened.look_first, opened.start, needs=Needs.NOBODY),
    room("/invite/{link}", opened.look_invited, opened.accept, needs=Needs.NOBODY),
    room("/reset/{link}", opened.look_reset, opened.reset, needs=Needs.NOBODY),
    room(oidc.START, oidc.start, needs=Needs.NOBODY),
    room(oidc.CALLBACK, oidc.come_back, needs=Needs.NOBODY),
    room(settings.HERE, settings.look, settings.act),
    room(members.HERE, members.look, members.act, needs=Needs.VIEWER, act_needs=Needs.ADMIN),
    room("/console/account", None, members.choose),
)
