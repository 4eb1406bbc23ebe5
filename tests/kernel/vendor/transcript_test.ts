/** The README shows what a real kernel says. */

import { equal, ok } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { transcript } from "./transcript.ts";

/** Group numbers depend on the machine that QEMU builds. */
const stable = (text: string): string => text.replaceAll(/group \d+/g, "group N");

describe("the transcript in the README", () => {
  it("is what happens", () => {
    const readme = Deno.readTextFileSync(new URL("../../../README.md", import.meta.url));
    const lines: string[] = [];
    transcript((line) => lines.push(line.trimEnd()));
    const blocks = [...readme.matchAll(/^```\w*\n(.*?)^```$/gms)].map(([, text]) => text ?? "");
    const shown = blocks.find((text) => text.startsWith("pinned "));
    ok(shown !== undefined, "README.md has no transcript");
    equal(stable(`${lines.join("\n")}\n`), stable(shown));
  });
});
