"""What the kernel knows of bytes that were sent: how many of them the other side has not acknowledged.

Linux only (tcp(7), SIOCOUTQ); elsewhere the answer is that everything may have been acknowledged.
"""

import asyncio
import sys

if sys.platform == "linux":
    import fcntl
    import struct
    import termios

    def unacknowledged_bytes(transport: asyncio.Transport) -> int:
        """Bytes written to the transport and not acknowledged by the peer's kernel; 0 when it cannot be known."""
        try:
            descriptor = transport.get_extra_info("socket").fileno()
            answer = fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(4))
        except (OSError, AttributeError, ValueError):
            return 0
        return int(struct.unpack("i", answer)[0]) + transport.get_write_buffer_size()

else:

    def unacknowledged_bytes(transport: asyncio.Transport) -> int:  # noqa: ARG001
        return 0
