import { Ledger } from "../../../lib/pins/ledger.ts";
import { PinSnapshot } from "../../../lib/pins/snapshot.ts";
import { equal, match } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";

const PAGE = 4096n;

const snapshot = (pages: bigint): PinSnapshot =>
  new PinSnapshot({
    locked: pages * PAGE,
    pinned: 0n,
    limit: { soft: undefined, hard: undefined },
    ipcLock: false,
    command: "deno",
    dmaAvailable: undefined,
  });

const ledger = (iommuGroups: number): Ledger =>
  new Ledger({ groups: 1, iommuGroups, mapped: 0n, driverLocked: 0n }, snapshot(0n));

describe("the ledger's explanation", () => {
  const map = { kind: "map", size: 4n * PAGE, entries: 1 } as const;

  it("of less than expected names reserved pages and the page of zeros", () => {
    const { difference, notes } = ledger(1).record(map, "a mapping", snapshot(1n));
    equal([difference, notes.length], [-3n * PAGE, 1]);
    match(notes[0] ?? "", /^12 KiB less than .*: reserved pages are not counted .* page of zeros/);
  });

  it("of more than expected names mlock and drivers", () => {
    const { difference, notes } = ledger(1).record(map, "a mapping", snapshot(5n));
    equal([difference, notes.length], [PAGE, 1]);
    match(notes[0] ?? "", /^4 KiB more than .* \(mlock, another container\), or a driver pinned/);
  });

  it("of a change between operations tells what cannot be told apart, and flags what can", () => {
    const [mediated, behind] = [ledger(0), ledger(1)];
    for (const each of [mediated, behind]) each.settle(snapshot(2n));
    equal([...mediated.entries, ...behind.entries].map((e) => [e.subject, e.difference]), [
      ["drivers, or the process", 0n],
      ["the rest of the process", 2n * PAGE],
    ]);
    equal([mediated.differences.length, behind.differences.length], [0, 1]);
    match(mediated.entries[0]?.notes.join() ?? "", /mlock .* and nothing tells them apart/);
  });
});
