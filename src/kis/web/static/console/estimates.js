// Printing; two estimates to compare.
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
