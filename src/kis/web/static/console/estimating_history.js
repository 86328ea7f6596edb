// What was typed: undone and done again, and kept in this browser until it is stored.

import { DRAFT, nameOf, names, read, write } from "./kept.js";

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

const ANSWER_MS = 200;
const MOST_LEFT = 20;

/**
 * The board that is typed in this tab (sessionStorage), with a copy (localStorage) for the
 * tab that comes after this one was closed. Without storage there is none.
 */
export class Draft {
  #source;
  // Of this page, not of the tab: a tab that is duplicated takes its storage along.
  #copy = unique();
  #key = "";
  #body = "";
  #others = new BroadcastChannel("kis-drafts");

  constructor(source) {
    this.#source = source;
    this.#others.addEventListener("message", ({ data }) => {
      if (data === "who") this.#others.postMessage(this.#copy);
    });
  }

  get #name() { return nameOf(DRAFT, this.#source); }

  /** What was typed in this tab before. */
  load() { return this.#take(read(sessionStorage, this.#name)); }

  #take(kept) {
    if (!kept) return null;
    this.#key = kept.key;
    this.#body = kept.body;
    localStorage.removeItem(nameOf(DRAFT, kept.copy));
    this.#write({ ...kept, copy: this.#copy });
    return kept;
  }

  #write(kept) {
    write(localStorage, nameOf(DRAFT, this.#copy), kept);
    return write(sessionStorage, this.#name, kept);
  }

  keep(state) {
    return this.#write({ at: Date.now(), state, key: this.#key, body: this.#body, copy: this.#copy });
  }

  /** Make the copy anew: a tab that was duplicated from this one has taken it over. */
  copy() {
    const kept = read(sessionStorage, this.#name);
    if (kept) this.#write(kept);
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
    sessionStorage.removeItem(this.#name);
    localStorage.removeItem(nameOf(DRAFT, this.#copy));
  }

  /** The boards that no tab has open any more, the latest first; the oldest go. */
  async left() {
    const open = new Set([this.#copy]);
    const hear = ({ data }) => open.add(data);
    this.#others.addEventListener("message", hear);
    this.#others.postMessage("who");
    await new Promise((resolve) => { setTimeout(resolve, ANSWER_MS); });
    this.#others.removeEventListener("message", hear);
    const left = names(localStorage, DRAFT).map((name) => read(localStorage, name))
      .filter((kept) => kept && !open.has(kept.copy)).sort((one, other) => other.at - one.at);
    for (const { copy } of left.slice(MOST_LEFT)) localStorage.removeItem(nameOf(DRAFT, copy));
    return left.slice(0, MOST_LEFT);
  }

  /** Go on here with a board that was left; null, somebody else took it. */
  resume({ copy }) { return this.#take(read(localStorage, nameOf(DRAFT, copy))); }

  /** Take a board that was left out of the browser. */
  discard({ copy }) { localStorage.removeItem(nameOf(DRAFT, copy)); }
}

/** `crypto.randomUUID` is for HTTPS alone; a closed network may have none. */
function unique() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
