// What the page says in words and numbers. Text goes in as text, whatever a headset calls itself.

import { Flag } from "./frame.js";

export const EVERY_MS = 200; // numbers that change faster cannot be read
const element = (id) => document.getElementById(id);

export function tell(id, text) {
  const place = element(id);
  if (place.textContent !== text) place.textContent = text;
}

export function degrees(deg, digits = 1) {
  if (!Number.isFinite(deg)) return "–";
  const text = Math.abs(deg).toFixed(digits);
  return `${deg < 0 && Number(text) !== 0 ? "−" : ""}${text}°`;
}

const WAYS = [["right", "left"], ["up", "down"], ["away", "closer"]];

/** A shift in words, millimetres, as far as each way is beyond twice its standard error. */
function directions(mm, sd_mm) {
  const told = mm.map((value, axis) =>
    Math.abs(value) > 2 * sd_mm[axis] ? `${Math.abs(value).toFixed(1)} ${WAYS[axis][value < 0 ? 1 : 0]}` : "");
  return told.filter(Boolean).join(", ");
}

export class Numbers {
  constructor() {
    this.missed = 0;
    this.received = 0;
    this.latencies_ms = [];
    this.pictures = [];
    this.counts = { fixation: 0, saccade: 0, blink: 0 };
  }

  /** A frame has come: which of the view's readings it has, and which are missing before it. */
  take(frame) {
    if (this.expected !== undefined && frame.number > this.expected) this.missed += frame.number - this.expected;
    this.expected = frame.number + frame.n;
    this.received += frame.n;
  }

  /** The view begins anew. */
  restart() {
    this.expected = undefined;
  }

  /** A picture has been drawn; its newest reading was taken at this host time. */
  drawn(host_now_s, host_time_s) {
    const now_ms = performance.now();
    this.pictures.push(now_ms);
    while (this.pictures[0] < now_ms - 1000) this.pictures.shift();
    if (host_now_s !== undefined && Number.isFinite(host_time_s)) {
      this.latencies_ms.push((host_now_s - host_time_s) * 1000);
      if (this.latencies_ms.length > 60) this.latencies_ms.shift();
    }
  }

  tellReadings(history) {
    const at = history.place(0);
    const flags = history.flags[at];
    element("gaze").dataset.tUs = history.t_us[at];
    tell("right", degrees(history.h_deg[at]));
    tell("up", degrees(history.v_deg[at]));
    tell("expected-error", `± ${degrees(history.expected_error_deg[at])}`);
    tell("openness", `${Math.round(100 * Math.max(0, history.openness[at]))} %`);
    tell("eye", flags & Flag.VALID ? (flags & Flag.STILL ? "open, at rest" : "open") : "closed");
    tell("light", flags & Flag.SATURATED ? "too much light" : "");
    const isCalibrated = Boolean(flags & Flag.CALIBRATED);
    tell("calibrated", isCalibrated ? "calibrated" : "not calibrated");
    element("calibrated").dataset.state = isCalibrated ? "good" : "warn";
  }

  tellPage() {
    tell("pictures", String(this.pictures.length));
    tell("received", this.received.toLocaleString("en"));
    tell("missed", this.missed.toLocaleString("en"));
    element("missed").dataset.state = this.missed ? "bad" : "good";
    const sorted = [...this.latencies_ms].sort((a, b) => a - b);
    const median = sorted[sorted.length >> 1];
    tell("latency", median === undefined ? "–" : `${median.toFixed(0)} ms`);
  }

  tellState(state) {
    tell("rate", state.rate_hz === null ? "–" : `${Math.round(state.rate_hz).toLocaleString("en")} Hz`);
    const permille = state.sent ? (1000 * state.lost) / state.sent : 0;
    tell("lost", state.lost ? `${state.lost.toLocaleString("en")} (${permille.toFixed(1)} ‰)` : "none");
    element("lost").dataset.state = state.lost ? "bad" : "good";
    tell("viewers", String(state.viewers));
    tell("away", state.away ? `${state.away} × (${state.away_s} s)` : "never");
    element("recording").hidden = state.recorded === null;
    if (state.recorded !== null) tell("recording", `recording · ${state.recorded.toLocaleString("en")}`);
    this.tellShift(state.shift);
  }

  /** How far the headset has moved, as far as it is known; that it has is said once. */
  tellShift(shift) {
    tell("shift-since", shift === null ? "moved" : `moved since the ${shift.since === "view" ? "view began" : "calibration"}`);
    const isKnown = shift !== null && shift.size_mm !== undefined;
    const hasMoved = isKnown && shift.has_moved;
    const where = isKnown ? directions(shift.mm, shift.sd_mm) : "";
    const size = isKnown ? `${shift.size_mm.toFixed(1)} ± ${shift.within_mm.toFixed(1)} mm` : "–";
    tell("shift", hasMoved && where ? `${size} (${where})` : size);
    element("shift").dataset.state = hasMoved ? "warn" : "";
    if (hasMoved && !this.hasMoved) tell("announcement", `The headset has moved ${size}: ${where}.`);
    this.hasMoved = hasMoved;
  }

  count(kind) {
    if (!(kind in this.counts)) return;
    this.counts[kind] += 1;
    tell(`${kind}s`, this.counts[kind].toLocaleString("en"));
  }
}
