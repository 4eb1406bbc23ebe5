import { equal, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { readSteps, type } from "./first_hour.ts";

/** What does not depend on how fast the machine is: times are left out, and what moves with them. */
const timeless = (text: string): string =>
  text.replaceAll(/\d+(\.\d+)? m?s\b/g, "TIME").replaceAll(/ +/g, " ");

describe("the first hour of the README", () => {
  const steps = readSteps();

  it("shows what the commands print, and leaves the files that it names", async () => {
    ok(steps.length >= 8, `${steps.length} steps`);
    const printed = await type(steps.map(({ line }) => line), (folder) => {
      const text = (name: string): string => Deno.readTextFileSync(`${folder}/${name}`);
      ok(/group:5[^]*<\/html>/.test(text("first.html")));
      ok(text("first.svg").startsWith("<svg"));
      ok(Deno.statSync(`${folder}/first.psr`).size > 0);
    });
    equal(
      steps.map(({ line }, i) => [line, timeless(printed[i] ?? "")]),
      steps.map(({ line, printed }) => [line, timeless(printed)]),
    );
  });

  it("fits into a terminal of 80 columns", () => {
    const wide = steps.flatMap(({ printed }) => printed.split("\n")).filter((l) => l.length >= 80);
    equal(wide, []);
  });
});
