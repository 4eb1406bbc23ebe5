/** SET_IRQS of edu on the model: one request after another, as Linux 6.12 answered them in the lab. */

import { errnoName } from "../../lib/base/errno.ts";
import { RawContainer } from "../../lib/conform/container.ts";
import { LAB_SCENE, ModelKernel } from "../../lib/model/mod.ts";
import { POLLIN } from "../../lib/sys/constant.ts";
import { VFIO_DEVICE_SET_IRQS } from "../../lib/uapi/mod.ts";
import { VFIO_PCI } from "../kernel/vendor/scene.ts";
import { equal } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

/** Stands for an eventfd, and for a file that is none. */
const EVENT = -100;
const OTHER = -101;

/** argsz, flags, index, start, count and data; the answer, and whether the eventfd was signalled. */
const RECORDED: readonly (readonly [readonly number[], string])[] = [
  [[19, 0x21, 0, 0, 1], "EINVAL"],
  [[20, 0x21, 0, 0, 1], "EINVAL"],
  [[20, 0, 0, 0, 0], "EINVAL"],
  [[20, 1, 0, 0, 1], "ENOTTY"],
  [[20, 0x20, 0, 0, 1], "EINVAL"],
  [[24, 0x23, 0, 0, 1, 1], "EINVAL"],
  [[20, 0x31, 0, 0, 1], "ENOTTY"],
  [[20, 0x61, 0, 0, 1], "EINVAL"],
  [[20, 0x21, 5, 0, 1], "EINVAL"],
  [[28, 0x24, 1, 0, 2, EVENT, EVENT], "EINVAL"],
  [[20, 0x21, 2, 0, 0], "EINVAL"],
  [[24, 0x24, 2, 0, 1, EVENT], "EINVAL"],
  [[20, 0x21, 0, 1, 1], "EINVAL"],
  [[20, 0x21, 0, 0xffff_ffff, 2], "EINVAL"],
  [[20, 0x24, 0, 0, 1, EVENT], "EINVAL"],
  [[24, 0x24, 0, 0, 1, 999], "EBADF"],
  [[24, 0x24, 0, 0, 1, -2], "OK"],
  [[24, 0x24, 0, 0, 1, OTHER], "EINVAL"],
  [[20, 0x21, 0, 0, 0], "OK"],
  [[20, 0x09, 0, 0, 1], "EINVAL"],
  [[20, 0x11, 0, 0, 1], "EINVAL"],
  [[24, 0x24, 0, 0, 1, EVENT], "OK"],
  [[24, 0x24, 1, 0, 1, EVENT], "EINVAL"],
  [[20, 0x09, 0, 0, 1], "OK"],
  [[21, 0x0a, 0, 0, 1, 1], "OK"],
  [[20, 0x11, 0, 0, 1], "OK"],
  [[24, 0x0c, 0, 0, 1, EVENT], "ENOTTY"],
  [[24, 0x14, 0, 0, 1, EVENT], "OK"],
  [[24, 0x14, 0, 0, 1, -1], "OK"],
  [[20, 0x21, 0, 0, 1], "OK, event"],
  [[21, 0x22, 0, 0, 1, 1], "OK, event"],
  [[24, 0x24, 0, 0, 1, -1], "OK"],
  [[20, 0x21, 0, 0, 0], "OK"],
  [[24, 0x24, 1, 0, 1, EVENT], "OK"],
  [[20, 0x21, 1, 0, 1], "OK, event"],
  [[21, 0x22, 1, 0, 1, 1], "OK, event"],
  [[24, 0x24, 1, 0, 1, -1], "OK"],
  [[20, 0x09, 1, 0, 1], "ENOTTY"],
  [[20, 0x21, 1, 0, 0], "OK"],
  [[20, 0x24, 1, 0, 0], "ERANGE"],
  [[20, 0x21, 1, 0, 1], "EINVAL"],
  [[24, 0x24, 3, 0, 1, EVENT], "EINVAL"],
  [[20, 0x21, 3, 0, 0], "EINVAL"],
  [[24, 0x24, 4, 0, 1, EVENT], "OK"],
  [[20, 0x21, 4, 0, 1], "OK, event"],
  [[21, 0x22, 4, 0, 1, 1], "OK, event"],
  [[20, 0x09, 4, 0, 1], "ENOTTY"],
  [[24, 0x24, 4, 0, 1, -1], "OK"],
  [[20, 0x21, 4, 0, 0], "EINVAL"],
  [[24, 0x24, 4, 1, 1, EVENT], "EINVAL"],
  [[20, 0x21, 4, 0, 1], "EINVAL"],
  [[20, 0x24, 0, 0, 0], "EINVAL"],
  [[20, 0x09, 0, 0, 0], "EINVAL"],
  [[20, 0x22, 0, 0, 0], "EINVAL"],
];

describe("SET_IRQS on the model", () => {
  it("answers a long sequence as the kernel did", () => {
    const kernel = new ModelKernel(LAB_SCENE);
    using container = new RawContainer(kernel, { name: VFIO_PCI, group: 5 }, "v2");
    using device = container.group.device(VFIO_PCI);
    const event = kernel.eventfd(0);
    const number = (value: number): number =>
      value === EVENT ? event : value === OTHER ? container.file.fd : value;
    const answers = RECORDED.map(([words]) => {
      const bytes = new Uint8Array(Int32Array.from(words, number).buffer);
      const result = kernel.ioctlBuffer(device.fd, VFIO_DEVICE_SET_IRQS, bytes);
      const [came = 0] = kernel.poll([{ fd: event, events: POLLIN }]);
      if (came !== 0) kernel.read(event, new Uint8Array(8));
      const answer = result < 0 ? errnoName(-result) : "OK";
      return [words, `${answer}${came === 0 ? "" : ", event"}`] as const;
    });
    equal(answers, RECORDED);
  });
});
