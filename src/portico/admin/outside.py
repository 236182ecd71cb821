"""Commands of people who come with a proof from outside: a provider of identities says who they are (OpenID Connect). As in
`door.py` they are in no table for administrators.

An issuer's word for somebody (`subject`) decides who they are. An address only introduces them, once, and only if the
issuer says that it is theirs:

    it is nobody's here         a new user, if they may come: by `[oidc] allow`, by an invitation, or because all may
    of a user without a         theirs from now on: somebody added or invited them and they never signed in otherwise
      password or identity
    of any other user           refused. Nobody proves here that an address is theirs: whoever set the password may be
                                another than whoever the issuer knows, and an address may have a new owner
"""

from typing import Annotated, Final

from portico.accounts import identities, links, passwords, people
from portico.accounts.people import User
from portico.admin.command import Command
from portico.admin.desk import Args, Desk, says
from portico.admin.door import own_account
from portico.admin.people import UserView, user_view
from portico.core.errors import Conflict, NotFound, PermissionDenied
from portico.core.storage import Db

UNVERIFIED: Final = "Your provider does not say that your e-mail address is yours, so it proves nothing here."
KNOWN_OTHERWISE: Final = (
    "There is a user of your address here. Sign in as before, and connect your provider in the settings."
)
NOT_INVITED: Final = "You have no account here yet. Ask for an invitation, and open its link."
DISABLED: Final = "You may not sign in here any more. Ask whoever runs this Portico."
ANOTHERS: Final = "This identity is connected to another user here."


class Come(Args, frozen=True, kw_only=True):
    issuer: Annotated[str, says("Who says so.", max_length=1000)]
    subject: Annotated[str, says("Whom the issuer means.", min_length=1, max_length=255)]
    email: Annotated[str, says("Their address, as the issuer knows it.", max_length=254)] = ""
    verified: Annotated[bool, says("Whether the issuer says that it is theirs.")] = False
    name: Annotated[str, says("How they are called there.", max_length=200)] = ""
    link: Annotated[str, says("The invitation they followed.", max_length=200)] = ""
    may_come: Annotated[bool, says("Whether they need no invitation.")] = False
    operator: Annotated[bool, says("Whether the configuration says that they run this Portico.")] = False


class Connect(Args, frozen=True, kw_only=True):
    user: str
    issuer: str
    subject: Annotated[str, says("Whom the issuer means.", min_length=1, max_length=255)]


class Disconnect(Args, frozen=True, kw_only=True):
    user: str
    issuer: str
    subject: str


def come(desk: Desk, args: Come) -> UserView:
    """Finds or makes the user who comes with this identity."""
    db = desk.db
    found = identities.find_identity(db, args.issuer, args.subject)
    user = _introduced(desk, args) if found is None else people.show_user(db, found.user_id)
    if user.disabled_us is not None:
        raise PermissionDenied(DISABLED)
    if args.operator and args.verified and not user.operator:
        user = people.set_operator(db, user.id, True)
    return user_view(user)


def _introduced(desk: Desk, args: Come) -> User:
    """Who is meant by an address that comes with a new identity. Raises `PermissionDenied`."""
    db = desk.db
    if not (args.verified and args.email):
        raise PermissionDenied(UNVERIFIED)
    user = people.user_of(db, args.email)
    if user is not None:
        if passwords.stored_hash(db, user.id) is not None or identities.identities_of(db, user.id):
            raise PermissionDenied(KNOWN_OTHERWISE)
        if args.name and not user.name:
            user = people.rename_user(db, user.id, args.name)
    else:
        if not (args.may_come or args.operator or _is_invited(db, args)):
            raise PermissionDenied(NOT_INVITED)
        user = people.create_user(db, desk.rng, email=args.email, name=args.name)
        if args.may_come:
            own_account(db, desk.rng, user)
    if not identities.connect(db, args.issuer, args.subject, user.id):
        raise Conflict(ANOTHERS)
    return user


def _is_invited(db: Db, args: Come) -> bool:
    """Whether they hold an invitation for this address. It is used up later, where they say that they come in."""
    try:
        return bool(args.link) and links.find_link(db, args.link, links.INVITE).email == args.email.strip().lower()
    except NotFound:
        return False


def connect(desk: Desk, args: Connect) -> UserView:
    """Connects an identity to the user who is signed in."""
    user = people.show_user(desk.db, args.user)
    if not identities.connect(desk.db, args.issuer, args.subject, user.id):
        raise Conflict(ANOTHERS)
    return user_view(user)


def disconnect(desk: Desk, args: Disconnect) -> UserView:
    """Takes an identity from a user, who must be able to sign in without it."""
    user = people.show_user(desk.db, args.user)
    identities.disconnect(desk.db, user.id, args.issuer, args.subject)
    if passwords.stored_hash(desk.db, user.id) is None and not identities.identities_of(desk.db, user.id):
        raise Conflict("Set a password first: without this connection you could not sign in.")
    return user_view(user)


COME: Final = Command("door come", None, come, changes=True, secret=("link",))
CONNECT: Final = Command("door connect", None, connect, changes=True)
DISCONNECT: Final = Command("door disconnect", None, disconnect, changes=True)
