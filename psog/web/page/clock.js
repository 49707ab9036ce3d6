// The program's time (its time.monotonic, seconds) on the page, from questions and answers over the channel.
// Of the recent round trips the shortest counts, as in NTP's clock filter (RFC 5905, section 10).

const FIRST_EVERY_MS = 100;
const FIRST_QUESTIONS = 8;
const EVERY_MS = 2000;
const REMEMBERED = 32;

export class HostClock {
  /** Asks through `channel`; the page passes it every message of type `time`. */
  constructor(channel) {
    this.channel = channel;
    this.probes = [];
    this.asked = 0;
    this.ask();
  }

  ask() {
    if (this.channel.send("time", { page_ms: performance.now() })) this.asked += 1;
    setTimeout(() => this.ask(), this.asked < FIRST_QUESTIONS ? FIRST_EVERY_MS : EVERY_MS);
  }

  answered({ page_ms, host_s }) {
    const now_ms = performance.now();
    this.probes.push({ round_trip_ms: now_ms - page_ms, host_minus_page_s: host_s - (now_ms + page_ms) / 2000 });
    if (this.probes.length > REMEMBERED) this.probes.shift();
    const best = this.probes.reduce((a, b) => (b.round_trip_ms < a.round_trip_ms ? b : a));
    this.host_minus_page_s = best.host_minus_page_s;
  }

  /** Now by the program's clock; undefined before the first answer. */
  get now_s() {
    return this.host_minus_page_s === undefined ? undefined : performance.now() / 1000 + this.host_minus_page_s;
  }
}
