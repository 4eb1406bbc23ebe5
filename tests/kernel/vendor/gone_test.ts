/** A mediated device that is removed while the command line watches it. */
import { main } from "../../../cli/main.ts";
import { Kept } from "../../cli/capture.ts";
import { equal, match } from "../../std/assert.ts";
// Rounds are read on a thread, whose event loop has files of its own for a second: nothing counts them.
import { describe, it } from "../../std/testing.ts";

const NEW = "50696e73-0000-4000-8000-0000000000aa";
const TYPE = "/sys/devices/virtual/pinscope_vendor/pinscope_vendor/mdev_supported_types/" +
  "pinscope_vendor-pins";

/** Removes the device when a text was written. */
class Remover extends Kept {
  #isDone = false;

  constructor(readonly at: string) {
    super();
  }

  override writeSync(bytes: Uint8Array): number {
    const written = super.writeSync(bytes);
    if (!this.#isDone && this.text.includes(this.at)) {
      this.#isDone = true;
      Deno.writeTextFileSync(`/sys/bus/mdev/devices/${NEW}/remove`, "1");
    }
    return written;
  }
}

describe("a device that is removed while it is watched", () => {
  it("is said to be gone, and nothing else", async () => {
    Deno.writeTextFileSync(`${TYPE}/create`, NEW);
    const [stdout, stderr] = [new Remover("round 2:"), new Kept()];
    const { signal } = new AbortController();
    const args = ["watch", NEW, "--map", "16M:1M", "--interval", "0", "--source", "type1"];
    const code = await main(args, { stdout, stderr, signal });
    const said = stderr.text.replaceAll("\n  ", " ").trimEnd().split("\n");
    equal([code, said.length], [1, 1], stderr.text);
    match(said[0]!, /failed with EINVAL \(22\): the last device of the container was removed/);
  });
});
