// What a driver may pin under RLIMIT_MEMLOCK of 4 pages, in a container of mediated devices.
import { Container, VfioError } from "@pinscope/vfio";
import { report } from "../support/child.ts";
import { at, PINS, VFIO_PCI } from "./scene.ts";
import { VendorDevice } from "./vendor_device.ts";

const PAGE = 4096n;

function attempt(body: () => unknown): string {
  try {
    body();
    return "OK";
  } catch (error) {
    if (!(error instanceof VfioError)) throw error;
    return error.code;
  }
}

using container = Container.open();
using group = container.attach(PINS);
using vendor = new VendorDevice(group);
using memory = container.allocate(64n * PAGE);
const forecast = container.forecast([{ iova: at(0), size: 64n * PAGE }]);
using _mapping = container.map(memory, { iova: at(0) });
const afterMap = container.pins().locked;
const pins = [0, 1, 2, 3, 4].map((page) => attempt(() => vendor.pin(at(page))));
const afterPins = container.pins().locked;
let message = "no error";
try {
  using _plain = container.attach(VFIO_PCI);
} catch (error) {
  message = String(error);
}
report({
  fits: forecast.fits,
  later: forecast.later.join("; "),
  afterMap,
  pins,
  afterPins,
  message,
  groups: container.groups.length,
});
