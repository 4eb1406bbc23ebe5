import { type PinCounters, PinSnapshot } from "../../../lib/pins/snapshot.ts";
import { equal } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";

const snapshot = (more: Partial<PinCounters> = {}): PinSnapshot =>
  new PinSnapshot({
    locked: 0x4000n,
    pinned: 0x1000n,
    limit: { soft: 0x10000n, hard: undefined },
    ipcLock: false,
    command: "deno",
    dmaAvailable: 65535,
    ...more,
  });

describe("PinSnapshot", () => {
  it("says how much may still be locked", () => {
    equal(snapshot().room, 0xc000n);
    equal(snapshot({ locked: 0xffffn }).room, 1n);
    equal(snapshot({ locked: 0x10000n }).room, 0n);
  });

  it("has no room below 0, when the limit was lowered later", () => {
    equal(snapshot({ locked: 0x20000n }).room, 0n);
  });

  it("is not limited with CAP_IPC_LOCK or without a limit", () => {
    equal(snapshot({ ipcLock: true }).room, undefined);
    equal(snapshot({ limit: { soft: undefined, hard: undefined } }).room, undefined);
  });

  it("gives what changed, either way", () => {
    const later = snapshot({ locked: 0x9000n, pinned: 0n, dmaAvailable: 65533 });
    equal(later.since(snapshot()), { locked: 0x5000n, pinned: -0x1000n, dmaAvailable: -2 });
    equal(snapshot().since(snapshot()), { locked: 0n, pinned: 0n, dmaAvailable: 0 });
  });

  it("compares the mappings left only where both know", () => {
    const unknown = snapshot({ dmaAvailable: undefined });
    equal(snapshot().since(unknown).dmaAvailable, undefined);
    equal(unknown.since(snapshot()).dmaAvailable, undefined);
  });

  it("takes the mappings of a container, and changes nothing else", () => {
    const before = snapshot({ dmaAvailable: undefined });
    const after = before.with({ dmaAvailable: 0 });
    equal([before.dmaAvailable, after.dmaAvailable], [undefined, 0]);
    equal({ ...after, dmaAvailable: undefined }, { ...before });
  });
});
