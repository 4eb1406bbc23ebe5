/** Who pays when another process than the one that mapped takes the mapping away. */
import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";

/** Runs a script of this folder in a shell that has opened a container as file 7. */
async function withContainer(script: string): Promise<unknown> {
  const file = new URL(script, import.meta.url).pathname;
  const deno = ["run", "--cached-only", "--no-check", "--no-lock", "-A", file];
  const shell = 'exec 7<> /dev/vfio/vfio; exec "$0" "$@"';
  const args = ["-c", shell, Deno.execPath(), ...deno];
  const { stdout, stderr, success } = await new Deno.Command("/bin/sh", { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

describe("UNMAP by a child that has inherited the container", () => {
  it("takes the pages off the account of the parent, who mapped", async () => {
    const containers = [[1], [1]]; // one container, held by two processes
    const unmapped = { result: "OK", removed: 8 * 4096, locked: 0, containers };
    equal(await withContainer("child/sharing.ts"), {
      answers: ["OK", unmapped, "OK", unmapped],
      // 3 pages pinned by the driver, then 8 mapped for a group behind an IOMMU.
      counts: [3, 0, 8, 0],
      pinned: 0,
      returned: 3,
      unmaps: 1,
    });
  });
});
