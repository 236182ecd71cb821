"""An exchange around another: what passes on as it is, for those that add something to an answer."""

from portico.wire.http import Exchange


class Wrapped:
    """All of an exchange but `send`, `start` and `write`, which are for who adds something."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.request = exchange.request
        self.drain = exchange.drain
        self.finish = exchange.finish
        self.abort = exchange.abort
        self.on_gone = exchange.on_gone
        self.take_room = exchange.take_room

    @property
    def started(self) -> bool:
        return self._exchange.started

    @property
    def ended(self) -> bool:
        return self._exchange.ended

    @property
    def written_bytes(self) -> int:
        return self._exchange.written_bytes
