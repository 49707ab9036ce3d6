// What a calibration came to: picture, table, and which point is the worst.

const SVG = "http://www.w3.org/2000/svg";
const SHAPES = new Set(["circle", "line", "rect", "text"]);
const COLUMNS = [
  ["target", (t) => `${signed(t.h_deg)}, ${signed(t.v_deg)}`],
  ["before", (t) => t.before_mean_deg.toFixed(2)],
  ["mean", (t) => t.mean_deg.toFixed(2)],
  ["max", (t) => t.max_deg.toFixed(2)],
  ["SD", (t) => t.sd_deg.toFixed(2)],
  ["RMS-S2S", (t) => t.precision_rms_s2s_deg.toFixed(2)],
  ["STD", (t) => t.precision_std_deg.toFixed(2)],
  ["BCEA", (t) => (t.bcea_deg2 === null ? "–" : t.bcea_deg2.toFixed(2))],
  ["left out", (t) => `${Math.round(100 * t.data_loss)} %`],
];

/** One line: Good — 0.8° (was 6.2°). */
export function headline(result) {
  const grade = result.grade[0].toUpperCase() + result.grade.slice(1);
  return `${grade} — ${result.accuracy_deg.toFixed(1)}° (was ${result.before_deg.toFixed(1)}°)`;
}

export function showResult(result) {
  draw(document.getElementById("picture"), result);
  document.getElementById("headings").replaceChildren(
    ...COLUMNS.map(([name]) => cell("th", name)),
  );
  document.getElementById("targets").replaceChildren(
    ...result.targets.map((target, index) => row(target, index, index === result.worst)),
  );
}

function row(target, index, isWorst) {
  const line = document.createElement("tr");
  line.append(...COLUMNS.map(([, text]) => cell("td", text(target))));
  line.firstChild.prepend(`${isWorst ? "worst " : ""}${index + 1}: `);
  if (isWorst) line.className = "worst";
  return line;
}

function draw(place, result) {
  const picture = document.createElementNS(SVG, "svg");
  const [field] = result.drawing;
  picture.setAttribute("viewBox", `0 0 ${field.values.width + 1} ${field.values.height + 1}`);
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", "targets as rings, where the eye landed as dots; dashed: before");
  for (const { name, look, values, text } of result.drawing) {
    if (!SHAPES.has(name)) continue;
    const shape = document.createElementNS(SVG, name);
    shape.setAttribute("class", look);
    for (const [key, value] of Object.entries(values)) shape.setAttribute(key, String(value));
    shape.textContent = text;
    picture.append(shape);
  }
  place.replaceChildren(picture);
}

function cell(kind, text) {
  const element = document.createElement(kind);
  element.textContent = text;
  return element;
}

function signed(deg) {
  return `${deg < 0 ? "−" : "+"}${Math.abs(deg).toFixed(0)}`;
}
