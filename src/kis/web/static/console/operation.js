// Draws the hours and the days; the same figures are in tables beside them.
import { reachWide } from "./console.js";

const AGAIN_MS = 60_000;
const overview = document.getElementById("overview");
let drawn = [];
let span = "24";

const colour = (name) => getComputedStyle(document.querySelector(`.swatch.${name}`) ?? overview).color;
const number = (value) => value?.toLocaleString(undefined, { maximumFractionDigits: 2 }) ?? "–";

/** Which of `labels` have a tick: `most` at the most, where `fits` says that one may stand. */
function ticks(labels, most, fits) {
  const places = labels.map((_, index) => index).filter((index) => fits(labels[index]));
  const step = Math.ceil(places.length / most);
  return places.filter((_, index) => index % step === 0);
}

/** Draw `series` over `labels` into the chart `name`; `say` puts the figures of a place into words. */
function draw(name, { labels, columns, series, short, fits, scales = {}, unit = "", right = null, say }) {
  const chart = document.querySelector(`[data-chart=${name}]`);
  if (!chart) return;
  const readout = chart.parentElement.querySelector(".readout");
  const width = Math.round(chart.getBoundingClientRect().width);
  // Resolved: a canvas knows no variables.
  const { color: ink, borderTopColor: line, fontFamily } = getComputedStyle(chart);
  const axis = { stroke: ink, font: `12px ${fontFamily}`, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1, size: 4 } };
  const places = ticks(labels, Math.max(2, Math.floor(width / 70)), fits);
  const tell = (index) => { readout.textContent = `${labels[index]}  ${say(index)}`; };
  const axes = [
    { ...axis, size: 30, grid: { show: false }, splits: () => places, values: () => places.map((place) => short(labels[place])) },
    { ...axis, size: 58, values: (_, values) => values.map((value) => (Number.isInteger(value) || unit ? number(value) + unit : "")) },
  ];
  if (right) axes.push({ ...axis, grid: { show: false }, side: 1, size: 48, scale: right, values: (_, values) => values.map((value) => `${number(value)}%`) });
  const plot = new uPlot({
    width,
    height: chart.clientHeight,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    hooks: { setCursor: [({ cursor: { idx } }) => tell(idx ?? labels.length - 1)] },
    scales: {
      x: { time: false, range: [-0.6, labels.length - 0.4] },
      y: { range: (_, __, most) => [0, Math.max(most * 1.1, 5)] },
      ...scales,
    },
    axes,
    series: [{}, ...series],
  }, [labels.map((_, index) => index), ...columns], chart);
  tell(labels.length - 1);
  drawn.push(plot);
}

const bars = (stroke, most) => ({ stroke, fill: stroke, paths: uPlot.paths.bars({ size: [0.72, most] }), points: { show: false } });
const line = (stroke, more = {}) => ({ stroke, width: 2, points: { show: false }, ...more });

function drawAll() {
  const source = document.getElementById("figures");
  if (!source) return;
  for (const plot of drawn) plot.destroy();
  drawn = [];
  const { hours, days, limit, words } = JSON.parse(source.textContent);
  const last = (values) => values.slice(-Number(span));
  const labels = last(hours.labels);
  const isDay = span === "24";
  // A clock's hours within a day; midnights, as days, within a week.
  const across = {
    labels,
    short: (label) => (isDay ? label.slice(6) : label.slice(0, 5)),
    fits: (label) => (isDay ? Number(label.slice(6, 8)) % 3 === 0 : label.slice(6, 8) === "00"),
  };
  const [requests, rates, p50, p95] = [hours.requests, hours.rates, hours.p50, hours.p95].map(last);
  // A line needs two hours beside each other; where there are few, their points are shown.
  const dots = (stroke) => ({ points: { show: isDay, size: 7, fill: stroke, stroke } });
  draw("requests", {
    ...across,
    columns: [requests, rates, labels.map(() => limit)],
    series: [
      bars(colour("requests"), 40),
      line(colour("faults"), { scale: "rate", ...dots(colour("faults")) }),
      line(colour("limit"), { scale: "rate", dash: [2, 4] }),
    ],
    scales: { rate: { range: (_, __, most) => [0, Math.max(most * 1.15, limit * 2)] } },
    right: "rate",
    say: (index) => `${words.requests} ${number(requests[index])} · ${words.rates} ${rates[index] === null ? "–" : `${number(rates[index])}%`}`,
  });
  draw("took", {
    ...across,
    columns: [p95, p50],
    series: [
      line(colour("p95"), dots(colour("p95"))),
      line(colour("p50"), { dash: [6, 4] }),
    ],
    unit: " ms",
    say: (index) => `p95 ${number(p95[index])} ms · p50 ${number(p50[index])} ms`,
  });
  draw("days", {
    labels: days.labels, short: (label) => label, fits: () => true,
    columns: [days.estimates],
    series: [bars(getComputedStyle(document.querySelector(".top a[aria-current]")).color, 40)],
    say: (index) => `${words.estimates} ${number(days.estimates[index])}`,
  });
}

function show() {
  for (const rows of overview.querySelectorAll("[data-older]")) rows.hidden = span === "24";
  reachWide();
  drawAll();
}

const resized = new ResizeObserver(() => {
  const [plot] = drawn;
  if (plot && plot.width !== Math.round(plot.root.parentElement.clientWidth)) drawAll();
});

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.elt.id !== "overview") return;
  const chosen = overview.querySelector(`[name=span][value="${span}"]`);
  if (chosen) chosen.checked = true;
  show();
});
resized.observe(overview);
overview.addEventListener("change", ({ target }) => {
  if (target.name !== "span") return;
  span = target.value;
  show();
});
document.querySelector("[data-theme-switch]").addEventListener("click", () => requestAnimationFrame(drawAll));
document.fonts.ready.then(drawAll);

// For a screen on the wall. Not while somebody is at it: nothing moves under their hands.
setInterval(() => {
  const isRead = overview.contains(document.activeElement) || overview.querySelector("details[open], .chart:hover");
  if (!document.hidden && !isRead) htmx.trigger(overview, "again");
}, AGAIN_MS);
