import { Container, DirtyMap, type HostMemory, listHost, mergeRuns } from "../../mod.ts";
import { ModelKernel } from "../../lib/model/mod.ts";
import { equal, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

const PCI = "0000:00:10.0";

/** What a script without types passes. */
// deno-lint-ignore no-explicit-any -- the compiler would refuse each of these calls
const wrong = (value: unknown): any => value;

describe("an argument of the wrong kind", () => {
  type Call = (container: Container, memory: HostMemory) => unknown;
  const NUMBER = "must be a bigint, as 0x1000n; got the number 4096";
  const cases: [string, Call, string][] = [
    ["iova", (c, m) => c.map(m, wrong({ iova: 4096 })), `iova ${NUMBER}`],
    ["size", (c, m) => c.map(m, wrong({ size: 4096 })), `size ${NUMBER}`],
    ["offset", (c, m) => c.map(m, wrong({ offset: 4096 })), `offset ${NUMBER}`],
    ["pieceSize", (c, m) => c.map(m, wrong({ pieceSize: 4096 })), `pieceSize ${NUMBER}`],
    ["access", (c, m) => c.map(m, wrong({ access: "x" })), 'access must be "r", "w" or "rw"; got'],
    ["options", (c, m) => c.map(m, wrong(4096n)), "Options are an object, as { iova: ... }; got"],
    ["an option", (c, m) => c.map(m, wrong({ iove: 4096n })), 'did you mean "iova"?'],
    ["memory", (c) => c.map(wrong(new Uint8Array(4))), "got an object of class Uint8Array"],
    ["allocate", (c) => c.allocate(wrong(4096)), `size ${NUMBER}`],
    ["a huge page", (c) => c.allocate(4096n, wrong({ hugePageSize: 4096 })), NUMBER],
    [
      "backing",
      (c) => c.allocate(4096n, wrong({ backing: "file" })),
      '"anonymous" or "memfd"; got',
    ],
    ["allocate's option", (c) => c.allocate(4096n, wrong({ hugePage: 1n })), '"hugePageSize"?'],
    ["supports", (c) => c.supports(wrong(1n)), "extension must be a number, as 4096; got"],
    ["forecast", (c) => c.forecast([wrong({ size: 4096 })]), `size ${NUMBER}`],
    ["forecast without size", (c) => c.forecast([wrong({})]), "got undefined"],
    ["a planned field", (c) => c.forecast([wrong({ size: 1n, counts: 1 })]), '"count"?'],
    ["a driver's pages", (c) => c.recordDriver("x", wrong(1n), () => 0), "pages must be a number"],
    [
      "open",
      () => Container.open(wrong({ type: "v3" })),
      'type must be "v1" or "v2"; got the string',
    ],
    ["open's option", () => Container.open(wrong({ kernal: 1 })), 'did you mean "kernel"?'],
    ["listHost", () => listHost(wrong({ model: true })), 'Unknown option "model"; known: kernel'],
    ["has", () => new DirtyMap(4096n).has(wrong(4096)), `iova ${NUMBER}`],
    ["addRange", () => new DirtyMap(4096n).addRange(0n, wrong(1n)), "pages must be a number"],
    ["deleteRange", () => new DirtyMap(4096n).deleteRange(wrong(4096), 1), `iova ${NUMBER}`],
    ["a page size", () => new DirtyMap(wrong(4096)), `pageSize ${NUMBER}`],
  ];
  for (const [name, call, text] of cases) {
    it(`is told by name: ${name}`, () => {
      const kernel = new ModelKernel();
      {
        using container = Container.open({ kernel });
        using _group = container.attach(PCI);
        using memory = container.allocate(1n << 20n);
        throws(() => call(container, memory), TypeError, text);
        equal(container.mappings, []);
      }
      equal([kernel.openFiles, kernel.openMappings], [0, 0]);
    });
  }

  it("is told by drain and runs at the call, before anything is read", () => {
    using container = Container.open({ kernel: new ModelKernel() });
    using _group = container.attach(PCI);
    using tracker = container.trackDirty();
    const budget = wrong({ maxBitmapBytes: 4096n });
    throws(() => tracker.drain(budget), TypeError, "maxBitmapBytes must be a number, as 4096; got");
    throws(() => tracker.runs(wrong({ maxBitmap: 1 })), TypeError, 'mean "maxBitmapBytes"?');
    throws(() => tracker.drain({ maxBitmapBytes: 1 }), RangeError, "at least 8; got 1");
    throws(() => tracker.drain(wrong({ cursor: { iova: 0 } })), TypeError, "cursor.iova must be");
    equal([...mergeRuns(tracker.drain({ cursor: { iova: 0n } }))], []);
  });

  it("is a RangeError where only the value is wrong", () => {
    for (const pages of [-1, 0.5, Infinity, NaN]) {
      throws(() => new DirtyMap(4096n).addRange(0n, pages), RangeError, `at least 0; got ${pages}`);
    }
    using container = Container.open({ kernel: new ModelKernel() });
    throws(() => container.recordDriver("x", 0.5, () => 0), RangeError, "whole number; got 0.5");
  });
});
