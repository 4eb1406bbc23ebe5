import { equal, match } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import type { Context } from "../../cli/context.ts";
import { COMMANDS } from "../../cli/commands.ts";
import { Output } from "../../cli/output.ts";
import { quirks } from "../../cli/quirks.ts";
import { listHost } from "../../mod.ts";
import { ModelKernel } from "../../lib/model/mod.ts";
import { Kept, records, run, tooWide, unwrapped } from "./capture.ts";

describe("the machine of the model", () => {
  it("is told where it is another one than that of info", async () => {
    for (
      const [command, text, has] of [["conform", "no iommufd", false], [
        "quirks",
        "has iommufd",
        true,
      ]] as const
    ) {
      const row = COMMANDS.find(({ name }) => name === command);
      match(row?.machine ?? "", new RegExp(text));
      equal(listHost({ kernel: new ModelKernel(await row?.scene?.()) }).hasIommufd, has);
    }
    const told = (await run(["quirks", "--model"])).err;
    match(unwrapped(told), /^pinscope: the model's machine is here the lab's, with its own 6\.12/m);
    equal((await run(["quirks", "--model=6.1"])).err.includes("machine"), false);
    equal((await run(["quirks", "--model", "--quiet"])).err, "");
  });
});

describe("pinscope quirks", () => {
  it("is a table, with what each line means below", async () => {
    const { code, out, err } = await run(["quirks", "--model", "--quiet"]);
    equal([code, err, tooWide(out)], [0, "", []]);
    match(out, /^6\.12\.\S+: 14 quirks probed, 14 of them here\n\nQUIRK +HERE +SEEN\n/);
    match(out, /^type1\.stale +yes +4 pages, .* gave 0x1f$/m);
    match(unwrapped(out), /^hwpt\.hole-ok: a read ends at the first hole, with success;/m);
  });

  it("says of another kernel what it does not do, and what could not be probed", async () => {
    const { code, out, err } = await run(["quirks", "--model=7"]);
    equal([code, tooWide(err)], [0, []]);
    match(out, /^7-model: 7 quirks probed, 6 of them here; 7 could not be\n/);
    match(out, /^type1\.wrap-einval +no .*\n +EOVERFLOW$/m);
    match(
      unwrapped(err),
      /^pinscope: hwpt\.off-ok, .*, hwpt\.lost-start: not probed: .*no iommufd/,
    );
  });

  it("gives a line of JSON for each", async () => {
    const { out } = await run(["quirks", "0000:00:10.0", "--model=6.1", "--json"]);
    const [kernel, ...all] = records(out);
    equal([kernel?.["type"], all.length], ["kernel", 14]);
    const stale = all.find(({ name }) => name === "type1.stale");
    equal([stale?.["type"], stale?.["present"]], ["quirk", true]);
    match(`${stale?.["source"]}`, /^drivers\/vfio\/vfio_iommu_type1\.c, update_user_bitmap$/);
    equal(all.find(({ name }) => name === "hwpt.off-ok")?.["present"], null);
  });

  it("is 1 where nothing can be probed", () => {
    const [stdout, stderr] = [new Kept(), new Kept()];
    const kernel = new ModelKernel({ devices: [], iommufd: undefined });
    {
      using out = new Output({ stdout, stderr }, false);
      const parsed = { positional: [], flags: new Set(), values: new Map(), lists: new Map() };
      equal(quirks({ out, kernel, parsed } as unknown as Context), 1);
    }
    match(stdout.text, /: 0 quirks probed, 0 of them here; 14 could not be\n$/);
    match(unwrapped(stderr.text), /type1\.stale, .*: not probed: no PCI device is bound/);
  });

  it("refuses a device that there is not", async () => {
    const none = await run(["quirks", "0000:00:1f.0", "--model=6.1"]);
    equal([none.code, none.out], [1, ""]);
    match(unwrapped(none.err), /there is no such device; pinscope info lists/);
  });
});
