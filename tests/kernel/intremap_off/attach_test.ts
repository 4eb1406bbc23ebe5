/** A machine that does not remap interrupts: a group is refused unless the risk is accepted. */
import { Container, rawLinux as linux } from "../../../mod.ts";
import { VFIO_GROUP_UNSET_CONTAINER, VFIO_SET_IOMMU } from "../../../lib/uapi/mod.ts";
import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { EDU, EDU2, LOW, MiB, setting } from "../support/machine.ts";
import { answer, must, openFile, openGroup, setContainer } from "../support/raw.ts";
import { refused } from "../support/refused.ts";

const UNSAFE = "/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts";

describe("without interrupt remapping", () => {
  for (const type of [1n, 3n]) {
    it(`SET_IOMMU ${type}, raw: EPERM`, () => {
      using container = openFile("/dev/vfio/vfio");
      using group = openGroup();
      must(setContainer(group.fd, container.fd), "SET_CONTAINER");
      equal(answer(linux.ioctlValue(container.fd, VFIO_SET_IOMMU, type)), "EPERM");
      must(linux.ioctl(group.fd, VFIO_GROUP_UNSET_CONTAINER), "UNSET_CONTAINER");
    });
  }

  const wanted = (operation: string, text = ""): Parameters<typeof refused>[1] => ({
    code: "EPERM",
    rule: "setup.interrupts",
    operation,
    text: `${text}${operation} failed with EPERM (1): the IOMMU does not remap interrupts, so a ` +
      "device could send any; switch interrupt remapping on, or accept the risk: echo 1 > " +
      UNSAFE,
  });

  it("attach is refused, says what to do, and may be tried again", () => {
    using container = Container.open();
    for (let i = 0; i < 2; i += 1) {
      refused(() => container.attach(EDU), wanted("VFIO_SET_IOMMU"));
      equal(container.groups, []);
    }
  });

  it("what the message says to do helps", () => {
    using container = Container.open();
    using _risk = setting(UNSAFE, "1");
    using _group = container.attach(EDU);
    using memory = container.allocate(MiB);
    using _mapping = container.map(memory, { iova: LOW });
    equal(container.pins().locked, MiB);
  });

  it("a second group is refused as well, and the first one stays", () => {
    using container = Container.open();
    using risk = setting(UNSAFE, "1");
    using group = container.attach(EDU);
    risk[Symbol.dispose]();
    refused(() => container.attach(EDU2), wanted("VFIO_GROUP_SET_CONTAINER"));
    equal(container.groups, [group]);
    using memory = container.allocate(MiB);
    using _mapping = container.map(memory, { iova: LOW });
  });
});
