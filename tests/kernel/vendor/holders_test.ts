/** Who holds VFIO, on a real /proc. */

import { Container, listHolders, pinsOf } from "../../../mod.ts";
import { equal, ok } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { runChild } from "../support/child.ts";
import { it } from "../support/guard.ts";
import { Scene, VFIO_PCI } from "./scene.ts";

describe("the processes that hold VFIO", () => {
  it("are this one, with its containers told apart, its groups and its devices", () => {
    using scene = new Scene();
    using other = Container.open();
    using plain = other.attach(VFIO_PCI);
    const { holders, forbidden } = listHolders();
    const self = holders.find(({ pid }) => pid === Deno.pid);
    ok(self !== undefined);
    equal(self.containers.map(({ fds }) => fds.length), [1, 1]);
    equal(new Set(self.containers.map(({ id }) => id)).size, 2);
    const groups = self.groups.map((group) => [
      group.number,
      group.devices?.map(({ name }) => name),
    ]);
    equal(
      groups.toSorted(),
      [
        [scene.group.number, scene.group.devices.map(({ name }) => name)],
        [plain.number, [VFIO_PCI]],
      ].toSorted(),
    );
    equal(self.devices.map(({ fd }) => fd), [scene.vendor.device.fd]);
    equal([self.pins?.locked, forbidden], [pinsOf().locked, []]);
  });

  it("of other users are told as such, and not asked again", async () => {
    using _scene = new Scene();
    const seen = await runChild("../vendor/child/holders.ts", { uid: 1000 }, `${Deno.pid}`);
    equal(seen, { isForbidden: true, holders: 0, missing: "ENOENT" });
  });

  it("are nobody when everything is released", () => {
    {
      using _scene = new Scene();
    }
    equal(listHolders().holders, []);
  });
});
