/** The examples that work with a PCI device do so on the real one. */

import { equal, match } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { EDU } from "../support/machine.ts";

const FOLDER = new URL("../../../examples/", import.meta.url).pathname;

describe("examples on a real device", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["01_attach.ts", /^group \d+, pages of 4096 bytes$/m],
    ["02_map.ts", /^64 MiB at iova 0x40000: VmLck \+64 MiB\nunmapped: VmLck \+0 bytes$/m],
    [
      "03_explain.ts",
      /^map\.align: .*\nrefused: Cannot map memory: 0xfee00000\.\.0xfee00fff is outside/m,
    ],
    ["06_memlock.ts", /^4 MiB locked, no limit$/m], // root has CAP_IPC_LOCK
    ["08_info.ts", /^region 0: 1 MiB\nregion 7: 256 bytes$/m],
    ["05_dirty_runs.ts", /^all-mapped 0x100000000 16384 pages$/m],
    [
      "10_edu_dma.ts",
      /^edu 0x10000ed copied: "pages seen by a device"\ndirty: 1 page, all-mapped$/m,
    ],
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
