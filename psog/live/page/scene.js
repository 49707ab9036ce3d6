// The scene: the field in degrees, where the gaze is on it, where it came from, and how far off it may be.

import { colours, copyLayer, fitToDisplay, lessMotion, stillLayer } from "./shared/canvas.js";
import { Flag } from "./frame.js";

const TRAIL_US = 700_000;
const TRAIL_PIECES = 14;
const TRAIL_POINTS = 12; // of a piece: more of them say no more, and long lines are slow to draw
const MARGIN = 1.22; // more than the field is shown: gaze leaves it
const STEP_DEG = 5;
const LABEL_DEG = 10;
const FIXATIONS = 6;

/** Multiples of STEP_DEG up to this far from the middle. */
function steps(most_deg) {
  const count = Math.floor(most_deg / STEP_DEG);
  return Array.from({ length: 2 * count + 1 }, (_, index) => (index - count) * STEP_DEG);
}

const isLabelled = (deg) => deg % LABEL_DEG === 0;

export class Scene {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.colours = colours();
    this.field_deg = [20, 20];
    this.fixations = [];
    fitToDisplay(canvas, (width, height) => this.resized(width, height));
  }

  setField(field_deg) {
    this.field_deg = field_deg;
    if (this.width) this.resized(this.width, this.height);
  }

  addFixation(h_deg, v_deg, seconds) {
    this.fixations.push({ h_deg, v_deg, seconds });
    if (this.fixations.length > FIXATIONS) this.fixations.shift();
  }

  clear() {
    this.fixations = [];
  }

  resized(width, height) {
    [this.width, this.height] = [width, height];
    const [half_h_deg, half_v_deg] = this.field_deg;
    this.scale = Math.min(width / (2 * MARGIN * half_h_deg), height / (2 * MARGIN * half_v_deg));
    this.ground = stillLayer(this.canvas, (context) => this.drawGround(context));
    this.draw(this.history);
  }

  x(h_deg) {
    return this.width / 2 + h_deg * this.scale;
  }

  y(v_deg) {
    return this.height / 2 - v_deg * this.scale;
  }

  draw(history) {
    const { context } = this;
    this.history = history;
    if (!this.ground) return;
    copyLayer(context, this.ground);
    if (!history?.count) return;
    this.drawFixations();
    if (!lessMotion.matches) this.drawTrail(history);
    this.drawGaze(history);
  }

  drawGround(context) {
    const [half_h_deg, half_v_deg] = this.field_deg;
    const [left, right, top, bottom] = [
      this.x(-half_h_deg), this.x(half_h_deg), this.y(half_v_deg), this.y(-half_v_deg),
    ];
    const light = context.createRadialGradient(this.x(0), this.y(0), 0, this.x(0), this.y(0), right - left);
    light.addColorStop(0, this.colours.lit);
    light.addColorStop(1, this.colours.panel);
    context.fillStyle = light;
    context.fillRect(0, 0, this.width, this.height);
    context.font = "14px " + getComputedStyle(this.canvas).fontFamily;
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (const deg of steps(this.width / (2 * this.scale))) {
      this.line(context, this.x(deg), 0, this.x(deg), this.height, deg === 0);
    }
    for (const deg of steps(this.height / (2 * this.scale))) {
      this.line(context, 0, this.y(deg), this.width, this.y(deg), deg === 0);
    }
    context.fillStyle = this.colours.shade;
    context.beginPath();
    context.rect(0, 0, this.width, this.height);
    context.rect(right, top, left - right, bottom - top);
    context.fill("evenodd");
    for (const deg of steps(half_h_deg).filter(isLabelled)) this.label(context, deg, this.x(deg), bottom + 16);
    for (const deg of steps(half_v_deg).filter(isLabelled)) this.label(context, deg, left - 24, this.y(deg));
    context.strokeStyle = this.colours.edge;
    context.lineWidth = 1.5;
    context.strokeRect(left, top, right - left, bottom - top);
  }

  line(context, x0, y0, x1, y1, isAxis) {
    context.strokeStyle = isAxis ? this.colours.edge : this.colours.line;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x0, y0);
    context.lineTo(x1, y1);
    context.stroke();
  }

  label(context, deg, x, y) {
    context.fillStyle = this.colours.quiet;
    context.fillText(`${deg > 0 ? "+" : deg < 0 ? "−" : ""}${Math.abs(deg)}°`, x, y);
  }

  /** The last fixations, larger the longer they took, and the way from one to the next. */
  drawFixations() {
    const { context } = this;
    context.strokeStyle = this.colours.fixation;
    context.lineWidth = 1.5;
    this.fixations.forEach(({ h_deg, v_deg, seconds }, index) => {
      context.globalAlpha = 0.2 + (0.5 * (index + 1)) / this.fixations.length;
      context.beginPath();
      context.arc(this.x(h_deg), this.y(v_deg), 6 + 22 * Math.sqrt(Math.min(seconds, 2)), 0, 2 * Math.PI);
      context.stroke();
      const before = this.fixations[index - 1];
      if (!before) return;
      context.globalAlpha /= 2;
      context.beginPath();
      context.moveTo(this.x(before.h_deg), this.y(before.v_deg));
      context.lineTo(this.x(h_deg), this.y(v_deg));
      context.stroke();
    });
    context.globalAlpha = 1;
  }

  drawTrail(history) {
    const { context } = this;
    const count = history.since(history.newest_t_us - TRAIL_US);
    const piece = Math.ceil(count / TRAIL_PIECES);
    const step = Math.ceil(piece / TRAIL_POINTS);
    context.strokeStyle = this.colours.gaze;
    context.lineCap = context.lineJoin = "round";
    for (let from = count - 1; from > 0; from -= piece) {
      const share = 1 - from / count;
      context.globalAlpha = 0.05 + 0.75 * share * share;
      context.lineWidth = 1 + 3 * share;
      context.beginPath();
      const end = Math.max(0, from - piece);
      for (let back = from, isFirst = true; ; back = Math.max(end, back - step)) {
        const at = history.place(back);
        if (!(history.flags[at] & Flag.VALID)) isFirst = true;
        else if (isFirst) {
          context.moveTo(this.x(history.h_deg[at]), this.y(history.v_deg[at]));
          isFirst = false;
        } else context.lineTo(this.x(history.h_deg[at]), this.y(history.v_deg[at]));
        if (back === end) break;
      }
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  drawGaze(history) {
    const { context } = this;
    const at = history.place(0);
    const [x, y] = [this.x(history.h_deg[at]), this.y(history.v_deg[at])];
    const isOpen = history.flags[at] & Flag.VALID;
    const colour = isOpen ? this.colours.gaze : this.colours.quiet;
    const radius = history.expected_error_deg[at] * this.scale;
    if (Number.isFinite(radius)) {
      context.globalAlpha = 0.14;
      context.fillStyle = colour;
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fill();
      context.globalAlpha = 0.7;
      context.strokeStyle = colour;
      context.lineWidth = 1.5;
      context.stroke();
      context.globalAlpha = 1;
    }
    context.fillStyle = colour;
    context.beginPath();
    context.arc(x, y, isOpen ? 7 : 4, 0, 2 * Math.PI);
    context.fill();
    context.strokeStyle = this.colours.ground;
    context.lineWidth = 2;
    context.stroke();
  }
}
