// Right and up against time, with the spans of saccades and blinks behind them.

import { colours, copyLayer, fitToDisplay, stillLayer } from "./shared/canvas.js";
import { Flag } from "./frame.js";

export const SPAN_S = 5;
const LEFT = 52; // pixels for the scale
const BOTTOM = 24;
const TOP = 8;
const MARGIN = 1.2;
const MOST_EVENTS = 200;

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
  }

  resized(width, height) {
    [this.width, this.height] = [width, height];
    this.middle = TOP + (height - TOP - BOTTOM) / 2;
    this.scale = (height - TOP - BOTTOM) / (2 * MARGIN * this.range_deg);
    this.seconds = (width - LEFT) / SPAN_S;
    this.ground = stillLayer(this.canvas, (context) => this.drawGround(context));
    this.draw(this.history);
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
    context.save();
    context.beginPath();
    context.rect(LEFT, 0, this.width - LEFT, this.height - BOTTOM);
    context.clip();
    this.drawEvents(history.newest_t_us);
    this.drawTrace(history, history.v_deg, this.colours.up);
    this.drawTrace(history, history.h_deg, this.colours.right);
    context.restore();
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
      context.fillRect(x(start_us), 0, Math.max(2, x(end_us) - x(start_us)), height);
    }
    context.globalAlpha = 1;
  }

  /** Lowest and highest of every column of pixels: nothing short gets lost, and a minute costs no more. */
  drawTrace(history, values, colour) {
    const { context } = this;
    const now_t_us = history.newest_t_us;
    const count = history.since(now_t_us - SPAN_S * 1e6);
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.lineJoin = "bevel";
    context.beginPath();
    let [column, low, high, last, isFirst] = [-1, 0, 0, 0, true];
    const end = () => {
      if (column < 0) return;
      if (isFirst) context.moveTo(column, this.y(low));
      else context.lineTo(column, this.y(low));
      if (high !== low) {
        context.lineTo(column, this.y(high));
        context.lineTo(column, this.y(last));
      }
      isFirst = false;
    };
    for (let back = count - 1; back >= 0; back -= 1) {
      const at = history.place(back);
      const x = Math.round(this.width - ((now_t_us - history.t_us[at]) / 1e6) * this.seconds);
      const isOpen = history.flags[at] & Flag.VALID;
      if (x !== column || !isOpen) {
        end();
        column = -1;
      }
      if (!isOpen) isFirst = true;
      else if (column < 0) [column, low, high, last] = [x, values[at], values[at], values[at]];
      else [low, high, last] = [Math.min(low, values[at]), Math.max(high, values[at]), values[at]];
    }
    end();
    context.stroke();
  }
}
