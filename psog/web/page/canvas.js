// A canvas as sharp as the display, drawn in CSS pixels whatever its size.

/** Keeps the canvas's pixels equal to the display's; calls `resized` after each change of size. */
export function fitToDisplay(canvas, resized) {
  new ResizeObserver(() => {
    const { width, height } = canvas.getBoundingClientRect();
    const scale = window.devicePixelRatio || 1;
    canvas.width = Math.max(1, Math.round(width * scale));
    canvas.height = Math.max(1, Math.round(height * scale));
    canvas.getContext("2d").setTransform(scale, 0, 0, scale, 0, 0);
    resized(width, height);
  }).observe(canvas);
}

/** A second canvas of the same size for what rarely changes: `draw` fills it once, then it is copied. */
export function stillLayer(canvas, draw) {
  const layer = document.createElement("canvas");
  layer.width = canvas.width;
  layer.height = canvas.height;
  const context = layer.getContext("2d");
  context.setTransform(canvas.getContext("2d").getTransform());
  draw(context);
  return layer;
}

/** Draws such a layer over all that is there. */
export function copyLayer(context, layer) {
  context.save();
  context.resetTransform();
  context.drawImage(layer, 0, 0);
  context.restore();
}

/** The colours of base.css and of the page's own style sheet, by name; asking for a style is slow, so once. */
export function colours() {
  const style = getComputedStyle(document.documentElement);
  const known = {};
  return new Proxy(known, { get: (_, name) => (known[name] ??= style.getPropertyValue(`--${name}`).trim()) });
}

/** Whether the person has asked for less movement. */
export const lessMotion = window.matchMedia("(prefers-reduced-motion: reduce)");
