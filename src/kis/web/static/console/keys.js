// After a change the new key is read out first; it can be copied by a button.
document.addEventListener("htmx:afterSettle", () => document.querySelector("[data-focus]")?.focus());
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.querySelector(button.dataset.copy);
  getSelection().selectAllChildren(source);
  // Without TLS a browser has no clipboard for pages; the selection is ready for Ctrl+C.
  await navigator.clipboard?.writeText(source.textContent);
});
