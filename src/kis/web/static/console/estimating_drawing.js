// The front view beside the grid: zoom, and what belongs together lights up on both sides.

const STEP = 1.25;
const MOST = 8;
let zoom = 1;

function show(sheet) {
  const drawing = sheet?.querySelector("svg");
  if (!drawing) return;
  sheet.classList.toggle("zoomed", zoom !== 1);
  drawing.style.width = zoom === 1 ? "" : `${sheet.clientWidth * zoom}px`;
}

/** Watch the result for zooming, and link it with the rows of `board`. */
export function linkDrawing(result, board) {
  const sheet = () => result.querySelector("[data-sheet]");
  const change = (to) => { zoom = Math.min(Math.max(to, 1), MOST); show(sheet()); };
  const acts = { in: () => change(zoom * STEP), out: () => change(zoom / STEP), fit: () => change(1) };
  const keys = { "+": "in", "=": "in", "-": "out", 0: "fit" };

  result.addEventListener("click", (event) => {
    acts[event.target.closest("[data-zoom]")?.dataset.zoom]?.();
    const device = event.target.closest("[data-row]");
    const row = device && board.row(device.dataset.row);
    row?.querySelector("[data-cell]")?.focus();
  });
  result.addEventListener("keydown", (event) => {
    if (!event.target.closest("[data-sheet]") || event.ctrlKey || event.altKey) return;
    const act = acts[keys[event.key]];
    if (act) { event.preventDefault(); act(); }
  });
  result.addEventListener("wheel", (event) => {
    if (!event.ctrlKey || !event.target.closest("[data-sheet]")) return;
    event.preventDefault();
    acts[event.deltaY < 0 ? "in" : "out"]();
  }, { passive: false });

  const light = (path) => {
    for (const device of result.querySelectorAll("[data-row]")) {
      device.classList.toggle("linked", Boolean(path) && device.dataset.row === path);
    }
    for (const row of [...board.breakers.rows, ...board.accessories.rows]) {
      row.classList.toggle("linked", Boolean(path) && row.dataset.path === path);
    }
  };
  const focused = () => document.activeElement?.closest("tbody[data-path]")?.dataset.path ?? "";
  const over = (event) => light(
    event.target.closest("[data-row]")?.dataset.row ?? event.target.closest("tbody[data-path]")?.dataset.path ?? focused(),
  );
  for (const part of [result, board.form]) {
    part.addEventListener("pointerover", over);
    part.addEventListener("pointerleave", () => light(focused()));
  }
  board.form.addEventListener("focusin", () => light(focused()));
  // Once more for a drawing that has just come.
  return () => { show(sheet()); light(focused()); };
}
