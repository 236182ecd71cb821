"""The socket that a server of the command line listens on."""

import socket


def listen(host: str, port: int) -> socket.socket:
    """Listens on a port of a host's (0: any free one). Raises `OSError`, whose words are the system's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except UnicodeError:  # of a name that could be none of a host
        listener.close()
        raise OSError(f"{host} is no name of a host") from None
    except OSError:
        listener.close()
        raise
    listener.listen(2048)
    listener.setblocking(False)
    return listener
