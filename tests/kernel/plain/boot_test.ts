/** The machine of this profile is what the other tests take for granted. */
import { equal, match } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";

describe("the plain machine", () => {
  it("has a VFIO container node", () => {
    equal(Deno.statSync("/dev/vfio/vfio").isCharDevice, true);
  });

  it("has the command line under its name, as in a shell", async () => {
    const { code, stdout } = await new Deno.Command("pinscope", { args: ["--version"] }).output();
    equal(code, 0);
    match(new TextDecoder().decode(stdout), /^pinscope \d/);
  });

  for (const device of ["0000:00:10.0", "0000:00:11.0"]) {
    it(`binds ${device} to vfio-pci, alone in its group`, () => {
      const folder = `/sys/bus/pci/devices/${device}`;
      const driver = Deno.readLinkSync(`${folder}/driver`);
      equal(driver.slice(driver.lastIndexOf("/") + 1), "vfio-pci");
      const members = [...Deno.readDirSync(`${folder}/iommu_group/devices`)];
      equal(members.map(({ name }) => name), [device]);
    });
  }
});
