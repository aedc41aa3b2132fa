"use strict";
document.documentElement.classList.add("js");

function clock(seconds) {
  const tenths = Math.round(seconds * 10);
  const minutes = Math.floor(tenths / 600);
  const rest = ((tenths % 600) / 10).toFixed(1).padStart(4, "0");
  if (minutes < 60) return `${minutes}:${rest}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}

function nearest(sorted, wanted) {
  let low = 0, high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < wanted) low = middle + 1; else high = middle;
  }
  return low > 0 && wanted - sorted[low - 1] < sorted[low] - wanted ? low - 1 : low;
}

for (const plot of document.querySelectorAll(".face-plot")) {
  const times = plot.dataset.times.split(",").map((value) => Number(value) / 100);
  const start = Number(plot.dataset.start), span = Number(plot.dataset.end) - start;
  const output = plot.querySelector(".time");
  const rows = [...plot.querySelectorAll(".row")].map((row) => {
    const cursor = document.createElementNS("http://www.w3.org/2000/svg", "path");
    cursor.setAttribute("class", "cursor");
    row.querySelector("svg").append(cursor);
    return { cursor, value: row.querySelector(".value"), percents: row.dataset.percents.split(",") };
  });
  if (!rows.length) continue;
  const gaps = times.slice(1).map((time, place) => time - times[place]).sort((one, other) => one - other);
  const usual = gaps.length ? gaps[gaps.length >> 1] : 0.1;
  let shown = -1;

  const show = (time) => {
    const place = nearest(times, time);
    const seen = Math.abs(times[place] - time) <= 1.5 * usual + 0.02;
    const at = seen ? times[place] : time;
    shown = place;
    plot.classList.add("reading");
    output.textContent = seen ? clock(at) : `${clock(at)}, not seen`;
    for (const { cursor, value, percents } of rows) {
      cursor.setAttribute("d", `M${(1000 * (at - start)) / span} 0V100`);
      value.textContent = seen ? (percents[place] / 100).toFixed(2) : "–";
    }
  };
  const leave = () => {
    plot.classList.remove("reading");
    output.textContent = "";
    for (const { cursor, value } of rows) {
      cursor.removeAttribute("d");
      value.textContent = value.dataset.highest;
    }
  };
  const area = plot.querySelector("svg");
  const read = (event) => {
    const box = area.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    if (share >= 0 && share <= 1) show(start + share * span); else leave();
  };
  const surface = plot.querySelector(".rows");
  surface.addEventListener("pointermove", read);
  surface.addEventListener("pointerdown", read);
  // A finger that is lifted leaves its reading.
  surface.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") leave(); });
  plot.tabIndex = 0;
  plot.addEventListener("blur", leave);
  plot.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    show(times[Math.min(Math.max(shown + step, 0), times.length - 1)]);
  });
}
