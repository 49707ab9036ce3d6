"""A headset's own renderer in a dozen lines: draws the targets that psog-calibrate asks for, by websocket.

    psog-calibrate --targets external          prints: renderer: ws://127.0.0.1:PORT/TOKEN/channel
    python examples/renderer.py ws://127.0.0.1:PORT/TOKEN/channel --auto

What an engine would draw is printed here. docs/calibration.md has every message. It needs websockets (pip).
"""

import argparse
import json

from websockets.sync.client import ClientConnection, connect


def draw(message: dict) -> None:
    """Put the target at this place: degrees from straight ahead, right and up positive."""
    print(f"target {message['number']} at {message['h_deg']:+.1f}°, {message['v_deg']:+.1f}°", flush=True)


def render(calibration: ClientConnection, keys: dict[str, str]) -> None:
    """Follow the calibration until its end. keys: which one to press in which state."""
    for text in calibration:
        message = json.loads(text)
        match message["type"]:
            case "show":
                draw(message)
                calibration.send(json.dumps({"type": "shown", "number": message["number"]}))
            case "decided" | "abandoned":
                return
            case "ring":
                print(f"ring {message['share']:.0%} full", flush=True)
            case "hide":
                print("no target", flush=True)
            case "stands":
                print(f"{message['state']} {message['note']}", flush=True)
                if message["state"] in keys:  # as a wearer would press it
                    calibration.send(json.dumps({"type": "key", "key": keys[message["state"]]}))


def main() -> None:
    parser = argparse.ArgumentParser(description="Draws the targets of psog-calibrate --targets external.")
    parser.add_argument("address", help="as psog-calibrate prints it: ws://…")
    parser.add_argument("--auto", action="store_true", help="start, go on and keep by itself")
    given = parser.parse_args()
    keys = {"ready": "space", "paused": "space", "result": "enter"} if given.auto else {}
    with connect(given.address) as calibration:
        render(calibration, keys)


if __name__ == "__main__":
    main()
