"""Stores that strangers name, and where they would lead: real servers, an injected resolver."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from gateless.adapters.storage import HttpStore, LocalStore, StoreLimits, guarded_client
from gateless.adapters.storage.addresses import is_permitted, parse_address
from gateless.adapters.storage.guarded import resolve
from gateless.core.errors import StorageError
from gateless.core.ids import sha256_hex
from gateless.daemon.content import ContentSources

Respond = Callable[[asyncio.StreamWriter], Awaitable[None]]
ServeRaw = Callable[[Respond], AbstractAsyncContextManager[str]]

CONTENT = b"what was asked for"
DIGEST = sha256_hex(CONTENT)


@pytest.mark.parametrize(
    "text",
    [
        *("10.0.0.1", "172.16.5.4", "192.168.1.1"),  # private, RFC 1918
        *("169.254.169.254", "fe80::1", "fe80::1%eth0"),  # link-local: credentials of clouds
        *("0.0.0.0", "::", "255.255.255.255", "240.0.0.1"),
        *("224.0.0.1", "239.255.255.250", "ff02::1", "ff0e::1"),  # multicast
        *("100.64.0.1", "100.127.255.254"),  # shared between customers, RFC 6598
        *("192.0.2.1", "198.51.100.1", "203.0.113.7", "2001:db8::1", "198.18.0.1"),
        *("fc00::1", "fd00:ec2::254", "fec0::1"),  # unique local, site-local
        *("::ffff:10.0.0.1", "::ffff:169.254.169.254", "::10.0.0.1"),  # IPv4 in IPv6
        *("64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1"),  # NAT64 of 169.254.169.254 and 10.0.0.1
        *("2002:a9fe:a9fe::1", "2002:808:808::1", "2001:0:808:808::1"),  # 6to4, Teredo
        "168.63.129.16",
    ],
)
def test_no_address_but_public_ones(text: str) -> None:
    for loopback in (False, True):
        assert not is_permitted(parse_address(text), loopback=loopback)


@pytest.mark.parametrize(
    "text", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_public_addresses_are_asked(text: str) -> None:
    assert is_permitted(parse_address(text), loopback=False)


@pytest.mark.parametrize("text", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_asked_in_development_only(text: str) -> None:
    assert not is_permitted(parse_address(text), loopback=False)
    assert is_permitted(parse_address(text), loopback=True)


class Visited:
    """A server that notes who came."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.port = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append(await reader.readuntil(b"\r\n\r\n"))
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(CONTENT)}\r\n\r\n"
        writer.write(head.encode() + CONTENT)
        await writer.drain()
        writer.close()

    @asynccontextmanager
    async def run(self) -> AsyncIterator[Visited]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        yield self
        server.close()
        await server.wait_closed()


@pytest.fixture
async def inside() -> AsyncIterator[Visited]:
    """A service of this machine that strangers have no business with."""
    async with Visited().run() as made:
        yield made


