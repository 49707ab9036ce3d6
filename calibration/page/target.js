// The target that the wearer looks at: it glides to its place, shrinks, and a ring fills while readings come in.

const GLIDE_MS = 350; // as in calibrate.css
const target = document.getElementById("target");
const ring = document.getElementById("ring");
const still = matchMedia("(prefers-reduced-motion: reduce)");
let now = null;

/** Shows a target and calls `drawn(number)` once it is on the screen at its place. */
export function show(message, drawn) {
  const glides = now !== null && !still.matches;
  now = message;
  fill(0);
  target.classList.remove("arrived");
  place();
  target.classList.remove("gone");
  setTimeout(
    () =>
      requestAnimationFrame(() => {
        if (now?.number !== message.number) return;
        target.classList.add("arrived");
        requestAnimationFrame(() => drawn(message.number));
      }),
    glides ? GLIDE_MS : 0,
  );
}

export function hide() {
  now = null;
  target.classList.add("gone");
}

/** share: of the readings that are in, 0 … 1. */
export function fill(share) {
  ring.style.strokeDashoffset = String(1 - share);
  target.dataset.filled = share.toFixed(1);
}

/** Puts the target where it belongs, also after the window has changed. */
export function place() {
  if (now === null) return;
  const [right, up] = now.place;
  const [width, height] = now.to_scale ? [screen.width, screen.height] : [innerWidth, innerHeight];
  const x = innerWidth / 2 + right * width;
  const y = innerHeight / 2 - up * height;
  target.style.transform = `translate(${x}px, ${y}px)`;
}
