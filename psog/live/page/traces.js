// Right and up against time, with the spans of saccades and blinks behind them.

import { colours, copyLayer, fitToDisplay, stillLayer } from "./shared/canvas.js";
import { Flag } from "./frame.js";

export const SPAN_S = 5;
const LEFT = 52; // pixels for the scale
const BOTTOM = 24;
const TOP = 8;
const MARGIN = 1.2;
const MOST_EVENTS = 200;
const LINE_PX = 2;

export class Traces {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.colours = colours();
    this.range_deg = 20;
    this.events = [];
    fitToDisplay(canvas, (width, height) => this.resized(width, height));
  }

  setField(field_deg) {
    this.range_deg = Math.max(...field_deg);
    if (this.width) this.resized(this.width, this.height);
  }

  addEvent(event) {
    this.events.push(event);
    if (this.events.length > MOST_EVENTS) this.events.shift();
  }

  clear() {
    this.events = [];
    this.clearLines();
  }

  clearLines() {
    this.newest = -1;
    this.drawn_t_us = -Infinity;
    this.up = new Line(this.colours.up);
    this.right = new Line(this.colours.right);
    this.lines?.clearRect(0, 0, this.lines.canvas.width, this.lines.canvas.height);
  }

  resized(width, height) {
    [this.width, this.height] = [width, height];
    this.middle = TOP + (height - TOP - BOTTOM) / 2;
    this.scale = (height - TOP - BOTTOM) / (2 * MARGIN * this.range_deg);
    this.seconds = (width - LEFT) / SPAN_S;
    this.ground = stillLayer(this.canvas, (context) => this.drawGround(context));
    this.sharpness = this.canvas.height / height;
    this.lines = this.emptyLayer(width - LEFT, height - BOTTOM);
    this.columnsPerSecond = this.lines.canvas.width / SPAN_S;
    this.clearLines();
    this.draw(this.history);
  }

  emptyLayer(width, height) {
    const layer = document.createElement("canvas");
    layer.width = Math.max(1, Math.round(width * this.sharpness));
    layer.height = Math.max(1, Math.round(height * this.sharpness));
    return layer.getContext("2d");
  }

  y(deg) {
    return this.middle - deg * this.scale;
  }

  draw(history) {
    const { context } = this;
    this.history = history;
    if (!this.ground) return;
    copyLayer(context, this.ground);
    if (!history?.count) return;
    this.drawLines(history);
    this.drawEvents(history.newest_t_us);
    this.copyLines();
  }

  drawGround(context) {
    context.fillStyle = this.colours.panel;
    context.fillRect(0, 0, this.width, this.height);
    context.font = "14px " + getComputedStyle(this.canvas).fontFamily;
    context.textBaseline = "middle";
    context.strokeStyle = this.colours.line;
    context.fillStyle = this.colours.quiet;
    context.textAlign = "right";
    for (const deg of [-this.range_deg, -this.range_deg / 2, 0, this.range_deg / 2, this.range_deg]) {
      const y = Math.round(this.y(deg)) + 0.5;
      context.beginPath();
      context.moveTo(LEFT, y);
      context.lineTo(this.width, y);
      context.stroke();
      context.fillText(`${deg < 0 ? "−" : deg > 0 ? "+" : ""}${Math.abs(deg)}°`, LEFT - 8, y);
    }
    context.textAlign = "center";
    for (let ago_s = 1; ago_s < SPAN_S; ago_s += 1) {
      context.fillText(`−${ago_s} s`, this.width - ago_s * this.seconds, this.height - BOTTOM / 2);
    }
    context.textAlign = "right";
    context.fillText("now", this.width - 4, this.height - BOTTOM / 2);
  }

  drawEvents(now_t_us) {
    const { context } = this;
    const x = (t_us) => this.width - ((now_t_us - t_us) / 1e6) * this.seconds;
    const height = this.height - BOTTOM;
    for (const { kind, start_us, end_us } of this.events) {
      if (x(end_us) < LEFT || (kind !== "saccade" && kind !== "blink")) continue;
      context.globalAlpha = kind === "blink" ? 0.3 : 0.4;
      context.fillStyle = kind === "blink" ? this.colours.quiet : this.colours.saccade;
      const left = Math.max(LEFT, x(start_us));
      context.fillRect(left, 0, Math.max(2, x(end_us) - left), height);
    }
    context.globalAlpha = 1;
  }

  /** Draws what has come since the last picture into the columns of the lines' layer, round and round: the
   *  lowest and highest of each, so that nothing short gets lost, and what is drawn stays. */
  drawLines(history) {
    const now_t_us = history.newest_t_us;
    const from_t_us = Math.max(now_t_us - SPAN_S * 1e6, this.drawn_t_us + 1);
    for (let back = history.since(from_t_us) - 1; back >= 0; back -= 1) {
      const at = history.place(back);
      const column = this.column(history.t_us[at]);
      if (column !== this.newest) this.begin(column);
      const isOpen = history.flags[at] & Flag.VALID;
      this.up.add(isOpen ? history.v_deg[at] : NaN);
      this.right.add(isOpen ? history.h_deg[at] : NaN);
    }
    this.fill();
    this.drawn_t_us = now_t_us;
  }

  column(t_us) {
    return Math.floor((t_us / 1e6) * this.columnsPerSecond);
  }

  /** Ends a column and empties those up to the next. */
  begin(column) {
    this.fill();
    const { width, height } = this.lines.canvas;
    const first = Math.max(this.newest + 1, column - width + 1);
    for (let empty = first; empty <= column; empty += 1) this.lines.clearRect(empty % width, 0, 1, height);
    this.newest = column;
    this.up.next();
    this.right.next();
  }

  /** Draws the newest column as far as it is known; more of it only makes its lines longer. */
  fill() {
    if (this.newest < 0) return;
    const x = (this.newest % this.lines.canvas.width) - LINE_PX / 2;
    for (const { low_deg, high_deg, colour } of [this.up, this.right]) {
      if (Number.isNaN(low_deg)) continue;
      const top = (this.y(high_deg) - LINE_PX / 2) * this.sharpness;
      const bottom = (this.y(low_deg) + LINE_PX / 2) * this.sharpness;
      this.lines.fillStyle = colour;
      this.lines.fillRect(x, top, LINE_PX, bottom - top);
    }
  }

  /** Copies the layer so that its newest column is at the right edge. */
  copyLines() {
    const { context, lines } = this;
    const { width, height } = lines.canvas;
    const older = width - 1 - (this.newest % width); // columns right of the newest one are the oldest
    const left = this.canvas.width - width;
    context.save();
    context.resetTransform();
    if (older > 0) context.drawImage(lines.canvas, width - older, 0, older, height, left, 0, older, height);
    context.drawImage(lines.canvas, 0, 0, width - older, height, left + older, 0, width - older, height);
    context.restore();
  }
}

/** What one line covers of the newest column; it begins where the column before ended. */
class Line {
  constructor(colour) {
    this.colour = colour;
    this.last_deg = NaN;
    this.next();
  }

  next() {
    this.low_deg = this.high_deg = this.last_deg;
  }

  /** NaN, of a closed eye, leaves a gap. */
  add(deg) {
    this.last_deg = deg;
    if (Number.isNaN(deg)) return;
    this.low_deg = Number.isNaN(this.low_deg) ? deg : Math.min(this.low_deg, deg);
    this.high_deg = Number.isNaN(this.high_deg) ? deg : Math.max(this.high_deg, deg);
  }
}
