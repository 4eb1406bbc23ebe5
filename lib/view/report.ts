import { formatSize, hex } from "../base/format.ts";
import { renderRate } from "./chart.ts";
import { placeHeatmap, renderHeatmap } from "./heat.ts";
import { missingRounds } from "./heat_data.ts";
import { MEANINGS } from "./heat_label.ts";
import type { ReportData } from "./report_data.ts";
import { SCRIPT, STYLE } from "./report_script.ts";
import type { ViewAccount } from "./round.ts";
import { duration, escapeText, grouped, scriptJson, short } from "./text.ts";

const e = escapeText;
/** Nothing is loaded from anywhere, and the browser holds the page to it. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/**
 * Writes a report as one HTML file: it opens from a disk, loads nothing, and follows its reader's
 * choice of light or dark. The same data gives the same text.
 *
 * @param data What a `ReportBuilder` has summed up.
 * @returns The text of the file.
 */
export function renderReport(data: ReportData): string {
  const title = `Dirty pages of ${data.head.devices.join(", ")}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width">
<title>${e(title)}</title>
<style>
${STYLE}
</style>
</head>
<body>
<h1>${e(title)}</h1>
${summary(data)}
<h2>Dirty rate</h2>
<div class="wide">
${renderRate(data.rates, "auto")}</div>
<h2>Heat map</h2>
<p class="faint">The pointer, or the arrow keys, tell which pages a cell has.</p>
<div class="wide"><div id="heat" tabindex="0">
${renderHeatmap(data.heat, { theme: "auto" })}<div id="tip" role="status" hidden></div>
</div></div>
${mappings(data)}
${accounts(data)}
${runs(data)}
<script type="application/json" id="heat-data">${scriptJson(pointerData(data))}</script>
<script>
${SCRIPT}
</script>
</body>
</html>
`;
}

function definitions(rows: readonly (readonly [string, string | undefined])[]): string {
  const items = rows.flatMap(([name, text]) =>
    text === undefined ? [] : [`<dt>${e(name)}</dt><dd>${e(text)}</dd>`]
  );
  return `<dl>\n${items.join("\n")}\n</dl>`;
}

const pagesText = (pages: number, pageSize: bigint): string =>
  `${grouped(pages)} ${pages === 1 ? "page" : "pages"} (${formatSize(BigInt(pages) * pageSize)})`;

function summary(data: ReportData): string {
  const { head, rounds, time, pages, readTime, once, always, labels } = data;
  const { pageSize } = head;
  const total = pages.mean * rounds * Number(pageSize);
  const facts = definitions([
    ["devices", head.devices.join(", ")],
    ["kernel", head.kernel],
    ["begun", head.started],
    ["source", `${head.source}, pages of ${formatSize(pageSize)}`],
    ["rounds", `${grouped(rounds)} in ${duration(time)}${missingRounds(data.heat.columns)}`],
    [
      "dirty in a round",
      pages.least === pages.most
        ? `${grouped(pages.most)} pages`
        : `${grouped(pages.least)} to ${grouped(pages.most)} pages, ${
          short(pages.mean)
        } on average`,
    ],
    [
      "rate",
      time > 0 ? `${formatSize(Math.round(total * 1000 / time))}/s on average` : undefined,
    ],
    ["dirty once or more", pagesText(once, pageSize)],
    ["dirty in each round", pagesText(always, pageSize)],
    [
      "reads in the kernel",
      `${duration(readTime.mean)} a round, at most ${duration(readTime.most)}`,
    ],
  ]);
  const meaning = labels.map(([label, count]) =>
    `<p><code>${label}</code> in ${grouped(count)} of ${grouped(rounds)} rounds: ${
      e(MEANINGS[label])
    }.</p>`
  ).join("\n");
  const command = head.command === undefined ? "" : `\n<pre>${e(head.command)}</pre>`;
  return `${facts}${command}\n<h2>What dirty means here</h2>\n${meaning}`;
}

