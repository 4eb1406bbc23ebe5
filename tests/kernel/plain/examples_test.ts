/** The examples that work with a PCI device do so on the real one. */

import { equal, match } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { EDU } from "../support/machine.ts";

const FOLDER = new URL("../../../examples/", import.meta.url).pathname;

describe("examples on a real device", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["info.ts", /^region 0: 1 MiB\nregion 7: 256 bytes$/m],
    ["dirty_runs.ts", /^all-mapped 0x100000000 16384 pages$/m],
    ["edu_dma.ts", /^edu 0x10000ed copied: "pages seen by a device"\ndirty: 1 page, all-mapped$/m],
  ];
  for (const [name, text] of cases) {
    it(name, async () => {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--cached-only", "--no-check", "--allow-ffi", `${FOLDER}${name}`, EDU],
        env: { NO_COLOR: "1" },
      }).output();
      equal(code, 0, new TextDecoder().decode(stderr));
      match(new TextDecoder().decode(stdout), text);
    });
  }
});
