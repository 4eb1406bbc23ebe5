/** RLIMIT_MEMLOCK with and without the capability that lifts it. */
import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { runChild } from "../support/child.ts";
import { it } from "../support/guard.ts";

const PAGE = 4096;
const LIMIT = 64;
const memlock = BigInt(LIMIT * PAGE);
const none = { locked: 0, pinned: 0, dmaAvailable: 0 };

/** The sentence that a refusal must be. */
const refusal = (wanted: string, place: string, locked: string): string =>
  `VfioError: Cannot map ${wanted} at iova ${place}: VFIO_IOMMU_MAP_DMA failed with ENOMEM (12): ` +
  `VmLck ${locked} + ${wanted} is above RLIMIT_MEMLOCK 256 KiB (hard: 256 KiB), and CAP_IPC_LOCK, ` +
  "which lifts it, is missing; raise the limit (ulimit -l, LimitMEMLOCK=) or map less";

describe("a limit of 64 pages", () => {
  it("without CAP_IPC_LOCK: 64 pages fit, 65 do not, and the message says why", async () => {
    const seen = await runChild("memlock_child.ts", { memlock, withoutIpcLock: true }, "64");
    equal(seen, {
      raw: ["ENOMEM", "OK", "ENOMEM"],
      friendly: {
        ipcLock: false,
        limit: { soft: LIMIT * PAGE, hard: LIMIT * PAGE },
        above: refusal("260 KiB", "0x1000000", "0 bytes"),
        afterAbove: none,
        at: LIMIT * PAGE,
        oneMore: refusal("4 KiB", "0x1100000", "256 KiB"),
        twice: refusal("4 KiB", "0x1200000", "256 KiB"),
        pieces: refusal("4 KiB", "0x1040000", "256 KiB"),
        afterPieces: none,
      },
      lockedPage: {
        start: PAGE,
        whole: refusal("256 KiB", "0x1000000", "4 KiB"),
        end: LIMIT * PAGE,
      },
    });
  });

  it("with CAP_IPC_LOCK: it is not enforced, and all pages are counted", async () => {
    const { raw, friendly, lockedPage } = await runChild("memlock_child.ts", { memlock }, "64");
    equal({ raw, friendly, lockedPage }, {
      raw: ["OK", "OK", "OK"],
      friendly: {
        ipcLock: true,
        limit: { soft: LIMIT * PAGE, hard: LIMIT * PAGE },
        above: `${65 * PAGE} bytes locked`,
        afterAbove: none,
        at: LIMIT * PAGE,
        oneMore: `${65 * PAGE} bytes locked`,
        twice: `${65 * PAGE} bytes locked`,
        pieces: `${65 * PAGE} bytes locked`,
        afterPieces: none,
      },
      lockedPage: { start: PAGE, whole: `${65 * PAGE} bytes locked`, end: LIMIT * PAGE },
    });
  });
});
