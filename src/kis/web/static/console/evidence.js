// Verifies the file that was dropped or chosen; its bytes go to the server as they are.
import { ask } from "./console.js";

const zone = document.querySelector("[data-drop]");
const input = zone.querySelector("input");
const result = document.getElementById("result");

async function verify(file) {
  zone.setAttribute("aria-busy", "true");
  try {
    const response = await ask("/console/evidence/verify", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: file,
      again: () => verify(file),
    });
    result.innerHTML = await response.text();
    result.querySelector("h2")?.focus();
  } catch {
    // Told of already.
  } finally {
    zone.removeAttribute("aria-busy");
  }
}

input.addEventListener("change", () => {
  if (input.files.length) verify(input.files[0]);
  input.value = "";
});
for (const [name, isOver] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
  zone.addEventListener(name, (event) => {
    event.preventDefault();
    zone.classList.toggle("over", isOver);
    if (name === "drop" && event.dataTransfer.files.length) verify(event.dataTransfer.files[0]);
  });
}
