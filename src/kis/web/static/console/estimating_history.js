// What was typed: undone and done again, and kept in this browser until it is stored.

const MOST = 200;

/** The states that the form went through. */
export class History {
  #states = [];
  #at = -1;

  note(state) {
    const text = JSON.stringify(state);
    if (text === this.#states[this.#at]) return false;
    this.#states.splice(this.#at + 1, Infinity, text);
    if (this.#states.length > MOST) this.#states.shift();
    this.#at = this.#states.length - 1;
    return true;
  }

  go(by) {
    const state = this.#states[this.#at + by];
    if (state === undefined) return null;
    this.#at += by;
    return JSON.parse(state);
  }
}

/** A draft in the browser's storage; without storage there is none. */
export class Draft {
  #name;
  #key = "";
  #body = "";

  constructor(name) {
    this.#name = name;
    const kept = read(name);
    this.#key = kept?.key ?? "";
    this.#body = kept?.body ?? "";
  }

  load() { return read(this.#name); }

  keep(state) {
    return write(this.#name, { at: Date.now(), state, key: this.#key, body: this.#body });
  }

  /** The key under which this very board is stored once, however often it is sent. */
  keyOf(body, state) {
    if (body !== this.#body) {
      this.#body = body;
      this.#key = unique();
    }
    this.keep(state);
    return this.#key;
  }

  drop() {
    this.#key = this.#body = "";
    try { localStorage.removeItem(this.#name); } catch { /* there is no storage */ }
  }
}

export function read(name) {
  try { return JSON.parse(localStorage.getItem(name)); } catch { return null; }
}

export function write(name, value) {
  try { localStorage.setItem(name, JSON.stringify(value)); return true; } catch { return false; }
}

/** `crypto.randomUUID` is for HTTPS alone; a closed network may have none. */
function unique() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
