import { showAsText } from "../../../lib/base/inspect.ts";
import { Container, DirtyMap } from "../../../mod.ts";
import { DEFAULT_MDEV, ModelKernel } from "../../../lib/model/mod.ts";
import { equal, match } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";

describe("showAsText", () => {
  it("is what the console shows, also within something else", () => {
    class Named {
      static {
        showAsText(this.prototype);
      }
      toString(): string {
        return "its text";
      }
    }
    equal(Deno.inspect([new Named()]), "[ its text ]");
    equal(Object.keys(new Named()), []);
  });

  it("shows a set of pages: how many, and the first runs", () => {
    const map = new DirtyMap(4096n);
    equal(Deno.inspect(map), "no page of 4 KiB");
    map.addRange(0x1000n, 3);
    map.addRange(0x8000n, 1);
    equal(Deno.inspect(map), "4 pages of 4 KiB: 3 at 0x1000, 1 at 0x8000");
    for (let i = 0; i < 1000; i += 1) map.addRange(BigInt(i) * 0x10_0000n, 1);
    match(
      Deno.inspect(map),
      /^1,004 pages of 4 KiB: 4 at 0x0, 1 at 0x8000, 1 at 0x100000, 1 at 0x200000, \.\.\.$/,
    );
    equal(`${map}`, Deno.inspect(map));
  });

  it("shows the log of a device as the README says", () => {
    using container = Container.open({ kernel: new ModelKernel() });
    using group = container.attach(DEFAULT_MDEV);
    using device = group.device();
    using memory = container.allocate(1n << 20n);
    using mapping = container.map(memory);
    using log = device.logDma({ ranges: [mapping] });
    equal(Deno.inspect(log), `${log}`);
    match(`${log}`, /^DMA log of /);
  });
});
