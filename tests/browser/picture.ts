/**
 * Pictures of a page or an SVG file as a browser shows it, light and dark, to look at.
 *
 *     deno run --cached-only -A tests/browser/picture.ts FILE OUT [WIDTH]     writes OUT-light.png and OUT-dark.png
 *
 * @module
 */

import { Browser, findBrowser, MISSING } from "./browser.ts";

const [file, out, width] = Deno.args;
const path = findBrowser();
if (path === undefined || file === undefined || out === undefined) {
  console.error(path === undefined ? MISSING : "usage: picture.ts FILE OUT [WIDTH]");
  Deno.exit(2);
}
await using browser = await Browser.start(path);
await browser.open(Deno.realPathSync(file));
for (const scheme of ["light", "dark"] as const) {
  Deno.writeFileSync(`${out}-${scheme}.png`, await browser.picture(scheme, Number(width ?? 1000)));
}
for (const problem of browser.problems) console.error(problem);
