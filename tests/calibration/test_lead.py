"""What pages and renderers can do with a calibration, and what their going does, over real connections."""

import contextlib
import json
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from websockets.sync.client import ClientConnection, connect

from psog.calibration.guide import Guide
from psog.calibration.lead import Lead, Role
from psog.calibration.osc import OscRenderer
from psog.calibration.session import Settings
from psog.calibration.targets import plan_targets
from psog.calibration.viewing import FlatScreen, Picture
from psog.device.client import open_headset
from psog.errors import CalibrationError
from psog.firmware_export.image_file import load_image
from psog.headset import load_headset
from psog.virtual.headset import VirtualHeadset
from psog.web.server import LocalPage
from tests.calibration.steady import SteadyEye

ROOT = Path(__file__).resolve().parents[2]
HEADSET = load_headset("ring16")
WHOLE = plan_targets(5, HEADSET.field_deg, seed=0)
PLAN = replace(WHOLE, validation=WHOLE.validation[:2])
PICTURE = Picture(HEADSET.field_deg)
SCREEN = FlatScreen(distance_cm=60, screen_cm=(60, 60))
TARGETS = len(PLAN.calibration) + len(PLAN.validation)


@pytest.fixture(scope="module")
def virtual(tmp_path_factory):
    flash = tmp_path_factory.mktemp("lead") / "flash"
    eye = SteadyEye(HEADSET)
    with VirtualHeadset("host", eye, image=load_image(Path(HEADSET.name)), flash=flash, speed=8.0) as virtual:
        yield virtual


@pytest.fixture
def client(virtual):
    with open_headset(virtual.port) as client:
        client.calibration_erase()
        client.hello()
        yield client


