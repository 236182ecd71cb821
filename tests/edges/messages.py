"""Requests as bytes: good ones, and those that two parsers could read differently."""

GET = b"GET /v1/models?limit=2&after=a%20b HTTP/1.1\r\nHost: portico.test\r\nX-Two:  spaced \t\r\n\r\n"
LENGTH = b"POST /v1/chat HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world"
CHUNKED = (
    b"POST /v1/chat HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;name=value\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: ignored\r\n\r\n"
)
UPGRADE = (
    b"POST /v1/chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    b"HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\nContent-Length: 11\r\n\r\nhello world"
)
ABSOLUTE = b"GET http://portico.test/v1/models?x=1 HTTP/1.1\r\nHost: portico.test\r\n\r\n"
STAR = b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"
AFTER_BLANK_LINES = b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"
OLD = b"GET /old HTTP/1.0\r\n\r\n"
GOOD = [GET, LENGTH, CHUNKED, UPGRADE, ABSOLUTE, STAR, AFTER_BLANK_LINES, OLD]


def post(*lines: bytes, body: bytes = b"") -> bytes:
    return b"POST / HTTP/1.1\r\nHost: a\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
CODED = b"Transfer-Encoding: chunked"
REFUSED = {
    "two lengths that differ": post(b"Content-Length: 0", b"Content-Length: 36", body=SMUGGLED),
    "two lengths that agree": post(b"Content-Length: 3", b"Content-Length: 3", body=b"abc"),
    "a list of lengths": post(b"Content-Length: 3, 3", body=b"abc"),
    "a signed length": post(b"Content-Length: +3", body=b"abc"),
    "a negative length": post(b"Content-Length: -3", body=b"abc"),
    "a hexadecimal length": post(b"Content-Length: 0x3", body=b"abc"),
    "an empty length": post(b"Content-Length: ", body=b"abc"),
    "a length beyond counting": post(b"Content-Length: 99999999999999999999999", body=b"abc"),
    "a space before the colon": post(b"Content-Length : 3", body=b"abc"),
    "length, then coding": post(b"Content-Length: 6", CODED, body=b"0\r\n\r\nG"),
    "coding, then length": post(CODED, b"Content-Length: 6", body=b"0\r\n\r\nG"),
    "another coding": post(b"Transfer-Encoding: identity", body=SMUGGLED),
    "almost chunked": post(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n"),
    "chunked behind a control": post(b"Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n"),
    "a coding before chunked": post(b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"),
    "a coding after chunked": post(b"Transfer-Encoding: chunked, gzip", body=b"0\r\n\r\n"),
    "chunked twice": post(CODED, CODED, body=b"0\r\n\r\n"),
    "chunked in HTTP/1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a folded header": post(b"X-A: one", b" Content-Length: 5", body=b"hello"),
    "a folded first header": b"GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    "bare LF after the request line": b"GET / HTTP/1.1\nHost: a\r\n\r\n",
    "bare LF after a header": b"GET / HTTP/1.1\r\nHost: a\nX-A: b\r\n\r\n",
    "bare LF for the empty line": b"GET / HTTP/1.1\r\nHost: a\r\n\n",
    "bare CR in a header": post(b"X-A: one\rtwo"),
    "NUL in a header": post(b"X-A: one\0two"),
    "bare LF after a chunk size": post(CODED, body=b"1\na\r\n0\r\n\r\n"),
    "bare LF after chunk data": post(CODED, body=b"1\r\na\n0\r\n\r\n"),
    "bare LF in a chunk extension": post(CODED, body=b"1;a\nb\r\na\r\n0\r\n\r\n"),
    "a chunk longer than it says": post(CODED, body=b"1\r\naXX0\r\n\r\n"),
    "a chunk size with 0x": post(CODED, body=b"0x1\r\na\r\n0\r\n\r\n"),
    "a chunk size with a space": post(CODED, body=b"1 \r\na\r\n0\r\n\r\n"),
    "a chunk size beyond counting": post(CODED, body=b"FFFFFFFFFFFFFFFFFF\r\na\r\n0\r\n\r\n"),
    "a length in a trailer": post(CODED, body=b"0\r\nContent-Length: 5\r\n\r\n"),
    "a header without a colon": post(b"X-A"),
    "a header without a name": post(b": value"),
    "a bracket in a header name": post(b"X(: a"),
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/0.9 by name": b"GET / HTTP/0.9\r\nHost: a\r\n\r\n",
    "HTTP/2 by name": b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "another version": b"GET / HTTP/1.2\r\nHost: a\r\n\r\n",
    "a space in the target": b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    "a raw byte in the target": b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
    "a fragment in the target": b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
    "another scheme": b"GET ftp://a/b HTTP/1.1\r\nHost: a\r\n\r\n",
    "a tunnel": b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
    "an unknown method": b"FOO / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a lower-case method": b"get / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "a smuggled length behind an upgrade": b"POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n"
    b"Transfer-Encoding: gzip, chunked\r\n\r\n" + SMUGGLED,
    "a length with a comma before": post(b"Content-Length: ,3", body=b"abc"),
    "a length in words": post(b"Content-Length: three", body=b"abc"),
    "a length with a point": post(b"Content-Length: 3.0", body=b"abc"),
    "a length with an exponent": post(b"Content-Length: 1e1", body=SMUGGLED),
    "a length with an underscore": post(b"Content-Length: 3_6", body=SMUGGLED),
    "a length in two words": post(b"Content-Length: 3 6", body=SMUGGLED),
    "a length in other digits": post("Content-Length: \u0663".encode(), body=b"abc"),
    "a length with a NUL": post(b"Content-Length: 3\0", body=b"abc"),
    "a length, folded": post(b"Content-Length:", b" 3", body=b"abc"),
    "an empty coding": post(b"Transfer-Encoding:", body=SMUGGLED),
    "a list of nothing and chunked": post(b"Transfer-Encoding: , chunked", body=b"0\r\n\r\n"),
    "chunked, then identity": post(b"Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n"),
    "identity, then chunked": post(b"Transfer-Encoding: identity, chunked", body=b"0\r\n\r\n"),
    "chunked, then identity in a line of its own": post(CODED, b"Transfer-Encoding: identity", body=b"0\r\n\r\n"),
    "identity, then chunked in a line of its own": post(b"Transfer-Encoding: identity", CODED, body=b"0\r\n\r\n"),
    "chunked in quotes": post(b'Transfer-Encoding: "chunked"', body=b"0\r\n\r\n"),
    "chunked with a parameter": post(b"Transfer-Encoding: chunked;q=1", body=b"0\r\n\r\n"),
    "chunked with a vertical tab behind": post(b"Transfer-Encoding: chunked\x0b", body=b"0\r\n\r\n"),
    "chunked, folded": post(b"Transfer-Encoding:", b" chunked", body=b"0\r\n\r\n"),
    "a space before the coding's colon": post(b"Transfer-Encoding : chunked", body=b"0\r\n\r\n"),
    "a tab before the coding's colon": post(b"Transfer-Encoding\t: chunked", body=b"0\r\n\r\n"),
    "a control in the coding's name": post(b"Transfer\x0b-Encoding: chunked", body=b"0\r\n\r\n"),
    "length twice beside chunked": post(CODED, b"Content-Length: 3", b"Content-Length: 3", body=b"0\r\n\r\n"),
    "a header folded with a tab": post(b"X-A: one", b"\tContent-Length: 5", body=b"hello"),
    "bare LF everywhere": b"GET / HTTP/1.1\nHost: a\n\n",
    "bare LF before the headers": b"GET / HTTP/1.1\n\r\nHost: a\r\n\r\n",
    "bare CR after the request line": b"GET / HTTP/1.1\rHost: a\r\n\r\n",
    "bare CR for the empty line": b"GET / HTTP/1.1\r\nHost: a\r\n\r" + SMUGGLED,
    "two CR before LF": post(b"X-A: one\r"),
    "NUL in a header name": post(b"X\0A: one"),
    "NUL in the target": b"GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n",
    "a chunk size with a plus": post(CODED, body=b"+1\r\na\r\n0\r\n\r\n"),
    "a chunk size with a minus": post(CODED, body=b"-1\r\na\r\n0\r\n\r\n"),
    "a space before a chunk size": post(CODED, body=b" 1\r\na\r\n0\r\n\r\n"),
    "a tab behind a chunk size": post(CODED, body=b"1\t\r\na\r\n0\r\n\r\n"),
    "a chunk size with an underscore": post(CODED, body=b"1_0\r\na\r\n0\r\n\r\n"),
    "no chunk size": post(CODED, body=b"\r\na\r\n0\r\n\r\n"),
    "an extension without a chunk size": post(CODED, body=b";a=b\r\na\r\n0\r\n\r\n"),
    "a chunk size that wraps around": post(CODED, body=b"10000000000000001\r\na\r\n0\r\n\r\n"),
    "bare CR after a chunk size": post(CODED, body=b"1\ra\r\n0\r\n\r\n"),
    "bare CR in a chunk extension": post(CODED, body=b"1;a=\rb\r\na\r\n0\r\n\r\n"),
    "chunk data without an end": post(CODED, body=b"1\r\na0\r\n\r\n"),
    "a last chunk without an empty line": post(CODED, body=b"0\r\n" + SMUGGLED),
    "a folded trailer": post(CODED, body=b"0\r\nX-A: b\r\n c\r\n\r\n"),
    "a coding in a trailer": post(CODED, body=b"0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "a space before the method": b" GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a tab before the target": b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "a space behind the version": b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
    "a lower-case version": b"GET / http/1.1\r\nHost: a\r\n\r\n",
    "no target": b"GET HTTP/1.1\r\nHost: a\r\n\r\n",
    "a host with a space": b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    "a host with a path": b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "a host with a user": b"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n",
    "two hosts that agree": b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "an absolute target without a host": b"GET http:///b HTTP/1.1\r\nHost: a\r\n\r\n",
    "an absolute target with a user": b"GET http://u@a/b HTTP/1.1\r\nHost: a\r\n\r\n",
}
"""What has more than one meaning, or none. Each is answered by 400, and what follows it is never read (RFC 9112 11.2)."""

CONFORM = {
    "a coding in another case (RFC 9112 7)": post(b"Transfer-Encoding: ChUnKeD", body=b"3\r\nabc\r\n0\r\n\r\n"),
    "a tab before the coding (RFC 9110 5.6.3)": post(b"Transfer-Encoding:\tchunked", body=b"3\r\nabc\r\n0\r\n\r\n"),
    "no space before the coding (RFC 9110 5.5)": post(b"Transfer-Encoding:chunked", body=b"3\r\nabc\r\n0\r\n\r\n"),
    "zeros before a chunk size (RFC 9112 7.1)": post(CODED, body=b"0003\r\nabc\r\n000\r\n\r\n"),
    "a chunk extension (RFC 9112 7.1.1)": post(CODED, body=b"3;a=b;c\r\nabc\r\n0;d\r\n\r\n"),
    "a trailer (RFC 9112 7.1.2)": post(CODED, body=b"3\r\nabc\r\n0\r\nX-A: b\r\n\r\n"),
    "zeros before a length (RFC 9110 8.6)": post(b"Content-Length: 0003", body=b"abc"),
    "spaces around a length (RFC 9110 5.5)": post(b"Content-Length: \t3 \t", body=b"abc"),
    "a header of another name": post(b"Content_Length: 9", b"X-Content-Length: 9", b"Content-Length: 3", body=b"abc"),
    "two spaces before the target (RFC 9112 3)": post(b"Content-Length: 3", body=b"abc").replace(b" ", b"  ", 1),
    "blank lines before (RFC 9112 2.2)": b"\r\n\r\n" + post(b"Content-Length: 3", body=b"abc"),
}
"""Odd, and yet of one meaning only: a request whose body is `abc`, and what follows it is the next request."""


LARGE = {
    "one header": (431, post(b"X-A: " + b"a" * 1000)),
    "many headers": (431, post(*[b"X-A: b"] * 200)),
    "a header that does not end": (431, b"GET / HTTP/1.1\r\nX: " + b"a" * 4000),
    "a name that does not end": (431, b"GET / HTTP/1.1\r\n" + b"a" * 4000),
    "a target": (431, b"GET /" + b"a" * 1000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a target that does not end": (431, b"GET /" + b"a" * 4000),
    "trailers": (431, post(CODED, body=b"0\r\n" + b"X-A: b\r\n" * 200 + b"\r\n")),
    "a trailer that does not end": (431, post(CODED, body=b"0\r\nX-A: " + b"a" * 4000)),
    "a chunk extension that does not end": (431, post(CODED, body=b"1;a=" + b"a" * 4000)),
    "a declared body": (413, post(b"Content-Length: 1001")),
    "a chunked body": (413, post(CODED, body=b"1ff\r\n" + b"a" * 0x1FF + b"\r\n1ff\r\n" + b"a" * 0x1FF)),
}
