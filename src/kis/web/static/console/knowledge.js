// 치수 지식: steps that take their time, dialogs, parts of a page that are loaded later.
import { ask, tellLost } from "./console.js";
import { forget } from "./kept.js";

const STREAM = "text/event-stream";

/** Show that something is under way, for how long and how far it is. */
function begin(area) {
  const words = JSON.parse(area.querySelector("[data-words]").textContent);
  const [doing, counted, bar] = ["[data-doing]", "[data-counted]", "progress"]
    .map((each) => area.querySelector(each));
  const began = performance.now();
  let count = "";
  const show = () => {
    const seconds = words.seconds.replace("{n}", Math.floor((performance.now() - began) / 1000));
    counted.textContent = count ? `${count} · ${seconds}` : seconds;
  };
  doing.textContent = words.doing;
  bar.removeAttribute("value");
  area.hidden = false;
  show();
  const timer = setInterval(show, 1000);
  return {
    tell({ step, done, total }) {
      const what = words.steps[step];
      // Set when it is another one: a screen reader reads it out each time.
      if (doing.textContent !== what) doing.textContent = what;
      count = total ? words.count.replace("{done}", done.toLocaleString())
        .replace("{total}", total.toLocaleString()) : "";
      bar.max = total || 1;
      if (total) bar.value = done;
      else bar.removeAttribute("value");
      show();
    },
    end() { clearInterval(timer); area.hidden = true; },
  };
}

/** Yield what the server tells, a JSON text a line. */
async function* lines(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n");
    rest = parts.pop();
    for (const part of parts) yield JSON.parse(part);
  }
}

/**
 * Ask for what takes its time, and show in `area` how far it is. Returns what came of it:
 * `html`, an address to `go` to, or a `problem`. A lost connection throws, after it was told of.
 */
export async function carryOut(area, address, options = {}) {
  const shown = begin(area.matches("[data-working]") ? area : area.querySelector("[data-working]"));
  try {
    const headers = { ...options.headers, Accept: STREAM };
    const response = await ask(address, { ...options, headers });
    if (response.headers.get("content-type")?.startsWith(STREAM)) return await last(response, shown, options.again);
    if (response.ok && response.redirected) return { go: response.url };
    const text = await response.text();
    return response.ok ? { html: text } : { problem: text };
  } finally {
    shown.end();
  }
}

async function last(response, shown, again) {
  try {
    for await (const line of lines(response)) {
      if (!line.step) return line;
      shown.tell(line);
    }
    throw new Error("the connection ended");
  } catch (error) {
    tellLost(again);
    throw error;
  }
}

/** Carry out what a form sends; its buttons wait meanwhile. */
export async function carryOutForm(form, address, options) {
  const buttons = [...form.querySelectorAll("button")];
  const problem = form.querySelector("[data-problem]");
  problem.replaceChildren();
  buttons.forEach((button) => { button.disabled = true; });
  try {
    const came = await carryOut(form, address, options);
    if (came.go) {
      forget(form);
      location.assign(came.go);
    }
    if (came.problem) {
      problem.innerHTML = came.problem;
      problem.scrollIntoView({ block: "nearest" });
    }
    return came;
  } catch {
    return {}; // Told of already: what was typed is still there.
  } finally {
    buttons.forEach((button) => { button.disabled = false; });
  }
}

async function load(area, address) {
  try {
    const { html, problem } = await carryOut(area, address, { again: () => load(area, address) });
    if (html) area.innerHTML = html;
    else area.querySelector("[data-problem]").innerHTML = problem;
  } catch {
    // Told of already.
  }
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-work]")) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(event.target));
  carryOutForm(event.target, event.target.action, { method: "POST", body });
});
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-open]");
  if (opener) document.getElementById(opener.dataset.open).showModal();
  const more = event.target.closest("[data-more]");
  if (more) {
    event.preventDefault();
    const part = more.closest("[data-part]");
    load(part, more.href).then(() => part.querySelector("[tabindex]").focus());
  }
  const closer = event.target.closest("[data-close]");
  if (closer) closer.closest("dialog").close();
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
});
document.querySelectorAll("[data-load]").forEach((area) => load(area, area.dataset.load));
