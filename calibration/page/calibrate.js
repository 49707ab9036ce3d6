// The page of psog-calibrate: messages from the program (docs/calibration.md) in, keys and buttons out.
import { Channel } from "./shared/channel.js";
import { progress, say, showState, tell } from "./panel.js";
import { headline, showResult } from "./result.js";
import { fillScreen, windowSize } from "./screen.js";
import { fill, hide, place, show } from "./target.js";

const KEYS = { " ": "space", Enter: "enter", Escape: "escape" };
let setup = { display: 0, draws: true };
let state = "";
let note = "";
let worst = 0; // of the validation targets

const channel = new Channel({
  open: () => channel.send("window", windowSize()),
  close: () => {
    hide();
    say("The program does not answer", "It may have been stopped: look at its terminal.");
  },
  setup: (message) => {
    setup = message;
    document.getElementById("device").textContent = message.device;
  },
  stands: (message) => {
    ({ state, note } = message);
    document.body.dataset.state = state;
    showState(message, worst + 1, press);
    if (state === "ready" && setup.simulated) say("A simulated wearer has the headset on.", "Press space, and watch it look at the targets.", note);
    if (state === "running" && !setup.draws) sayElsewhere();
    if (state === "result") document.getElementById("warning").textContent = note;
    if (state !== "running") progress("");
  },
  fits: ({ why }) => {
    if (state === "ready") document.getElementById("warning").textContent = why;
  },
  show: (message) => show(message, (number) => channel.send("shown", { number })),
  hide,
  ring: ({ share }) => fill(share),
  target_shown: ({ target, number, total }) => {
    const what = target.purpose === "calibration" ? "Target" : "Check";
    progress(`${what} ${number} of ${total} · P pauses`);
    tell(`${what} ${number} of ${total}`);
  },
  point_taken: (point) => {
    const noise = point.rms_s2s_deg === null ? "" : `, noise ${point.rms_s2s_deg.toFixed(2)}°`;
    const leftOut = point.left_out > 0 ? `, ${point.left_out} left out` : "";
    const again = point.left_out > point.used ? " · many left out: redo this one? R" : " · R redoes it";
    progress(`${point.used} readings${leftOut}${noise}${again}`);
  },
  fitted: () => progress("The headset has solved; now it is checked on other places."),
  point_judged: (point) => progress(`off by ${point.mean_deg.toFixed(1)}° (was ${point.before_mean_deg.toFixed(1)}°)`),
  judged: (result) => {
    worst = result.worst;
    showResult(result);
    document.getElementById("result").hidden = false;
    say(headline(result), worstLine(result), state === "result" ? note : "");
  },
  decided: ({ accepted, refusal }) => {
    channel.stop();
    if (accepted) say("Kept: the headset knows you now.", "You may close this page.");
    else say("Discarded: the headset goes on with what it had.", "You may close this page.", refusal);
  },
  abandoned: ({ reason }) => {
    channel.stop();
    say("Stopped: the headset goes on with what it had.", "You may close this page.", reason);
  },
  command_refused: ({ why }) => refuse(why),
  refused: ({ why }) => refuse(why),
});

function worstLine({ worst_deg, precision_rms_s2s_deg, precision_std_deg, bcea_deg2 }) {
  const bcea = bcea_deg2 === null ? "" : `, BCEA ${bcea_deg2.toFixed(2)} square degrees`;
  return `worst target ${worst_deg.toFixed(1)}°; precision ${precision_rms_s2s_deg.toFixed(2)}° RMS-S2S, ${precision_std_deg.toFixed(2)}° STD${bcea}`;
}

function sayElsewhere() {
  document.querySelector("main").className = "middle";
  say("The targets are in the headset.", "P pauses, R redoes the last point, Esc stops.");
}

function refuse(why) {
  document.getElementById("warning").textContent = why;
  if (state === "running") progress(why);
  tell(why);
}

function press(key) {
  if (key === "f") fillScreen(setup.display).catch((error) => refuse(`no full screen: ${error.message}`));
  else if (key === "w" && state === "result") channel.send("redo", { point: setup.points + worst });
  else channel.send("key", { key });
}

addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  const key = KEYS[event.key] ?? event.key.toLowerCase();
  const onButton = event.target instanceof HTMLButtonElement && (key === "space" || key === "enter");
  if (onButton || key === "tab" || key === "shift") return;
  if (key === "space") event.preventDefault();
  press(key);
});
addEventListener("resize", () => {
  place();
  channel.send("window", windowSize());
});
