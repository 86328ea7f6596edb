// What is typed stays in this browser until it is sent: through a reload, a crash, a link
// followed too early. It is the holder's whose key is signed in, and goes when they sign out.
//
// A tab has its own (sessionStorage), so that two tabs do not overwrite one another; a copy
// (localStorage) is what the next tab finds of one that was closed.

const TYPED = "kis-typed";
export const DRAFT = "kis-draft";
const stores = () => { try { return [sessionStorage, localStorage]; } catch { return []; } };

/** The holder of the key that is signed in; nobody at the door. */
export function holder() { return document.body.dataset.holder ?? ""; }

export function nameOf(kind, what) { return `${kind}:${holder()}:${what}`; }

export function read(store, name) {
  try { return JSON.parse(store.getItem(name)); } catch { return null; }
}

export function write(store, name, value) {
  try { store.setItem(name, JSON.stringify(value)); return true; } catch { return false; }
}

/** Names in `store` that are the holder's and begin so. */
export function names(store, kind) {
  return Object.keys(store).filter((name) => name.startsWith(nameOf(kind, "")));
}

// --- forms ---------------------------------------------------------------------------

const place = () => nameOf(TYPED, location.pathname);
const isKept = (field) => field.form?.matches("[data-kept]") && field.id && !field.matches("[data-once], [type=hidden], [type=password], [type=file]");

function change(act) {
  for (const store of stores()) {
    const typed = read(store, place()) ?? {};
    act(typed);
    if (Object.keys(typed).length) write(store, place(), typed);
    else store.removeItem(place());
  }
}

const given = (field) => field.defaultValue ?? (field.querySelector("[selected]") ?? field.options[0]).value;
document.addEventListener("input", ({ target }) => {
  if (!isKept(target)) return;
  change((typed) => {
    if (target.value === given(target)) delete typed[target.id];
    else typed[target.id] = target.value;
  });
});

/** What was typed into `form` has been stored: it is kept no more. */
export function forget(form) {
  change((typed) => { for (const field of form.elements) delete typed[field.id]; });
}

function restore() {
  const [own, left] = stores();
  const typed = own ? { ...read(left, place()), ...read(own, place()) } : {};
  for (const [id, value] of Object.entries(typed)) {
    const field = document.getElementById(id);
    if (!field || !isKept(field)) continue;
    field.value = value;
    const folded = field.closest("details");
    if (folded) folded.open = true;
  }
}
restore();
// What was answered may have taken the place of other forms.
document.addEventListener("htmx:afterSettle", restore);
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const form = detail.requestConfig.elt;
  if (form.matches("[data-kept]") && detail.xhr.status < 400) forget(form);
});

// --- signing out, and in as somebody else ----------------------------------------------

const news = new BroadcastChannel("kis-signed-out");

function clear() {
  for (const store of stores()) {
    for (const name of [...names(store, TYPED), ...names(store, DRAFT)]) store.removeItem(name);
  }
}

/** Whether something was typed, in whichever tab, that was not sent. */
export function hasUnsent() {
  return stores().some((store) => names(store, TYPED).length || names(store, DRAFT).length);
}

/** Take everything of the holder out of this browser, other tabs included. */
export function putAway() {
  document.dispatchEvent(new Event("kis:leave"));
  clear();
  news.postMessage(holder());
}

news.addEventListener("message", ({ data }) => {
  if (!holder() || data !== holder()) return;
  document.dispatchEvent(new Event("kis:leave"));
  clear();
  location.reload();
});

/** Whoever signs in again before this page goes on with what is on it. */
export function adopt(given) {
  if (!given || given === holder()) return;
  const [own] = stores();
  const before = own && read(own, place());
  document.body.dataset.holder = given;
  if (before) change((now) => Object.assign(now, before));
  document.dispatchEvent(new Event("kis:holder"));
}