class Names:
    """A resolver of which a stranger has control: each name's answers, one after the other."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self._answers = answers
        self.asked = 0

    async def __call__(self, host: str, _port: int) -> list[str]:
        self.asked += 1
        answers = self._answers[host.partition(".")[0]]
        return answers.pop(0) if len(answers) > 1 else answers[0]


async def refusal(client: httpx.AsyncClient, url: str) -> str:
    async with client:
        with pytest.raises(StorageError) as caught:
            await HttpStore([url], client).get(DIGEST)
        assert caught.value.hint
        assert not await HttpStore([url], client).has(DIGEST)
    return caught.value.code


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "127.1", "[::ffff:127.0.0.1]"]
)
async def test_this_machine_is_not_reached_however_it_is_spelt(inside: Visited, host: str) -> None:
    code = await refusal(guarded_client(), f"http://{host}:{inside.port}")
    assert code == "store-address-refused"
    assert inside.requests == []
    # without the guard the same URL leads there
    async with httpx.AsyncClient(trust_env=False) as open_client:
        assert await HttpStore([f"http://127.0.0.1:{inside.port}"], open_client).get(DIGEST)


async def test_a_name_is_judged_by_what_it_resolves_to(inside: Visited) -> None:
    for address in ("127.0.0.1", "169.254.169.254", "10.1.2.3", "::1"):
        client = guarded_client(resolver=Names(evil=[[address]]))
        code = await refusal(client, f"http://evil.example:{inside.port}")
        assert code == "store-address-refused"
    assert inside.requests == []


async def test_what_was_judged_is_what_is_connected_to(inside: Visited) -> None:
    # The first answer is fine, every later one is not: whoever asked twice would be led inside.
    names = Names(rebinding=[["192.0.2.55"], ["127.0.0.1"]])
    judged: list[str] = []

    async def resolver(host: str, port: int) -> list[str]:
        found = await names(host, port)
        judged.extend(found)
        # a public address that is this machine, as far as a test can have one
        return ["127.0.0.1"] if found == ["192.0.2.55"] else ["10.0.0.1"]

    url = f"http://rebinding.example:{inside.port}"
    async with guarded_client(loopback=True, resolver=resolver) as client:
        assert await HttpStore([url], client).get(DIGEST) == CONTENT
        assert names.asked == 1, "one answer is judged and used"
        assert f"Host: rebinding.example:{inside.port}".encode() in inside.requests[0]
        # The connection is not kept: the next request is judged again.
        with pytest.raises(StorageError) as caught:
            await HttpStore([url], client).get(DIGEST)
    assert caught.value.code == "store-address-refused"
    assert judged == ["192.0.2.55", "127.0.0.1"]
    assert len(inside.requests) == 1


async def test_of_several_addresses_only_permitted_ones_are_tried(inside: Visited) -> None:
    mixed = Names(mixed=[["10.0.0.1", "169.254.169.254", "127.0.0.1"]])
    url = f"http://mixed.example:{inside.port}"
    async with guarded_client(loopback=True, resolver=mixed) as client:
        assert await HttpStore([url], client).get(DIGEST) == CONTENT
    assert await refusal(guarded_client(resolver=mixed), url) == "store-address-refused"


async def test_redirects_lead_nowhere(serve_raw: ServeRaw, inside: Visited, tmp_path: Path) -> None:
    for target in (f"http://127.0.0.1:{inside.port}/", "http://169.254.169.254/latest/meta-data/"):

        async def elsewhere(writer: asyncio.StreamWriter, target: str = target) -> None:
            writer.write(
                f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode()
            )
            await writer.drain()

        async with serve_raw(elsewhere) as url, guarded_client(loopback=True) as client:
            with pytest.raises(StorageError) as caught:
                await HttpStore([url], client).fetch_to(DIGEST, tmp_path / "file")
        assert caught.value.code == "store-unreachable"
    assert inside.requests == []
    assert not any(os.listdir(tmp_path))


async def test_a_client_that_follows_redirects_judges_each_step(
    serve_raw: ServeRaw, inside: Visited
) -> None:
    async def elsewhere(writer: asyncio.StreamWriter) -> None:
        target = f"http://private.example:{inside.port}/"
        writer.write(
            f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode()
        )
        await writer.drain()

    names = Names(public=[["127.0.0.1"]], private=[["10.0.0.1"]])
    async with serve_raw(elsewhere) as url:
        port = httpx.URL(url).port
        async with guarded_client(loopback=True, resolver=names) as client:
            with pytest.raises(httpx.TransportError, match="no address of the public internet"):
                await client.get(f"http://public.example:{port}/", follow_redirects=True)
    assert inside.requests == []


async def test_what_the_operator_names_may_be_anywhere(inside: Visited, tmp_path: Path) -> None:
    own = f"http://127.0.0.1:{inside.port}"
    async with guarded_client(trusted=[own]) as client:
        sources = ContentSources(LocalStore(tmp_path / "store"), client, stores=(own,))
        assert await sources.store().get(DIGEST) == CONTENT
        # a stranger's URL of another port of the same machine gains nothing by that
        other = f"http://127.0.0.1:{inside.port + 1 if inside.port < 65535 else 1}"
        with pytest.raises(StorageError) as caught:
            await HttpStore([other], client).get(DIGEST)
    assert caught.value.code == "store-address-refused"


async def test_other_schemes_are_refused_by_the_client_too() -> None:
    async with guarded_client() as client:
        for url in ("ftp://example.org/", "gopher://example.org/", "file:///etc/passwd"):
            with pytest.raises((httpx.TransportError, httpx.UnsupportedProtocol)):
                await client.get(url)


async def test_names_that_resolve_to_nothing_or_never_are_unreachable() -> None:
    async def unknown(_host: str, _port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    code = await refusal(guarded_client(resolver=unknown), "http://nowhere.example")
    assert code == "store-unreachable"


async def test_names_that_take_long_hold_up_nothing_else() -> None:
    """Far more of them than there are threads for everything else."""
    let_go = threading.Event()

    def tarpit(*_: object) -> list[object]:
        let_go.wait()
        return []

    asked = [asyncio.create_task(resolve("slow.example", 80, tarpit)) for _ in range(64)]
    try:
        assert await asyncio.wait_for(asyncio.to_thread(lambda: "read"), 60) == "read"
    finally:
        let_go.set()
    assert await asyncio.gather(*asked) == [[]] * 64


async def test_a_certificate_must_be_the_hosts() -> None:
    """The connection goes to an address, but the server is asked for and checked as the host."""
    asked: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = lambda _socket, name, _context: asked.append(name)

    async def nobody(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(nobody, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    names = Names(safe=[["127.0.0.1"]])
    client = guarded_client(loopback=True, resolver=names)
    assert await refusal(client, f"https://safe.example:{port}") == "store-unreachable"
    server.close()
    await server.wait_closed()
    assert asked
    assert set(asked) == {"safe.example"}


def test_time_is_given_by_size() -> None:
    limits = StoreLimits()
    assert limits.seconds_for(0) == 60
    assert limits.seconds_for(64 << 20) == limits.total_seconds
    assert 60 < limits.seconds_for(1 << 20) < 100
