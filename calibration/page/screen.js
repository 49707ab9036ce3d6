// The whole screen, on the display that was chosen, and how much of it the page has.

/** Fills a display with the page; `display` counts from 1, 0 is the one that the window is on. */
export async function fillScreen(display) {
  if (document.fullscreenElement !== null) {
    await document.exitFullscreen();
    return;
  }
  const options = { navigationUI: "hide" };
  if (display > 0 && "getScreenDetails" in window) {
    try {
      const { screens } = await window.getScreenDetails();
      if (screens[display - 1]) options.screen = screens[display - 1];
    } catch {
      // not allowed: the display that the window is on
    }
  }
  await document.documentElement.requestFullscreen(options);
}

export function windowSize() {
  return {
    width: innerWidth,
    height: innerHeight,
    screen_width: screen.width,
    screen_height: screen.height,
  };
}