/** A table; what stands first in a cell is shown, and the second is for sorting. */
function table(
  names: readonly string[],
  rows: readonly (readonly (readonly [string, string])[])[],
  isSorted: boolean,
): string {
  const head = names.map((name) =>
    `<th scope="col">${isSorted ? `<button type="button">${e(name)}</button>` : e(name)}</th>`
  ).join("");
  const body = rows.map((row) =>
    `<tr>${
      row.map(([text, key]) =>
        isSorted ? `<td data-v="${key}">${e(text)}</td>` : `<td>${e(text)}</td>`
      )
        .join("")
    }</tr>`
  ).join("\n");
  const kind = isSorted ? ` class="sort" id="runs"` : "";
  return `<div class="wide"><table${kind}>\n<thead><tr>${head}</tr></thead>\n` +
    `<tbody>\n${body}\n</tbody></table></div>`;
}

/** A number as text that sorts as numbers do. */
const key = (value: bigint | number): string => value.toString().padStart(20, "0");

function mappings({ mappings }: ReportData): string {
  const rows = mappings.map(({ iova, size, pages, once, always }) =>
    [hex(iova), formatSize(size), grouped(pages), grouped(once), grouped(always)]
      .map((text) => [text, ""] as const)
  );
  const names = ["iova", "size", "pages", "dirty once or more", "dirty in each round"];
  return `<h2>Mappings</h2>\n${table(names, rows, false)}`;
}

function accounts({ accounts }: ReportData): string {
  if (accounts.length === 0) return "";
  const row = (round: number, { locked, pinned, limit, dmaAvailable }: ViewAccount): string[] => [
    `after round ${grouped(round)}`,
    formatSize(locked),
    limit === undefined ? "none" : formatSize(limit),
    formatSize(pinned),
    dmaAvailable === undefined ? "not known" : grouped(dmaAvailable),
  ];
  const rows = accounts.map(([round, account]) =>
    row(round, account).map((text) => [text, ""] as const)
  );
  const names = ["", "VmLck", "limit of VmLck", "VmPin", "mappings left"];
  return `<h2>Accounts</h2>\n${table(names, rows, false)}`;
}

function runs({ runs, moreRuns, isPinnedKnown, labels }: ReportData): string {
  const isByRule = labels.some(([label]) => label === "all-mapped" || label === "incomplete");
  const [title, text] = isPinnedKnown
    ? [
      "Pinned runs",
      "What a second read, right behind the first, still had in the last round: " +
      "pinned, or touched between the two reads.",
    ]
    : ["Runs dirty in each round", "Pinned all the time, or written in each round."];
  if (!isPinnedKnown && isByRule) {
    return "<h2>Pinned runs</h2>\n<p>Pinned pages cannot be told apart here: in some rounds every " +
      "mapped page is dirty by rule.</p>";
  }
  if (runs.length === 0) return `<h2>${title}</h2>\n<p>There are none.</p>`;
  const rows = runs.map(({ iova, size, pages, page, always }) =>
    [
      [hex(iova), key(iova)],
      [formatSize(size), key(size)],
      [grouped(pages), key(pages)],
      [grouped(page), key(page)],
      [grouped(always), key(always)],
    ] as const
  );
  const names = ["iova", "size", "pages", "first page in the mapping", "pages in each round"];
  const more = moreRuns === 0
    ? ""
    : `\n<p>The largest are listed; ${grouped(moreRuns)} shorter ones are left out.</p>`;
  return `<h2>${title}</h2>\n<p>${text} A click on a heading sorts.</p>${more}\n${
    table(names, rows, true)
  }`;
}

/** What the script needs to tell what is under the pointer. */
function pointerData({ heat, head, mappings }: ReportData): unknown {
  const { shown, layout: { width, left, tops, rowHeight, columnWidth } } = placeHeatmap(heat);
  // Mostly the same for all columns.
  const mapped: (readonly number[])[] = [];
  const place = (row: readonly number[]): number => {
    const found = mapped.findIndex((other) => other.every((value, i) => value === row[i]));
    return found >= 0 ? found : mapped.push(row) - 1;
  };
  return {
    pageSize: Number(head.pageSize),
    width,
    left,
    tops,
    rowHeight,
    columnWidth,
    cells: shown.cells.map(({ iova, size }) => [iova, size]),
    mappings: mappings.map(({ iova, size }) => [iova, size]),
    columns: shown.columns.map(({ first, last, rounds, to, labels, dirty, mapped }) => ({
      first,
      last,
      rounds,
      to,
      labels,
      dirty,
      mapped: place(mapped),
    })),
    mapped,
  };
}
