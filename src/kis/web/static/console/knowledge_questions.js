// Answers that are being typed survive a reload: they stay in this tab until they are sent.
import "./knowledge.js";

const form = document.querySelector("form[data-kept]");
if (form) {
  const key = form.dataset.kept;
  const fields = () => [...form.elements].filter((field) => field.name.startsWith("q"));
  const kept = JSON.parse(sessionStorage.getItem(key) ?? "{}");
  for (const field of fields()) field.value = kept[field.name] ?? field.value;
  form.addEventListener("input", () => {
    const typed = fields().filter((field) => field.value).map((field) => [field.name, field.value]);
    sessionStorage.setItem(key, JSON.stringify({ ...kept, ...Object.fromEntries(typed) }));
  });
}
