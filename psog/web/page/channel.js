// The page's end of psog.web.channel: JSON messages both ways, frames (ArrayBuffer) in, connects again.

const RETRY_MS = 500;

/** Messages by type go to `on.TYPE(message)`, frames to `on.frame(buffer)`; `on.open()`, `on.close()`. */
export class Channel {
  constructor(on) {
    this.on = on;
    this.isOpen = false;
    this.isOver = false;
    this.connect();
  }

  /** Sends a message of this type; false when nobody is connected. */
  send(type, values = {}) {
    if (!this.isOpen) return false;
    this.socket.send(JSON.stringify({ type, ...values }));
    return true;
  }

  /** The conversation is over: what comes after is no loss, and nobody connects again. */
  stop() {
    this.isOver = true;
  }

  connect() {
    const address = new URL("channel", location.href);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    this.socket = new WebSocket(address);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => {
      this.isOpen = true;
      this.on.open?.();
    };
    this.socket.onmessage = ({ data }) => this.take(data);
    this.socket.onclose = () => {
      if (this.isOver) return;
      if (this.isOpen) this.on.close?.();
      this.isOpen = false;
      setTimeout(() => this.connect(), RETRY_MS);
    };
  }

  take(data) {
    if (typeof data !== "string") {
      this.on.frame?.(data);
      return;
    }
    const message = JSON.parse(data);
    if (Object.hasOwn(this.on, message.type)) this.on[message.type](message);
  }
}
