// Draws the estimates of each day; the same figures are in the table below.
let drawn = null;

function draw() {
  const chart = document.querySelector("[data-chart=days]");
  if (!chart) return;
  const { days, estimates, label } = JSON.parse(document.getElementById("days").textContent);
  drawn?.destroy();
  // Resolved: a canvas knows neither variables nor light-dark().
  const { color: ink, borderTopColor: line } = getComputedStyle(chart);
  const { color: bar } = getComputedStyle(document.querySelector(".top a[aria-current]"));
  const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
  drawn = new uPlot({
    width: Math.round(chart.getBoundingClientRect().width),
    height: chart.clientHeight,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false, range: [-0.6, days.length - 0.4] }, y: { range: (_, __, most) => [0, Math.max(most * 1.1, 5)] } },
    axes: [
      { ...axis, grid: { show: false }, values: (_, ticks) => ticks.map((tick) => days[tick]?.slice(5) ?? ""), incrs: [1, 2, 5, 7, 10] },
      { ...axis, size: 56, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 50000, 100000] },
    ],
    series: [{}, { label, stroke: bar, fill: bar, paths: uPlot.paths.bars({ size: [0.7, 40] }), points: { show: false } }],
  }, [days.map((_, index) => index), estimates], chart);
}

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.elt.id !== "overview") return;
  draw();
  new ResizeObserver(([entry]) => {
    if (drawn.width !== Math.round(entry.contentRect.width)) draw();
  }).observe(document.querySelector("[data-chart=days]"));
});
document.querySelector("[data-theme-switch]").addEventListener("click", () => requestAnimationFrame(draw));
