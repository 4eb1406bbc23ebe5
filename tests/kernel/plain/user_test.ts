/** A user who is not root, and owns nothing but the node of a group. */
import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { runChild } from "../support/child.ts";
import { it } from "../support/guard.ts";
import { EDU, EDU2, groupOf } from "../support/machine.ts";

const UID = 1000;
const NODE = `/dev/vfio/${groupOf(EDU)}`;
/** The node of a group that stays root's. */
const OTHER = `/dev/vfio/${groupOf(EDU2)}`;

/** Gives a file to the user until scope end. */
function give(path: string): Disposable {
  Deno.chownSync(path, UID, UID);
  return { [Symbol.dispose]: () => Deno.chownSync(path, 0, 0) };
}

describe("an ordinary user", () => {
  it("who owns the group lives the whole life, up to the memory limit and no further", async () => {
    using _node = give(NODE);
    const size = 1 << 20;
    const change = { uid: UID, memlock: BigInt(size) };
    equal(await runChild("user_child.ts", change, "life", String(size)), {
      id: true,
      bytes: [4, 5, 6, 0],
      runs: [{ iova: 0x100_0000, size, pages: 256, label: "all-mapped" }],
      event: 1,
      locked: size,
      ipcLock: false,
      oneMore: "VfioError: Cannot map 4 KiB at iova 0x2000000: VFIO_IOMMU_MAP_DMA failed with " +
        "ENOMEM (12): VmLck 1 MiB + 4 KiB is above RLIMIT_MEMLOCK 1 MiB (hard: 1 MiB), and " +
        "CAP_IPC_LOCK, which lifts it, is missing; raise the limit (ulimit -l, LimitMEMLOCK=) or " +
        "map less",
      notOurs:
        `VfioError: Cannot open IOMMU group ${groupOf(EDU2)}: open failed with EACCES (13): ` +
        `this user may not open ${OTHER}; as root: chown $USER ${OTHER}`,
      last: 256,
      left: [],
    });
  });

  it("who may not open the container's node is told how to", async () => {
    using _node = give(NODE);
    const path = "/dev/vfio/vfio";
    const mode = Deno.statSync(path).mode! & 0o777;
    Deno.chmodSync(path, 0o600);
    using _back = { [Symbol.dispose]: () => Deno.chmodSync(path, mode) };
    const { message } = await runChild("user_child.ts", { uid: UID }, "attach");
    equal(
      message,
      "VfioError: Cannot open a VFIO container: open failed with EACCES (13): this user may not " +
        `open ${path}; as root: chmod 666 ${path} (it gives no device away)`,
    );
  });
});
