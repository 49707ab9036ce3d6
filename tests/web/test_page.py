"""A local page as browsers and others see it: who gets in, what they get, what a page may send."""

from __future__ import annotations

import http.client
import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from psog.errors import MissingExtraError, WebError
from psog.tables import Table
from psog.web.channel import LARGEST_MESSAGE, MOST_WAITING, Channel, Joined, Left, Received
from psog.web.outbox import MOST_FRAMES, MOST_MESSAGES
from psog.web.server import LocalPage

PACKAGE = "psog.web.page"
FILE = "channel.js"


class Choose(Table):
    """What the page of these tests may send."""

    target: int


@pytest.fixture(scope="module")
def page() -> Iterator[LocalPage]:
    channel = Channel({"choose": Choose}, greet=lambda client: client.send("hello", number=client.number))
    with LocalPage(PACKAGE, channel) as page:
        yield page


@pytest.fixture
def channel(page) -> Channel:
    """Of the page, when everybody of the tests before has left."""
    while page.channel.clients:
        time.sleep(0.01)
    while page.channel.receive(0) is not None:
        pass
    return page.channel


def get(page: LocalPage, path: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    """Status, text and headers of a request for a path below the server's root."""
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=10)
    connection.putrequest("GET", path, skip_host=True)
    for name, value in {"Host": f"127.0.0.1:{page.port}", **headers}.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text, {name.lower(): value for name, value in answer.getheaders()}


def path_of(page: LocalPage, name: str = FILE) -> str:
    return page.address.split(str(page.port), 1)[1] + name


@contextmanager
def client(page: LocalPage, *, origin: str | None = "", **options) -> Iterator[ClientConnection]:
    """A websocket that has been greeted; its Origin is the page's own unless given."""
    own = page.address.split("/", 3)
    address = f"ws://{own[2]}/{own[3]}channel"
    origin = f"http://{own[2]}" if origin == "" else origin
    with connect(address, origin=origin, **options) as connection:
        assert json.loads(connection.recv(timeout=10))["type"] == "hello"
        yield connection


def test_a_page_is_served_to_who_has_the_token(page):
    status, text, headers = get(page, path_of(page))
    assert (status, headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert "export class Channel" in text


def test_what_is_served_is_neither_kept_nor_framed_nor_mixed_with_others(page):
    _, _, headers = get(page, path_of(page))
    policy = headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} <= set(policy)
    assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "no-referrer")


@pytest.mark.parametrize("path", ["/", f"/{FILE}", f"/wrong/{FILE}", "/channel", f"//{FILE}", f"/%00/{FILE}"])
def test_without_the_token_there_is_nothing(page, path):
    status, text, headers = get(page, path)
    assert (status, text) == (403, "the address lacks the token; open the whole address that psog printed\n")
    assert "default-src 'none'" in headers["content-security-policy"]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1:1", "192.0.2.1:{port}", ""]
)
def test_another_name_than_the_computers_own_is_refused(page, host):
    status, text, _ = get(page, path_of(page), Host=host.format(port=page.port))
    assert status == 403
    assert "another name than its own" in text


def test_localhost_is_the_computers_own_name(page):
    assert get(page, path_of(page), Host=f"localhost:{page.port}")[0] == 200


def test_a_request_of_another_page_is_refused_though_it_has_the_token(page):
    status, text, _ = get(page, path_of(page), Origin="http://evil.example")
    assert (status, text) == (403, "another page asks; only this server's own may\n")


@pytest.mark.parametrize("name", ["../server.py", "__init__.py", "shared/../../server.py", "", "%2e%2e/x.js"])
def test_only_the_files_of_the_page_are_served(page, name):
    assert get(page, path_of(page, name))[0] == 404


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1"])
def test_a_websocket_of_another_page_is_refused(page, origin):
    with pytest.raises(InvalidStatus, match="403"), client(page, origin=origin):
        pass


def test_a_websocket_needs_the_token(page):
    with pytest.raises(InvalidStatus, match="403"), connect(f"ws://127.0.0.1:{page.port}/wrong/channel"):
        pass


def test_a_program_of_ones_own_that_has_the_token_gets_in(page):
    with client(page, origin=None) as connection:
        connection.send('{"type": "none of these"}')
        assert json.loads(connection.recv(timeout=10))["type"] == "refused"


def test_messages_go_both_ways_and_who_comes_and_goes_is_told(page, channel):
    with client(page) as connection:
        joined = channel.receive(10)
        connection.send('{"type": "choose", "target": 4}')
        received = channel.receive(10)
        channel.send("chosen", target=4)
        assert json.loads(connection.recv(timeout=10)) == {"type": "chosen", "target": 4}
    left = channel.receive(10)
    assert isinstance(joined, Joined)
    assert received == Received(joined.client, Choose(target=4))
    assert left == Left(joined.client)
    assert channel.receive(0) is None


