// SPDX-License-Identifier: Apache-2.0
// A chart never stands alone: the same figures are in a table below it.
import { h, table } from "./parts.js";
import { t } from "./words.js";

const shades = {
  light: ["#17693a", "#b01c1c", "#0b57d0", "#8a4b00", "#6a3fb5", "#00707a", "#7a5c00"],
  dark: ["#6fd598", "#ff9a92", "#8ab4f8", "#ffc069", "#c9a8ff", "#6fd7e0", "#e5cf6c"],
};
const dark = matchMedia("(prefers-color-scheme: dark)");
let drawn = [];

/** Take all charts away: another page comes. */
export function forget() {
  drawn.forEach((one) => one.chart && one.chart.destroy());
  drawn = [];
}

function options(one) {
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--soft").trim(), line = style.getPropertyValue("--line").trim();
  const axis = (stacked) => ({ stacked, ticks: { color: ink, maxRotation: 0, autoSkipPadding: 12 }, grid: { color: line } });
  return {
    animation: false, responsive: true, maintainAspectRatio: false,
    indexAxis: one.sideways ? "y" : "x",
    interaction: { mode: "index", intersect: false },
    plugins: { legend: { display: one.series.length > 1, labels: { color: ink } } },
    scales: { x: axis(one.stacked), y: { ...axis(one.stacked), beginAtZero: true } },
  };
}

function draw(one) {
  if (one.chart) one.chart.destroy();
  const colours = shades[dark.matches ? "dark" : "light"];
  one.chart = new window.Chart(one.canvas, {
    type: one.type,
    data: {
      labels: one.labels,
      datasets: one.series.map((series, i) => ({
        label: series.label, data: series.data, borderColor: colours[i % colours.length],
        backgroundColor: colours[i % colours.length], borderWidth: 2, pointRadius: 0, tension: 0.2,
      })),
    },
    options: options(one),
  });
}
dark.addEventListener("change", () => drawn.forEach(draw));

/** {title, type: "line" | "bar", labels, series: [{label, data}], stacked, sideways} */
export function chart(wanted) {
  const canvas = h("canvas", { role: "img", "aria-label": `${wanted.title}. ${t("table_below")}` });
  const rows = wanted.labels.map((label, i) => [label, ...wanted.series.map((series) => series.data[i])]);
  const drawable = Boolean(window.Chart); // where flash is short it was left out
  const node = h("figure", {}, drawable && h("div", { class: "canvas" }, canvas),
    h("details", { open: !drawable }, h("summary", {}, t("as_table")), table(wanted.title, [wanted.axis, ...wanted.series.map((series) => series.label)], rows)));
  const one = { ...wanted, canvas };
  if (!drawable) return node;
  drawn.push(one);
  requestAnimationFrame(() => canvas.isConnected && draw(one));
  return node;
}
