// A file is dropped, looked at, and imported once it is right.
import { ask } from "./console.js";
import { begin, follow } from "./knowledge.js";

const form = document.querySelector("[data-upload]");
const drop = form.querySelector("[data-drop]");
const input = form.querySelector("input[type=file]");
const problem = form.querySelector("[data-problem]");
const preview = document.getElementById("preview");
let file = null;

function address(label = "") {
  const mode = new FormData(form).get("mode");
  return `${form.getAttribute("action")}?${new URLSearchParams({ name: file.name, mode, label })}`;
}

/** Send the file as it is; the server reads CP949 and UTF-8. */
function send(label) {
  return ask(address(label), {
    method: "POST", body: file, headers: { "Content-Type": "application/octet-stream" },
  });
}

async function look(chosen) {
  if (!chosen) return;
  file = chosen;
  problem.replaceChildren();
  const end = begin(form.querySelector("[data-working]"));
  try {
    const response = await send();
    const html = await response.text();
    if (response.ok) {
      preview.innerHTML = html;
      preview.querySelector("[data-preview]").focus();
    } else {
      preview.replaceChildren();
      problem.innerHTML = html;
    }
  } catch {
    // Told of already; the file can be chosen again.
  } finally {
    end();
    input.value = "";
  }
}

async function take(importing) {
  const end = begin(importing.querySelector("[data-working]"));
  const button = importing.querySelector("button");
  button.disabled = true;
  try {
    await follow(await send(importing.elements.label.value), importing.querySelector("[data-problem]"));
  } catch {
    // Told of already.
  } finally {
    end();
    button.disabled = false;
  }
}

input.addEventListener("change", () => look(input.files[0]));
form.addEventListener("change", (event) => {
  if (event.target.name === "mode" && file && preview.hasChildNodes()) look(file);
});
for (const type of ["dragenter", "dragover"]) {
  drop.addEventListener(type, (event) => { event.preventDefault(); drop.classList.add("over"); });
}
for (const type of ["dragleave", "drop"]) {
  drop.addEventListener(type, () => drop.classList.remove("over"));
}
drop.addEventListener("drop", (event) => { event.preventDefault(); look(event.dataTransfer.files[0]); });
preview.addEventListener("submit", (event) => { event.preventDefault(); take(event.target); });
