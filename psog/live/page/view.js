// The live view: takes what psog/live/view.py sends, draws it sixty times a second.

import { Channel } from "./shared/channel.js";
import { HostClock } from "./shared/clock.js";
import { Eye } from "./eye.js";
import { unpack } from "./frame.js";
import { History } from "./history.js";
import { EVERY_MS, Numbers, degrees, tell } from "./numbers.js";
import { Scene } from "./scene.js";
import { SPAN_S, Traces } from "./traces.js";

const element = (id) => document.getElementById(id);
const scene = new Scene(element("scene"));
const eye = new Eye(element("eye-and-sensors"));
const traces = new Traces(element("traces"));
const numbers = new Numbers();
let history;
let isPaused = false;
let isNew = false;
let last_host_time_s = NaN;

const channel = new Channel({
  hello: begin,
  state: (state) => numbers.tellState(state),
  frame: take,
  events: ({ events }) => events.forEach(takeEvent),
  time: (answer) => clock.answered(answer),
  gone: ({ why }) => say("gone", `The headset has gone. Waiting for it… ${why}`),
  back: ({ away_s, device }) => {
    tellDevice(device);
    say("live", `The headset is back after ${away_s} s.`);
  },
  lost_frames: ({ count }) => tell("frames-lost", `${count} pictures skipped: this page is slow`),
  close: () => say("ended", "psog has ended, or cannot be reached. When it is started again, it prints a new address."),
});
const clock = new HostClock(channel);

function begin({ headset, device, state }) {
  const capacity = Math.ceil(1.2 * SPAN_S * headset.rate_hz);
  history = new History(capacity, headset.detectors_mm.length);
  numbers.restart();
  scene.setField(headset.field_deg);
  scene.clear();
  traces.setField(headset.field_deg);
  traces.clear();
  eye.setSensors(headset.detectors_mm, headset.emitters_mm);
  tell("headset", headset.name);
  element("headset").title = headset.description;
  tellDevice(device);
  numbers.tellState(state);
  say("live", isPaused ? "Paused." : "Live.");
}

function tellDevice({ port, board, firmware, model }) {
  tell("device", `${board} · firmware ${firmware} · model ${model} · ${port}`);
}

function take(buffer) {
  if (!history) return;
  const frame = unpack(buffer);
  numbers.take(frame);
  if (isPaused) return;
  if (history.count && frame.first_t_us < history.newest_t_us) {
    scene.clear();
    traces.clear();
  }
  history.add(frame);
  last_host_time_s = frame.last_host_time_s;
  isNew = true;
}

function takeEvent(event) {
  numbers.count(event.kind);
  if (isPaused) return;
  traces.addEvent(event);
  if (event.kind === "fixation") scene.addFixation(event.h_deg, event.v_deg, (event.end_us - event.start_us) / 1e6);
}

/** Tells the state in the chip and the banner; a screen reader says it. */
function say(state, text) {
  document.body.dataset.state = state;
  tell("status", { live: isPaused ? "paused" : "live", gone: "headset gone", ended: "not connected" }[state]);
  tell("announcement", text);
  const isTrouble = state !== "live";
  element("banner").hidden = !isTrouble;
  if (isTrouble) tell("banner", text);
}

function pause() {
  isPaused = !isPaused;
  element("pause").setAttribute("aria-pressed", String(isPaused));
  if (document.body.dataset.state === "live") say("live", isPaused ? "Paused." : "Live.");
}

function sayNumbers() {
  if (!history?.count) return;
  const at = history.place(0);
  const [h_deg, v_deg] = [history.h_deg[at], history.v_deg[at]];
  const where = `${degrees(Math.abs(h_deg))} ${h_deg < 0 ? "left" : "right"}, ${degrees(Math.abs(v_deg))} ${v_deg < 0 ? "down" : "up"}`;
  const of = (id) => element(id).textContent;
  tell("announcement", `Gaze ${where}, ${of("expected-error")}. ${of("rate")}, lost: ${of("lost")}. ${of("calibrated")}.`);
}

function openHelp() {
  element("help").showModal();
}

function fullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen();
}

const KEYS = { " ": pause, p: pause, "?": openHelp, h: openHelp, s: sayNumbers, f: fullScreen };

document.addEventListener("keydown", (event) => {
  const isForButton = event.target instanceof HTMLButtonElement && event.key === " ";
  if (event.ctrlKey || event.metaKey || event.altKey || isForButton || element("help").open) return;
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
element("pause").addEventListener("click", pause);
element("open-help").addEventListener("click", openHelp);
element("close-help").addEventListener("click", () => element("help").close());

function draw() {
  requestAnimationFrame(draw);
  numbers.drawn(clock.now_s, isNew ? last_host_time_s : NaN);
  if (!isNew) return; // what was drawn still holds: paused, or no headset
  isNew = false;
  scene.draw(history);
  eye.draw(history);
  traces.draw(history);
}

function tellNumbers() {
  if (history?.count) numbers.tellReadings(history);
  numbers.tellPage();
}

requestAnimationFrame(draw);
setInterval(tellNumbers, EVERY_MS);
