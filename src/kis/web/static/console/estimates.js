// Printing; two estimates to compare; a note that is kept until it is stored.
document.querySelector("[data-print]")?.addEventListener("click", () => print());

const picks = document.querySelector("[data-pick]");
if (picks) {
  const button = picks.querySelector("button");
  const count = () => {
    const chosen = picks.querySelectorAll("input:checked").length;
    button.disabled = chosen !== 2;
  };
  picks.addEventListener("change", count);
  // The back button brings the boxes back as they were.
  addEventListener("pageshow", count);
  count();
}

const kept = (field) => `kis-${field.dataset.keep}`;
function restore() {
  for (const field of document.querySelectorAll("[data-keep]")) {
    const typed = localStorage.getItem(kept(field));
    if (typed !== null && typed !== field.value) field.value = typed;
  }
}
document.addEventListener("input", (event) => {
  if (event.target.matches("[data-keep]")) localStorage.setItem(kept(event.target), event.target.value);
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const field = event.detail.requestConfig.elt.querySelector?.("[data-keep]");
  if (field && event.detail.xhr.status === 200) localStorage.removeItem(kept(field));
});
restore();
