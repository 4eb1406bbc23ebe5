/** The example of a device's log, on a device that has one, and on one that has not. */
import { equal, match } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { LOGS_PCI, VFIO_PCI } from "./scene.ts";

const EXAMPLE = new URL("../../../examples/09_device_log.ts", import.meta.url).pathname;

async function run(device: string): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--cached-only", "--no-check", "--allow-ffi", EXAMPLE, device],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

describe("examples/09_device_log.ts", () => {
  it("shows an idle device as clean, of which type1 tells all that is mapped", async () => {
    const { code, text } = await run(LOGS_PCI);
    equal(text.trim().split("\n"), [
      `DMA log of ${LOGS_PCI}: 16 MiB in 4 KiB pages`,
      "type1: 4096 pages (unknown)",
      "log: 0 pages (written)",
    ]);
    equal(code, 0);
  });

  it("says that vfio-pci keeps no log", async () => {
    const { code, text } = await run(VFIO_PCI);
    match(text, /^Cannot log the DMA of 0000:00:10\.0: VFIO_DEVICE_FEATURE failed with ENOTTY/);
    equal(code, 1);
  });
});
