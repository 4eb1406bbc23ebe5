/** The script of a report: it sorts the table, and tells what is under the pointer. */

/**
 * Runs in a browser, without anything besides the page. Values for it stand as JSON in the page.
 */
export const SCRIPT = String.raw`
"use strict";
for (const table of document.querySelectorAll("table.sort")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = (row) => row.cells[column].dataset.v;
    const rows = [...table.tBodies[0].rows];
    rows.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0) * (up ? 1 : -1));
    table.tBodies[0].append(...rows);
  }));
}
const heat = JSON.parse(document.getElementById("heat-data").textContent);
const tip = document.getElementById("tip");
const box = document.getElementById("heat");
const picture = box.querySelector("svg");
const mark = document.createElementNS("http://www.w3.org/2000/svg", "rect");
mark.setAttribute("class", "mk");
mark.setAttribute("visibility", "hidden");
picture.append(mark);
const hex = (value) => "0x" + value.toString(16);
const time = (ms) => ms < 1000 ? Math.round(ms) + " ms" : Number((ms / 1000).toFixed(2)) + " s";
const span = (a, b) => a === b ? "" + a : a + " to " + b;
let at;
function show(row, column) {
  at = { row, column };
  const [start, size] = heat.cells[row].map(BigInt);
  const { first, last, to, labels, rounds, dirty, mapped } = heat.columns[column];
  const of = heat.mapped[mapped][row];
  const count = dirty[row] / rounds;
  const page = BigInt(heat.pageSize);
  const lines = ["iova " + hex(start) + " to " + hex(start + size - 1n)];
  const inside = heat.mappings.map(([iova, bytes]) => [BigInt(iova), BigInt(bytes)])
    .filter(([iova, bytes]) => iova < start + size && iova + bytes > start);
  for (const [iova, bytes] of inside.slice(0, 3)) {
    const from = start > iova ? start - iova : 0n;
    const end = start + size < iova + bytes ? start + size - iova : bytes;
    lines.push("page " + span(from / page, end / page - 1n) + " of the mapping at " + hex(iova));
  }
  if (inside.length > 3) lines.push((inside.length - 3) + " more mappings");
  const number = Number(count.toFixed(2));
  lines.push(of === 0 && number === 0 ? "not mapped"
    : number + " of " + of / rounds + (of === rounds ? " page" : " pages") + " dirty");
  lines.push("round " + span(first, last) + ", until " + time(to) +
    (rounds > 1 ? " (mean)" : ""), labels.join(", "));
  tip.textContent = lines.join("\n");
  tip.hidden = false;
  const scale = picture.getBoundingClientRect().width / heat.width;
  const x = (heat.left + (column + 1) * heat.columnWidth) * scale;
  const y = (heat.tops[row] + heat.rowHeight) * scale;
  const left = Math.min(x + 8, box.clientWidth - tip.offsetWidth - 4);
  tip.style.left = Math.max(0, left) + "px";
  tip.style.top = y + 8 + "px";
  mark.setAttribute("x", heat.left + column * heat.columnWidth);
  mark.setAttribute("y", heat.tops[row]);
  mark.setAttribute("width", heat.columnWidth);
  mark.setAttribute("height", heat.rowHeight);
  mark.setAttribute("visibility", "visible");
}
function hide() {
  tip.hidden = true;
  mark.setAttribute("visibility", "hidden");
}
picture.addEventListener("pointermove", (event) => {
  const { left, top, width } = picture.getBoundingClientRect();
  const scale = heat.width / width;
  const [x, y] = [(event.clientX - left) * scale, (event.clientY - top) * scale];
  const column = Math.floor((x - heat.left) / heat.columnWidth);
  const row = heat.tops.findIndex((t) => y >= t && y < t + heat.rowHeight);
  if (row < 0 || column < 0 || column >= heat.columns.length) hide();
  else show(row, column);
});
picture.addEventListener("pointerleave", hide);
const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
box.addEventListener("keydown", (event) => {
  const move = MOVES[event.key];
  if (event.key === "Escape") hide();
  if (move === undefined || heat.columns.length === 0 || heat.cells.length === 0) return;
  event.preventDefault();
  const clamp = (value, end) => Math.max(0, Math.min(end - 1, value));
  show(clamp((at ? at.row : 0) + (at ? move[0] : 0), heat.cells.length),
    clamp((at ? at.column : 0) + (at ? move[1] : 0), heat.columns.length));
});
`.trim();

/** The style of a report. */
export const STYLE = `
:root{color-scheme:light dark;--paper:#fff;--ink:#1d1f22;--faint:#5f6368;--line:#d6d6d2}
@media (prefers-color-scheme:dark){
:root{--paper:#15171a;--ink:#e4e4e0;--faint:#a2a6ab;--line:#3a3e44}}
body{margin:0 auto;padding:24px;max-width:960px;background:var(--paper);color:var(--ink);
font:15px/1.5 system-ui,"DejaVu Sans",sans-serif}
h1{font-size:22px;margin:0 0 8px}h2{font-size:17px;margin:32px 0 8px}
p{margin:6px 0;max-width:72ch}.faint{color:var(--faint)}
code,td,pre,#tip{font-family:ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;font-size:13px}
pre{margin:6px 0;white-space:pre-wrap;overflow-wrap:anywhere}
table{border-collapse:collapse}
th,td{text-align:right;padding:3px 14px 3px 0;border-bottom:1px solid var(--line)}
th:first-child,td:first-child{text-align:left}
th{font-weight:600;font-size:13px;vertical-align:bottom}
th button{all:unset;cursor:pointer;text-decoration:underline dotted}
th button:focus-visible,#heat:focus-visible{outline:2px solid var(--ink);outline-offset:2px}
th[aria-sort=ascending] button::after{content:" ▲"}
th[aria-sort=descending] button::after{content:" ▼"}
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 18px;margin:0}
dt{color:var(--faint)}dd{margin:0}
.wide{overflow-x:auto}
#heat{position:relative}svg{max-width:100%;height:auto;display:block}
#tip{position:absolute;white-space:pre;pointer-events:none;padding:6px 9px;
background:var(--ink);color:var(--paper);line-height:1.4}
.mk{fill:none;stroke:var(--ink);stroke-width:2;outline:1px solid var(--paper)}
`.trim();
