// Stored estimates once more: how far it is, what came of it, and any board drawn twice.
import { ask } from "./console.js";
import { carryOutForm } from "./knowledge.js";

const form = document.querySelector("[data-replay]");
const report = document.getElementById("report");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  report.replaceChildren();
  const body = new URLSearchParams(new FormData(form));
  const { html } = await carryOutForm(form, form.action, { method: "POST", body });
  if (html) report.innerHTML = html;
});

report.addEventListener("click", (event) => {
  const link = event.target.closest("[data-board]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  draw(link.href);
});

async function draw(address) {
  const place = document.getElementById("board");
  place.setAttribute("aria-busy", "true");
  try {
    const response = await ask(address, { again: () => draw(address) });
    place.innerHTML = await response.text();
    place.focus();
    place.scrollIntoView({ block: "start" });
  } catch {
    // Told of already.
  } finally {
    place.removeAttribute("aria-busy");
  }
}
