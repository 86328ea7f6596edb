// 치수 지식: steps that take their time, dialogs, parts of a page that are loaded later.
import { ask } from "./console.js";

/** Show that something is under way, for how long; return what ends it. */
export function begin(area, doing) {
  const words = JSON.parse(area.querySelector("[data-words]").textContent);
  const elapsed = area.querySelector("[data-elapsed]");
  const bar = area.querySelector("progress");
  const began = performance.now();
  const tick = () => {
    const seconds = Math.floor((performance.now() - began) / 1000);
    elapsed.textContent = words.seconds.replace("{n}", seconds);
  };
  bar.removeAttribute("value");
  area.hidden = false;
  area.querySelector("[data-doing]").textContent = doing ?? words.doing;
  tick();
  const timer = setInterval(tick, 1000);
  return () => { clearInterval(timer); area.hidden = true; };
}

/** Put what was answered where it belongs: another page, this page anew, or a problem. */
export async function follow(response, problem) {
  const text = await response.text();
  if (response.ok && response.redirected) {
    location.assign(response.url);
    return;
  }
  problem.innerHTML = text;
  problem.scrollIntoView({ block: "nearest" });
}

async function work(form, submitter) {
  const buttons = [...form.querySelectorAll("button")];
  const problem = form.querySelector("[data-problem]");
  const body = new URLSearchParams(new FormData(form, submitter));
  const end = begin(form.querySelector("[data-working]"));
  problem.replaceChildren();
  buttons.forEach((button) => { button.disabled = true; });
  try {
    await follow(await ask(form.action, { method: "POST", body }), problem);
  } catch {
    // Told of already: what was typed is still there.
  } finally {
    end();
    buttons.forEach((button) => { button.disabled = false; });
  }
}

async function load(area) {
  const end = begin(area.querySelector("[data-working]"));
  try {
    const response = await ask(area.dataset.load);
    const html = await response.text();
    if (response.ok) area.innerHTML = html;
    else area.querySelector("[data-problem]").innerHTML = html;
  } catch {
    // Told of already.
  } finally {
    end();
  }
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-work]")) return;
  event.preventDefault();
  work(event.target, event.submitter);
});
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-open]");
  if (opener) document.getElementById(opener.dataset.open).showModal();
  const closer = event.target.closest("[data-close]");
  if (closer) closer.closest("dialog").close();
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
});
document.querySelectorAll("[data-load]").forEach(load);
