import { renderHeatmap, renderReport, ReportBuilder } from "../../lib/view/mod.ts";
import { DirtyMap } from "../../mod.ts";
import { equal, match, ok } from "../std/assert.ts";
import { describe, it, skip } from "../std/testing.ts";
import { HEAD, MAPPINGS, PAGE, roundOf, ROUNDS } from "../unit/view/fixture.ts";
import { Browser, findBrowser, MISSING } from "./browser.ts";

const path = findBrowser();
if (path === undefined && Deno.env.get("CI") === "true") throw new Error(MISSING);

/** Runs a test with a file open in a browser; whatever went wrong in the page fails it. */
async function withPage(
  name: string,
  text: string,
  body: (browser: Browser) => Promise<void>,
): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(`${folder}/${name}`, text);
    await using browser = await Browser.start(path!);
    await browser.open(`${folder}/${name}`);
    await body(browser);
    equal(browser.problems, []);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Where a cell is in the window: its middle. */
const middle = (row: number, column: number): string =>
  `(() => {
    const picture = document.querySelector("#heat svg");
    picture.scrollIntoView({ block: "center" });
    const heat = JSON.parse(document.getElementById("heat-data").textContent);
    const box = picture.getBoundingClientRect(), scale = box.width / heat.width;
    return [box.left + (heat.left + (${column} + 0.5) * heat.columnWidth) * scale,
      box.top + (heat.tops[${row}] + heat.rowHeight / 2) * scale];
  })()`;

const TIP =
  `document.getElementById("tip").hidden ? "" : document.getElementById("tip").textContent`;

function report(): string {
  const builder = new ReportBuilder(HEAD, MAPPINGS);
  for (const round of ROUNDS) builder.add(round);
  return renderReport(builder.data());
}

/** Runs of 3, 1 and 2 pages at rising addresses, on both sides of 2^36. */
function tableReport(): string {
  const mappings = [{ iova: 0x8000n, size: 1n << 40n }];
  const pinned = new DirtyMap(PAGE).addRange(0x9000n, 3).addRange(0x20000n, 1)
    .addRange(0x10_0000_0000n, 2);
  const builder = new ReportBuilder(HEAD, mappings);
  builder.add({ ...roundOf(1, []), dirty: pinned, pinned, mappings });
  return renderReport(builder.data());
}

const COLUMN = (column: number): string =>
  `[...document.querySelectorAll("#runs tbody tr")].map((row) => row.cells[${column}].textContent)`;

async function press(browser: Browser, column: number): Promise<void> {
  const [x, y] = await browser.value(`(() => {
    const button = document.querySelectorAll("#runs th button")[${column}];
    button.scrollIntoView({ block: "center" });
    const { left, top, width, height } = button.getBoundingClientRect();
    return [left + width / 2, top + height / 2];
  })()`) as [number, number];
  await browser.pointer(x, y, true);
}

if (path === undefined) {
  skip("a report in a real browser", MISSING);
} else {
  describe("a report in a real browser", () => {
    it("opens from a disk without an error, and loads nothing else", () =>
      withPage("report.html", report(), async (browser) => {
        equal(await browser.value("document.title"), "Dirty pages of 0000:00:10.0");
        equal(await browser.value(`document.querySelectorAll("svg").length`), 2);
      }));

    it("tells the page under the pointer", () =>
      withPage("report.html", report(), async (browser) => {
        const at = async (row: number, column: number): Promise<string> => {
          const [x, y] = await browser.value(middle(row, column)) as [number, number];
          await browser.pointer(x, y);
          return String(await browser.value(TIP));
        };
        equal(
          await at(2, 0),
          [
            "iova 0x102000 to 0x102fff",
            "page 2 of the mapping at 0x100000",
            "1 of 1 page dirty",
            "round 1, until 1 s",
            "pinned-scope",
          ].join("\n"),
        );
        match(await at(3, 1), /^iova 0x103000 .*\n.*\n0 of 1 page dirty\nround 2,/);
        match(await at(5, 1), /^iova 0x105000 .*\npage 5 .*\n1 of 1 page dirty\nround 2,/);
        match(await at(17, 2), /^iova 0x40001000 .*\npage 1 of the mapping at 0x40000000\n1 of 1/);
        // Behind the last column there is nothing.
        equal(await at(2, 3), "");
      }));

    it("tells it for the keys too", () =>
      withPage("report.html", report(), async (browser) => {
        await browser.value(`document.getElementById("heat").focus()`);
        const key = async (name: string): Promise<string> => {
          await browser.send("Input.dispatchKeyEvent", { type: "keyDown", key: name });
          return String(await browser.value(TIP));
        };
        match(await key("ArrowDown"), /^iova 0x100000 /);
        match(await key("ArrowDown"), /^iova 0x101000 /);
        match(await key("ArrowRight"), /^iova 0x101000 [^]*round 2/);
        equal(await key("Escape"), "");
      }));

    it("sorts its table by address and by number, up and down", () =>
      withPage("report.html", tableReport(), async (browser) => {
        const addresses = ["0x9000", "0x20000", "0x1000000000"];
        equal(await browser.value(COLUMN(0)), addresses);
        await press(browser, 2);
        equal(await browser.value(COLUMN(2)), ["1", "2", "3"]);
        await press(browser, 2);
        equal(await browser.value(COLUMN(0)), ["0x9000", "0x1000000000", "0x20000"]);
        const sorted = `document.querySelectorAll("#runs th")[2].getAttribute("aria-sort")`;
        equal(await browser.value(sorted), "descending");
        await press(browser, 0);
        equal(await browser.value(COLUMN(0)), addresses);
        await press(browser, 3);
        equal(await browser.value(COLUMN(3)), ["1", "24", "16,777,208"]);
      }));

    it("is light or dark, as its reader likes", () =>
      withPage("report.html", report(), async (browser) => {
        const paper = "getComputedStyle(document.body).backgroundColor";
        const cell = `getComputedStyle(document.querySelector("#heat .l7")).fill`;
        await browser.picture("light");
        equal([await browser.value(paper), await browser.value(cell)], [
          "rgb(255, 255, 255)",
          "rgb(55, 9, 47)",
        ]);
        await browser.picture("dark");
        equal([await browser.value(paper), await browser.value(cell)], [
          "rgb(21, 23, 26)",
          "rgb(251, 229, 140)",
        ]);
      }));

    it("takes names from outside as text", () => {
      const evil = `</script><script>throw 1</script><img src=x onerror=throw+2>`;
      const builder = new ReportBuilder({ ...HEAD, devices: [evil], command: evil }, MAPPINGS);
      for (const round of ROUNDS) builder.add(round);
      return withPage("report.html", renderReport(builder.data()), async (browser) => {
        ok(String(await browser.value("document.title")).includes(evil));
        equal(await browser.value(`document.images.length`), 0);
      });
    });
  });

  describe("a heat map in a real browser", () => {
    it("is a good SVG file, whatever stands in its title", () => {
      const builder = new ReportBuilder(HEAD, MAPPINGS);
      for (const round of ROUNDS) builder.add(round);
      const svg = renderHeatmap(builder.data().heat, { title: `a <&> "b" 'c' \x01` });
      return withPage("heat.svg", svg, async (browser) => {
        equal(await browser.value("document.documentElement.nodeName"), "svg");
        equal(await browser.value(`document.querySelectorAll("parsererror").length`), 0);
        match(String(await browser.value("document.title")), /^a <&> "b" 'c' \ufffd$/);
      });
    });
  });
}
