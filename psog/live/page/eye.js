// The sensors around the eye, lit up by what they read, and the eye as the gaze and the openness tell it.
// As the wearer sees it: right is right. Millimetres of the headset's frame.

import { colours, copyLayer, fitToDisplay, lessMotion, stillLayer } from "./shared/canvas.js";

const PUPIL_MM = 2;
const IRIS_MM = 5.9; // diameter 11.75 mm (docs/simulator.md)
const PUPIL_PLANE_MM = 10.4; // from the eye's rotation centre
const APERTURE_MM = { width: 29, height: 9.7 };
const SENSOR_MM = 2;
const AROUND_MM = 5;
const FULL_SCALE = 65535;
const FORGET = 0.003; // of the range seen, per picture: some five seconds
const LEAST_RANGE = 0.004; // of full scale, so that noise alone does not flicker

export class Eye {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.colours = colours();
    this.detectors_mm = [];
    fitToDisplay(canvas, (width, height) => this.resized(width, height));
  }

  setSensors(detectors_mm, emitters_mm) {
    this.detectors_mm = detectors_mm;
    this.emitters_mm = emitters_mm;
    this.low = new Float32Array(detectors_mm.length).fill(NaN);
    this.high = new Float32Array(detectors_mm.length).fill(NaN);
    if (this.width) this.resized(this.width, this.height);
  }

  resized(width, height) {
    [this.width, this.height] = [width, height];
    const places = [...this.detectors_mm, ...(this.emitters_mm ?? [])];
    const half = (axis, least) => Math.max(least, ...places.map((mm) => Math.abs(mm[axis]))) + AROUND_MM;
    this.scale = Math.min(width / (2 * half(0, 15)), height / (2 * half(1, 10)));
    this.ground = stillLayer(this.canvas, (context) => this.drawGround(context));
    this.draw(this.history);
  }

  x(mm) {
    return this.width / 2 + mm * this.scale;
  }

  y(mm) {
    return this.height / 2 - mm * this.scale;
  }

  draw(history) {
    const { context } = this;
    this.history = history;
    if (!this.ground) return;
    copyLayer(context, this.ground);
    if (!history?.count) return;
    const at = history.place(0);
    const isStill = lessMotion.matches;
    const gaze_deg = isStill ? [0, 0] : [history.h_deg[at], history.v_deg[at]];
    this.drawEye(gaze_deg, isStill ? 1 : history.openness[at]);
    this.drawSensors(history.readings);
  }

  drawGround(context) {
    context.fillStyle = this.colours.panel;
    context.fillRect(0, 0, this.width, this.height);
    context.fillStyle = this.colours.emitter;
    for (const [x_mm, y_mm] of this.emitters_mm ?? []) {
      context.beginPath();
      context.arc(this.x(x_mm), this.y(y_mm), 0.5 * this.scale, 0, 2 * Math.PI);
      context.fill();
    }
    context.font = "12px " + getComputedStyle(this.canvas).fontFamily;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillStyle = this.colours.quiet;
    this.detectors_mm.forEach(([x_mm, y_mm], index) => {
      const out = 1 + (SENSOR_MM + 1.5) / Math.max(1, Math.hypot(x_mm, y_mm));
      context.fillText(String(index), this.x(x_mm * out), this.y(y_mm * out));
    });
  }

  drawEye([h_deg, v_deg], openness) {
    const { context, scale } = this;
    const open = Math.min(Math.max(openness, 0.03), 1.1);
    const half_width = (APERTURE_MM.width / 2) * scale;
    const [x, y] = [this.x(0), this.y(0)];
    const lids = new Path2D();
    lids.moveTo(x - half_width, y);
    lids.quadraticCurveTo(x, y - APERTURE_MM.height * 1.1 * open * scale, x + half_width, y);
    lids.quadraticCurveTo(x, y + APERTURE_MM.height * 0.9 * open * scale, x - half_width, y);
    context.save();
    context.clip(lids);
    context.fillStyle = this.colours.sclera;
    context.fillRect(0, 0, this.width, this.height);
    const radians = (deg) => (Math.max(-45, Math.min(45, Number.isFinite(deg) ? deg : 0)) * Math.PI) / 180;
    const iris_x = this.x(PUPIL_PLANE_MM * Math.sin(radians(h_deg)));
    const iris_y = this.y(PUPIL_PLANE_MM * Math.sin(radians(v_deg)));
    this.disc(iris_x, iris_y, IRIS_MM * scale, this.colours.iris);
    this.disc(iris_x, iris_y, PUPIL_MM * scale, this.colours.ground);
    context.restore();
    context.strokeStyle = this.colours.edge;
    context.lineWidth = 2;
    context.stroke(lids);
  }

  drawSensors(readings) {
    const { context } = this;
    const radius = SENSOR_MM * this.scale;
    this.detectors_mm.forEach(([x_mm, y_mm], index) => {
      const share = readings[index] / FULL_SCALE;
      const light = this.brightness(index, share);
      const [x, y] = [this.x(x_mm), this.y(y_mm)];
      const isSaturated = readings[index] === FULL_SCALE;
      const colour = isSaturated ? this.colours.bad : this.colours.sensor;
      context.globalAlpha = 0.22 * light;
      this.disc(x, y, 1.9 * radius, colour);
      context.globalAlpha = 0.6; // of a headset whose sensors lie before the eye, the eye is seen through them
      this.disc(x, y, radius, this.colours.ground);
      context.globalAlpha = 0.1 + 0.9 * light;
      this.disc(x, y, radius, colour);
      context.globalAlpha = 1;
      context.strokeStyle = colour;
      context.lineWidth = 1.5;
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.stroke();
    });
  }

  /** 0 to 1 within what this sensor has read in the last seconds. */
  brightness(index, share) {
    if (Number.isNaN(this.low[index])) [this.low[index], this.high[index]] = [share, share];
    this.low[index] = Math.min(share, this.low[index] + FORGET * (share - this.low[index]));
    this.high[index] = Math.max(share, this.high[index] - FORGET * (this.high[index] - share));
    const range = Math.max(this.high[index] - this.low[index], LEAST_RANGE);
    return Math.min(1, Math.max(0, (share - this.low[index]) / range));
  }

  disc(x, y, radius, colour) {
    this.context.fillStyle = colour;
    this.context.beginPath();
    this.context.arc(x, y, radius, 0, 2 * Math.PI);
    this.context.fill();
  }
}
