/** The scripts that `pinscope new` writes, on a real device. */
import { scriptText, TEMPLATES } from "../../../cli/template.ts";
import { equal, match } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { EDU } from "../support/machine.ts";

const CONFIG = new URL("../../../deno.json", import.meta.url).pathname;

describe("a script of pinscope new on a real device", () => {
  const cases: Readonly<Record<string, RegExp>> = {
    setup:
      /^group \d+ has 0000:00:10\.0 vfio-pci$.*^mapped 1 MiB at iova 0x40000\nVmLck is 1 MiB$/ms,
    pins: /^pinned pages cannot be told here: .*^map 16 MiB at iova 0x40000 cost 16 MiB$/ms,
    dma: /^seen by a device\n0x100000 256 pages all-mapped$/m,
  };
  for (const [name, text] of Object.entries(cases)) {
    it(name, async () => {
      const path = Deno.makeTempFileSync({ suffix: ".ts" });
      try {
        Deno.writeTextFileSync(path, scriptText(TEMPLATES[name]!, `${name}.ts`));
        const flags = ["--cached-only", "--no-check", `--config=${CONFIG}`, "--allow-ffi"];
        const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
          args: ["run", ...flags, path, "--device", EDU],
          env: { NO_COLOR: "1" },
        }).output();
        equal(code, 0, new TextDecoder().decode(stderr));
        match(new TextDecoder().decode(stdout), text);
      } finally {
        Deno.removeSync(path);
      }
    });
  }
});
