"""What a caller may take of the server: bytes and patience."""

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    max_body_bytes: int = 64 * 1024 * 1024
    max_head_bytes: int = 64 * 1024
    """Request line and headers together; also the trailers, and what chunks may say beside their data."""
    header_timeout_s: float = 30.0
    """For the whole head, from its first byte; also for the first byte of a new connection."""
    body_timeout_s: float = 30.0
    """In which a body must bring at least a kilobyte, or its end."""
    idle_timeout_s: float = 75.0
    """Between two requests on one connection."""
    stall_timeout_s: float = 300.0
    """In which a caller must take something of what was written."""
