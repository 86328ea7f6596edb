// A file is dropped, looked at, and imported once it is right.
import { carryOutForm } from "./knowledge.js";

const form = document.querySelector("[data-upload]");
const drop = form.querySelector("[data-drop]");
const input = form.querySelector("input[type=file]");
const preview = document.getElementById("preview");
let file = null;

function address(named) {
  const mode = new FormData(form).get("mode");
  const asked = new URLSearchParams({ name: file.name, mode, ...named });
  return `${form.getAttribute("action")}?${asked}`;
}

/** Send the file as it is; the server reads CP949 and UTF-8. */
function send(asking, named, again) {
  return carryOutForm(asking, address(named), {
    method: "POST", body: file, headers: { "Content-Type": "application/octet-stream" }, again,
  });
}

async function look(chosen) {
  if (!chosen) return;
  file = chosen;
  const { html, problem } = await send(form, {}, () => look(chosen));
  if (html) {
    preview.innerHTML = html;
    preview.querySelector("[data-preview]").focus();
  } else if (problem) {
    preview.replaceChildren();
  }
  input.value = "";
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
preview.addEventListener("submit", (event) => {
  event.preventDefault();
  send(event.target, Object.fromEntries(new FormData(event.target)));
});
