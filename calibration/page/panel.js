// The words in the middle of the page, and the keys that mean something now, as buttons.

const STATES = {
  ready: {
    title: "Put the headset on as you like it.",
    note: "Press space, then look at each target until it moves on.",
    keys: [["space", "Start"], ["f", "Full screen"], ["escape", "Stop"]],
  },
  running: { title: "", note: "", keys: [] },
  paused: {
    title: "Paused",
    note: "Nothing is lost. Press space to go on.",
    keys: [["space", "Go on"], ["r", "Redo the last point"], ["a", "Begin again"], ["f", "Full screen"], ["escape", "Stop"]],
  },
  away: { title: "The headset has gone", note: "Plug it in again; or stop.", keys: [["escape", "Stop"]] },
  result: { title: "", note: "", keys: [["k", "Keep"], ["w", ""], ["a", "Redo all"], ["d", "Discard"]] },
  ended: { title: "", note: "You may close this page.", keys: [] },
};
const NAMES = { space: "Space", escape: "Esc" };
const main = document.querySelector("main");

/** Says it on the page, and to screen readers. */
export function say(title, note = "", warning = "") {
  document.getElementById("title").textContent = title;
  document.getElementById("note").textContent = note;
  document.getElementById("warning").textContent = warning;
  tell([title, warning, note].filter(Boolean).join(" "));
}

/** To screen readers only. */
export function tell(text) {
  document.getElementById("told").textContent = text;
}

/** What is under way, in a corner. */
export function progress(text) {
  document.getElementById("progress").textContent = text;
}

/** note: why it is paused, or why the result cannot be kept. worst: number of the worst target of a result.
 * press(key): a button was. */
export function showState({ state, note }, worst, press) {
  const { title, note: advice, keys } = STATES[state];
  main.className = state === "running" ? "quiet" : state === "result" ? "" : "middle";
  if (state !== "result") document.getElementById("result").hidden = true;
  if (title) say(title, advice, note);
  const allowed = state === "result" && note ? keys.filter(([key]) => key !== "k") : keys;
  document.getElementById("keys").replaceChildren(...allowed.map(([key, text]) => button(key, text || `${worst} is the worst: redo this one?`, press)));
}

function button(key, text, press) {
  const element = document.createElement("button");
  const name = document.createElement("kbd");
  name.textContent = NAMES[key] ?? key.toUpperCase();
  element.append(name, ` ${text}`);
  element.addEventListener("click", () => press(key));
  return element;
}
