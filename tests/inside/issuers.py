"""A small provider of identities on loopback: discovery, keys, codes for tokens, as strict as a real one."""

import base64
import contextlib
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

CLIENT_ID, CLIENT_SECRET = "portico-here", "the secret of this Portico"


ADA = {"sub": "ada-1", "email": "ada@example.com", "email_verified": True, "name": "Ada"}


def plain64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number64(number: int) -> str:
    return plain64(number.to_bytes((number.bit_length() + 7) // 8, "big"))


class Provider:
    """Whoever comes is `claims`; what it says may be bent by a test."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.kid = "one"
        self.claims: dict[str, Any] = dict(ADA)
        self.bent: dict[str, Any] = {}
        """Claims that a token has in place of the right ones."""
        self.signed_by: rsa.RSAPrivateKey | None = None
        self.algorithm = "RS256"
        self.auth_methods = ["client_secret_basic"]
        self.asked: list[str] = []
        self.url = ""
        self.port = 0
        self.handed: list[tuple[str, str]] = []
        """What it was asked as a proxy is: addresses, and what was shown of credentials."""
        self._codes: dict[str, dict[str, str]] = {}

    def rotate(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.kid = "two"

    def came(self, location: str) -> str:
        """What a browser does that is led here, and whose person says yes: where it is led back to."""
        split = urlsplit(location)
        assert f"{split.scheme}://{split.netloc}{split.path}" == f"{self.url}/authorize"
        asked = {name: values[0] for name, values in parse_qs(split.query).items()}
        assert asked["client_id"] == CLIENT_ID
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert set(asked["scope"].split()) == {"openid", "email", "profile"}
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        return f"{urlsplit(asked['redirect_uri']).path}?code={code}&state={asked['state']}"

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """Of a code, once; None: refused."""
        asked = self._codes.pop(form.get("code", ""), None)
        basic = "Basic " + base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        posted = form.get("client_secret") == CLIENT_SECRET
        if asked is None or (not posted if "client_secret_basic" not in self.auth_methods else authorization != basic):
            return None
        challenge = plain64(hashlib.sha256(form["code_verifier"].encode()).digest())
        if challenge != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
            return None
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.claims,
        }
        return {"access_token": "any", "token_type": "Bearer", "id_token": self._signed({**claims, **self.bent})}

    def _signed(self, claims: dict[str, Any]) -> str:
        head = {"alg": self.algorithm, "kid": self.kid}
        text = ".".join([plain64(json.dumps(one).encode()) for one in (head, claims)])
        if self.algorithm == "none":
            return f"{text}."
        key = self.signed_by or self.key
        return f"{text}.{plain64(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"

    def answer(self, path: str) -> Any:
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "token_endpoint_auth_methods_supported": self.auth_methods,
            }
        numbers = self.key.public_key().public_numbers()
        key = {"kty": "RSA", "kid": self.kid, "use": "sig", "alg": "RS256"}
        return {"keys": [{**key, "n": number64(numbers.n), "e": number64(numbers.e)}]} if path == "/keys" else None


@contextlib.contextmanager
def provider() -> Iterator[Provider]:
    found = Provider()

    class Handler(BaseHTTPRequestHandler):
        def parse_request(self) -> bool:
            """A proxy is asked in absolute form (RFC 9112 3.2.2); this one leads to itself."""
            good = super().parse_request()
            if good and not self.path.startswith("/"):
                found.handed.append((self.path, self.headers.get("proxy-authorization", "")))
                self.path = "/" + self.path.split("/", 3)[3]
            return good

        def do_GET(self) -> None:
            found.asked.append(self.path)
            if not self.path.startswith("/authorize"):
                self._send(found.answer(self.path))
                return
            back = parse_qs(urlsplit(self.path).query)["redirect_uri"][0].removesuffix("/auth/oidc/callback")
            self.send_response(302)
            self.send_header("location", back + found.came(found.url + self.path))
            self.send_header("content-length", "0")
            self.end_headers()

        def do_POST(self) -> None:
            found.asked.append(self.path)
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._send(found.token(form, self.headers.get("authorization", "")), 400)

        def _send(self, told: Any, otherwise: int = 404) -> None:
            body = json.dumps({"error": "invalid_grant"} if told is None else told).encode()
            self.send_response(otherwise if told is None else 200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Nothing is said."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.port = server.server_port
    found.url = f"http://127.0.0.1:{found.port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