def test_a_page_is_told_the_computers_time(page, channel):
    with client(page) as connection:
        before_s = time.monotonic()
        connection.send('{"type": "time", "page_ms": 12.5}')
        answer = json.loads(connection.recv(timeout=10))
    assert (answer["type"], answer["page_ms"]) == ("time", 12.5)
    assert before_s <= answer["host_s"] <= time.monotonic()


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ('{"type": "erase"}', "unknown type of message; expected one of: choose"),
        ('{"type": ["choose"]}', "unknown type of message"),
        ("[]", "unknown type of message"),
        ("{", "this is not JSON"),
        ('{"type": "choose", "target": NaN}', "this is not JSON: NaN is no number"),
        ("[" * 10_000, "this is not JSON"),
        (b"\0", "these are bytes"),
        ('{"type": "choose"}', "choose: target: Field required"),
        ('{"type": "choose", "target": "4"}', "choose: target: Input should be a valid integer"),
        ('{"type": "choose", "target": 4, "and": 5}', "choose: and: Extra inputs are not permitted"),
    ],
)
def test_what_a_page_may_not_send_is_refused_in_one_line(page, channel, sent, why):
    with client(page) as connection:
        connection.send(sent)
        refusal = json.loads(connection.recv(timeout=10))
        connection.send('{"type": "choose", "target": 1}')
        events = [channel.receive(10) for _ in range(2)]
    assert refusal["type"] == "refused"
    assert why in refusal["why"]
    assert "\n" not in refusal["why"]
    assert [type(event) for event in events] == [Joined, Received]


def test_a_message_that_is_too_large_ends_the_connection(page):
    with client(page) as connection:
        connection.send("x" * (LARGEST_MESSAGE + 1))
        with pytest.raises(ConnectionClosed) as closed:
            connection.recv(timeout=10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


def test_a_flood_of_messages_that_nobody_takes_is_refused(page, channel):
    with client(page) as connection:
        assert isinstance(channel.receive(10), Joined)
        for _ in range(300):
            connection.send('{"type": "choose", "target": 1}')
        refusal = json.loads(connection.recv(timeout=10))
        for _ in range(300 - MOST_WAITING - 1):
            connection.recv(timeout=10)
    assert refusal == {"type": "refused", "why": "too many messages wait; send fewer"}


def test_a_slow_client_loses_the_oldest_frames_is_told_and_holds_up_nobody(page, channel):
    frame, frames = b"x" * 60_000, 150
    with client(page) as quick, client(page, max_queue=1) as slow:
        for number in range(frames):
            channel.send_frame(bytes([number]) + frame)
            assert quick.recv(timeout=10)[0] == number
        first, behind = channel.clients
        assert first.lost_frames == 0
        channel.send("end")
        told, seen = 0, []
        while True:
            item = slow.recv(timeout=10)
            if isinstance(item, bytes):
                seen.append(item[0])
            elif json.loads(item)["type"] == "lost_frames":
                told = json.loads(item)["count"]
            else:
                break
    assert told == behind.lost_frames == frames - len(seen) > MOST_FRAMES
    assert seen == sorted(seen)
    assert seen[-MOST_FRAMES:] == list(range(frames - MOST_FRAMES, frames))


def test_a_client_that_never_reads_its_messages_is_sent_away(page, channel):
    with client(page, max_queue=1) as slow:
        for _ in range(MOST_MESSAGES + 2000):
            channel.send("state", text="x" * 1000)
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                slow.recv(timeout=10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


def test_a_port_that_is_taken_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(WebError, match=f"port {port}: Address already in use; give another port"),
            LocalPage(PACKAGE, Channel(), port=port),
        ):
            pass


def test_an_address_that_is_not_this_computers_is_told():
    with (
        pytest.raises(WebError, match=r"at 192\.0\.2\.1, port 0"),
        LocalPage(PACKAGE, Channel(), bind="192.0.2.1"),
    ):
        pass
    with pytest.raises(WebError, match="expected an address such as"):
        LocalPage(PACKAGE, Channel(), bind="my computer")


def test_bound_to_the_network_it_knows_its_names_and_no_others():
    with LocalPage(PACKAGE, Channel(), bind="0.0.0.0") as page:
        assert not page.is_only_here
        statuses = [
            get(page, path_of(page), Host=f"{host}:{page.port}")[0]
            for host in ("192.0.2.7", socket.gethostname(), "evil.example")
        ]
    assert statuses == [200, 200, 403]


def test_nothing_is_left_of_it_at_its_end_whoever_does_not_listen():
    channel = Channel(greet=lambda client: client.send("hello"))
    before = threading.active_count()
    with LocalPage(PACKAGE, channel) as page, socket.create_connection(("127.0.0.1", page.port)) as silent:
        key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
        asked = f"GET {path_of(page, 'channel')} HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\n"
        silent.sendall(f"{asked}Upgrade: websocket\r\nConnection: Upgrade\r\n{key}\r\n".encode())
        assert isinstance(channel.receive(10), Joined)
        for _ in range(30):
            channel.send_frame(b"x" * 1_000_000)
        page.__exit__(None, None, None)
        assert threading.active_count() == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", page.port), 1)


def test_without_its_packages_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "starlette", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'psog\[live\]'"):
        LocalPage(PACKAGE, Channel())
