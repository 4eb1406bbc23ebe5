/** A user who is not root, and owns nothing but the node of a group. */
import { equal, match } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { runChild } from "../support/child.ts";
import { it } from "../support/guard.ts";
import { EDU, groupOf } from "../support/machine.ts";

const UID = 1000;
const NODE = `/dev/vfio/${groupOf(EDU)}`;

/** Gives a file to the user until scope end. */
function give(path: string): Disposable {
  Deno.chownSync(path, UID, UID);
  return { [Symbol.dispose]: () => Deno.chownSync(path, 0, 0) };
}

describe("an ordinary user", () => {
  it("who owns the group lives the whole life, up to the memory limit", async () => {
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
      last: 256,
      left: [],
    });
  });

  it("who owns the group meets the memory limit", async () => {
    using _node = give(NODE);
    const seen = await runChild("memlock_child.ts", { uid: UID, memlock: 64n * 4096n }, "64");
    equal(seen.raw, ["ENOMEM", "OK", "ENOMEM"]);
    const { above } = seen.friendly as Record<string, string>;
    match(above!, /ENOMEM \(12\): VmLck 0 bytes \+ 260 KiB is above RLIMIT_MEMLOCK 256 KiB/);
  });

  it("who does not own the group is told how to", async () => {
    const { message } = await runChild("user_child.ts", { uid: UID }, "attach");
    equal(
      message,
      `VfioError: Cannot open IOMMU group ${groupOf(EDU)}: open failed with EACCES (13): this ` +
        `user may not open ${NODE}; as root: chown $USER ${NODE}`,
    );
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
