"""TLS through the guard: connected to a vetted address, checked against the name."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import create_server
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from omnichannel_core import errors
from omnichannel_core.remote.addresses import Allowed
from omnichannel_core.remote.guard import AddressGuard
from omnichannel_core.remote.transport import Transport, shared_tls

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of shop.example, signed by itself; key and certificate in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("shop.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, hashes.SHA256())
    )  # fmt: skip
    path = tmp_path_factory.mktemp("tls") / "shop.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def shop(certificate: Path) -> Iterator[int]:
    """A TLS server on loopback; its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(peer, server_side=True) as secure:
                    secure.settimeout(5)
                    secure.recv(65536)
                    secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
            except OSError:
                peer.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(2)
    listener.close()
    thread.join(5)


async def test_the_name_is_still_checked(house: Any, shop: int, certificate: Path) -> None:
    """The right name at a vetted address is served; another name there, or an unknown issuer, is not."""
    trusting = ssl.create_default_context(cafile=str(certificate))
    guard = AddressGuard([Allowed.parse("127.0.0.0/8")], resolve=lambda *_: ["127.0.0.1"])
    client = house.client(transport=Transport(guard, tls=trusting))
    assert (await client.send("get", "GET", f"https://shop.example:{shop}/", token=None)).status == 200
    with pytest.raises(errors.RemoteUnavailable, match="cannot connect"):
        await client.send("get", "GET", f"https://other.example:{shop}/", token=None)
    strict = house.client(transport=Transport(guard))
    with pytest.raises(errors.RemoteUnavailable, match="cannot connect"):
        await strict.send("post", "POST", f"https://shop.example:{shop}/", token=None)
    assert not strict.left


async def test_environment_proxies_are_ignored(house: Any, remote: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment is not asked."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert (await house.client().send("get", "GET", f"{remote.url}/")).status == 200


def test_one_tls_context() -> None:
    """All transports of the process share one context that checks names."""
    assert shared_tls() is shared_tls()
    assert shared_tls().check_hostname
    assert shared_tls().verify_mode is ssl.CERT_REQUIRED