class Page:
    """A page without a browser: draws at once what it is told to, and remembers what it was told."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self.draws = True
        self.told: list[dict] = []
        self.drawn: list[int] = []

    def send(self, kind: str, **values) -> None:
        self._connection.send(json.dumps({"type": kind, **values}))

    def until(self, kind: str, **values) -> dict:
        """The next message of this type with these values; targets meanwhile are drawn, if it `draws`."""
        while True:
            message = json.loads(self._connection.recv(timeout=20))
            self.told.append(message)
            if message["type"] == "show" and self.draws:
                self.drawn.append(message["number"])
                self.send("shown", number=message["number"])
            if message["type"] == kind and values.items() <= message.items():
                return message


@contextlib.contextmanager
def calibrating(client, *, viewing=PICTURE, patience_s=60.0):
    """The address of a page, and a list that has the report in the end."""
    lead = Lead(Role("page", draws=True), {"points": 5}, PLAN, viewing, patience_s)
    guide = Guide(client, PLAN, Settings(readings=60), lead.follow, display=lead.renderer)
    reports: list = []
    with LocalPage("psog.calibration.page", lead.channel) as served, lead.leading(guide):
        thread = threading.Thread(target=lambda: reports.append(guide.run()))
        thread.start()
        yield served.address.replace("http", "ws", 1) + "channel", reports
        thread.join(30)
        assert not thread.is_alive()


@contextlib.contextmanager
def page_at(address: str):
    with connect(address) as connection:
        yield Page(connection)


def test_a_page_draws_every_target_and_keeps_the_result(client):
    with calibrating(client) as (address, reports), page_at(address) as page:
        page.until("stands", state="ready")
        page.send("key", key="space")
        judged = page.until("judged")
        page.until("stands", state="result")
        page.send("key", key="k")
        page.until("decided", accepted=True)
    assert reports[0].accepted
    assert page.drawn == list(range(1, TARGETS + 1))
    assert len(judged["targets"]) == len(PLAN.validation)
    assert {shape["name"] for shape in judged["drawing"]} == {"rect", "circle", "line", "text"}
    assert [m["share"] for m in page.told if m["type"] == "ring"].count(1.0) >= len(PLAN.calibration)


def test_a_page_that_is_closed_half_way_is_a_pause_and_the_next_one_goes_on(client):
    with calibrating(client) as (address, reports):
        with page_at(address) as page:
            page.until("stands", state="ready")
            page.send("key", key="space")
            page.until("show", number=2)
            page.draws = False
            page.until("show", number=3)
        with page_at(address) as page:
            page.until("stands", state="paused", note="the page was closed")
            page.send("key", key="space")
            page.until("stands", state="result")
            page.send("key", key="k")
            page.until("decided")
    assert reports[0].accepted
    assert reports[0].fitted.targets == len(PLAN.calibration)


def test_a_calibration_that_nobody_comes_back_to_is_stopped_without_harm(client):
    with calibrating(client, patience_s=0.3) as (address, reports), page_at(address) as page:
        page.until("stands", state="ready")
        page.send("key", key="space")
        page.until("show", number=2)
    assert reports == [None]
    assert not client.hello().calibrated


def test_a_page_that_draws_nothing_is_a_pause_that_says_so(client, monkeypatch):
    monkeypatch.setattr("psog.calibration.renderer.DRAWN_IN_S", 0.3)
    with calibrating(client) as (address, reports), page_at(address) as page:
        page.until("stands", state="ready")
        page.send("key", key="space")
        page.draws = False
        page.until("stands", state="paused", note="nobody has drawn it for 0.3 s")
        page.send("shown", number=99)
        page.send("key", key="escape")
        page.until("abandoned")
    assert reports == [None]


def test_a_window_that_does_not_show_all_targets_cannot_start_and_pauses(client):
    screen = {"screen_width": 1000, "screen_height": 1000}
    with calibrating(client, viewing=SCREEN) as (address, _), page_at(address) as page:
        page.until("stands", state="ready")
        page.send("window", width=600, height=300, **screen)
        assert page.until("fits")["outside"] > 0
        page.send("key", key="space")
        assert "lie outside this window: press F" in page.until("command_refused")["why"]
        page.send("window", width=1000, height=1000, **screen)
        page.until("fits", outside=0)
        page.send("key", key="space")
        page.until("show", number=2)
        page.send("window", width=600, height=300, **screen)
        assert "lie outside this window" in page.until("stands", state="paused")["note"]
        page.send("key", key="x")
        page.until("abandoned")


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ({"type": "erase"}, "expected one of: shown, key, redo, window"),
        ({"type": "shown", "number": "1"}, "should be a valid integer"),
        (
            {"type": "window", "width": 1, "height": 1, "screen_width": 0, "screen_height": 1},
            "greater than 0",
        ),
    ],
)
def test_what_a_page_may_not_say_is_refused_and_changes_nothing(client, message, why):
    with calibrating(client) as (address, _), page_at(address) as page:
        page.until("stands", state="ready")
        page.send(**{"kind": message["type"], **{k: v for k, v in message.items() if k != "type"}})
        assert why in page.until("refused")["why"]
        page.send("key", key="no such key")
        page.send("key", key="escape")
        page.until("abandoned")


def test_the_sample_renderer_draws_a_whole_calibration(client):
    with calibrating(client) as (address, reports):
        sample = subprocess.run(
            [sys.executable, "examples/renderer.py", address, "--auto"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert sample.returncode == 0, sample.stderr
    assert reports[0].accepted
    drawn = [line for line in sample.stdout.splitlines() if line.startswith("target ")]
    assert len(drawn) == TARGETS
    assert drawn[0] == f"target 1 at {PLAN.calibration[0]}"
    assert "ring 100% full" in sample.stdout


def test_a_renderer_that_speaks_osc_draws_a_whole_calibration(client):
    from pythonosc.dispatcher import Dispatcher
    from pythonosc.osc_server import ThreadingOSCUDPServer
    from pythonosc.udp_client import SimpleUDPClient

    def show(_, number, h_deg, v_deg, port):
        drawn.append((number, round(h_deg, 3), round(v_deg, 3)))
        with SimpleUDPClient("127.0.0.1", port) as answer:
            answer.send_message("/psog/calibration/shown", number)

    drawn: list = []
    dispatcher = Dispatcher()
    dispatcher.map("/psog/calibration/show", show)
    server = ThreadingOSCUDPServer(("127.0.0.1", 0), dispatcher)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with OscRenderer(f"127.0.0.1:{server.server_address[1]}", PICTURE) as osc:
            guide = Guide(client, PLAN, Settings(readings=60), osc.renderer.follow, display=osc.renderer)
            with SimpleUDPClient("127.0.0.1", osc.port) as keys, osc.leading(guide):
                keys.send_message("/psog/calibration/key", ["more", "than one"])
                keys.send_message("/psog/calibration/key", "space")
                running = threading.Thread(target=guide.run)
                running.start()
                while len(drawn) < TARGETS:
                    running.join(0.05)
                keys.send_message("/psog/calibration/key", "escape")
                running.join(20)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    places = [(round(t.h_deg, 3), round(t.v_deg, 3)) for t in (*PLAN.calibration, *PLAN.validation)]
    assert drawn == [(number, *place) for number, place in enumerate(places, start=1)]


@pytest.mark.parametrize("address", ["9000", "127.0.0.1:", "127.0.0.1:0", ":9000", "host:port", "no.such:1"])
def test_an_address_that_is_none_is_told(address):
    with pytest.raises(CalibrationError, match=r"expected an address as in|there is no computer"):
        OscRenderer(address, PICTURE)
