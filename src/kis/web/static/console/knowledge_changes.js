// Stored estimates once more: how far it is, what came of it, and any board drawn twice.
import { ask } from "./console.js";
import { begin } from "./knowledge.js";

const form = document.querySelector("[data-replay]");
const report = document.getElementById("report");
const problem = form.querySelector("[data-problem]");

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

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const area = form.querySelector("[data-working]");
  const button = form.querySelector("button");
  const end = begin(area);
  button.disabled = true;
  problem.replaceChildren();
  report.replaceChildren();
  try {
    const response = await ask(form.action, {
      method: "POST", body: new URLSearchParams(new FormData(form)),
    });
    if (!response.ok) { problem.innerHTML = await response.text(); return; }
    for await (const { done, total, html } of lines(response)) {
      if (html === undefined) {
        area.querySelector("progress").max = total;
        area.querySelector("progress").value = done;
        area.querySelector("[data-doing]").textContent = report.dataset.progress
          .replace("{done}", done.toLocaleString()).replace("{total}", total.toLocaleString());
      } else {
        report.innerHTML = html;
      }
    }
  } catch {
    // Told of already.
  } finally {
    end();
    button.disabled = false;
  }
});

report.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-board]");
  if (!button) return;
  const place = document.getElementById("board");
  place.setAttribute("aria-busy", "true");
  try {
    const response = await ask(button.dataset.board);
    place.innerHTML = await response.text();
    place.focus();
    place.scrollIntoView({ block: "start" });
  } catch {
    // Told of already.
  } finally {
    place.removeAttribute("aria-busy");
  }
});
