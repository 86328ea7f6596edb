// What every page has: requests that survive a lost connection and an ended session,
// messages, the theme, what is typed.

import { adopt, hasUnsent, putAway } from "./kept.js";

const words = JSON.parse(document.getElementById("words").textContent);
const meta = document.querySelector('meta[name="csrf-token"]');
const told = document.getElementById("told");
const CSRF = "X-CSRF-Token";
const HOLDER = "X-Holder";
// Answers nobody who is signed in nothing, and at once.
const DOOR = meta ? "/console/session" : "/console/sign-in";
// What a proxy says for a server that is away.
const AWAY = [502, 504];

/** Show a message; `act`, if given, is called by its button. */
export function tell(message, { isProblem = false, label = "", act = null } = {}) {
  const line = document.createElement("p");
  line.textContent = message;
  line.className = isProblem ? "problem" : "";
  if (act) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.addEventListener("click", () => { line.remove(); act(); });
    line.append(" ", button);
  }
  told.replaceChildren(line);
  if (!isProblem) setTimeout(() => line.remove(), 6000);
  return line;
}

let lost = null;

/** Say that the connection was lost; `again`, if given, repeats what has no button of its own. */
export function tellLost(again = null) {
  lost = tell(words.lost, { isProblem: true, label: words.retry, act: again });
}

/**
 * Ask the console's server. An ended session is asked for first and the request sent
 * again; a lost connection throws, after it was told of, with a button for `again`.
 */
export async function ask(address, { again = null, ...options } = {}) {
  try {
    let response = await send(address, options);
    while (await mayRepeat(response.status)) response = await send(address, options);
    return response;
  } catch (error) {
    if (error.name !== "AbortError") tellLost(again);
    throw error;
  }
}

async function send(address, options = {}) {
  const response = await fetch(address, {
    ...options,
    headers: { ...options.headers, "X-Console": "1", [CSRF]: meta?.content ?? "" },
  });
  if (AWAY.includes(response.status)) throw new TypeError(response.statusText);
  lost?.remove();
  return response;
}

/** Whether what was refused so would be done now: the session ended, or another tab's began. */
async function mayRepeat(status) {
  if (!meta) return false;
  if (status === 401) return signInAgain();
  return status === 403 && renew(await send(DOOR));
}

/** Take over the session that another tab has opened for the same holder. */
function renew(response) {
  const token = response.headers.get(CSRF);
  const isOther = token && token !== meta.content;
  if (!isOther || response.headers.get(HOLDER) !== document.body.dataset.holder) return false;
  take(response);
  return true;
}

function take(response) {
  meta.content = response.headers.get(CSRF);
  for (const field of document.querySelectorAll("input[name=csrf]")) field.value = meta.content;
  adopt(response.headers.get(HOLDER));
}

let signingIn = null;

/** Have the key asked for once, however many requests wait; false when it was given up. */
function signInAgain() {
  signingIn ??= new Promise((resolve) => {
    const dialog = document.getElementById("sign-in-again");
    const form = dialog.querySelector("form");
    const problem = dialog.querySelector("[data-problem]");
    const input = form.elements.key;
    let isIn = false;
    const submit = async (event) => {
      event.preventDefault();
      const body = new URLSearchParams({ key: input.value });
      const response = await send("/console/sign-in", { method: "POST", body }).catch(() => null);
      if (response?.status === 204) {
        take(response);
        isIn = true;
        dialog.close();
      } else if (response) {
        problem.innerHTML = await response.text();
        input.select();
      } else {
        problem.textContent = words.lost;
      }
    };
    form.addEventListener("submit", submit);
    dialog.addEventListener("close", () => {
      form.removeEventListener("submit", submit);
      form.reset();
      problem.replaceChildren();
      signingIn = null;
      resolve(isIn);
    }, { once: true });
    dialog.showModal();
    input.focus();
  });
  return signingIn;
}

// htmx: the same rules.
function repeat({ requestConfig, target }) {
  htmx.ajax(requestConfig.verb, requestConfig.path, {
    source: requestConfig.elt, target, values: requestConfig.parameters,
  });
}

/** A refusal says what is wrong, and what instead, beside the form that was sent. */
async function refuse(detail) {
  const { xhr, target, requestConfig } = detail;
  try {
    if (AWAY.includes(xhr.status)) throw new TypeError(xhr.statusText);
    if (await mayRepeat(xhr.status)) repeat(detail);
    else (requestConfig.elt.closest("form")?.querySelector("[data-problem]") ?? target).innerHTML = xhr.response;
  } catch {
    miss(detail);
  }
}

function miss(detail) {
  tellLost(detail.requestConfig.elt.matches("form") ? null : () => repeat(detail));
}

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers[CSRF] = meta?.content ?? "";
});
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status < 400) { lost?.remove(); return; }
  event.detail.shouldSwap = false;
  event.detail.isError = false;
  refuse(event.detail);
});
document.addEventListener("htmx:sendError", (event) => miss(event.detail));

// Forms that open another page: only once somebody is there to answer, and still signed in.
addEventListener("submit", async (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.getAttribute("method") === "dialog") return;
  event.preventDefault();
  try {
    if (form.matches("[data-sign-out]")) { await leave(form.action); return; }
    const response = await ask(DOOR);
    if (response.status > 401) tell(plain(await response.text()), { isProblem: true });
    else if (response.status < 401) HTMLFormElement.prototype.submit.call(form);
  } catch {
    // Told of already: what was typed is still there.
  }
});

/** What a refusal says, without its marks. */
function plain(html) {
  const part = document.createElement("template");
  part.innerHTML = html;
  return [...part.content.querySelectorAll("p")].map((line) => line.textContent).join(" ");
}

/** Have it confirmed that what was typed and not sent is taken out of this browser. */
async function mayLeave() {
  const dialog = document.getElementById("sign-out");
  if (!hasUnsent()) return true;
  dialog.returnValue = "";
  dialog.showModal();
  await new Promise((resolve) => { dialog.addEventListener("close", resolve, { once: true }); });
  return dialog.returnValue === "leave";
}

/** Sign out, whichever session there is now, and take what is kept out of this browser. */
async function leave(address) {
  if (!await mayLeave()) return;
  try {
    const response = await send(DOOR);
    if (response.ok) take(response);
    await send(address, { method: "POST" });
  } catch (error) {
    tellLost();
    throw error;
  }
  putAway();
  location.assign("/console/sign-in");
}

document.querySelector("[data-theme-switch]")?.addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("kis-theme", root.dataset.theme);
});

/** Let the keyboard reach what is wider, or higher, than its place. */
export function reachWide() {
  for (const box of document.querySelectorAll(".scrolls")) {
    if (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}
reachWide();
document.fonts.ready.then(reachWide);
addEventListener("resize", reachWide);
document.addEventListener("htmx:afterSettle", reachWide);
document.addEventListener("toggle", reachWide, true);
