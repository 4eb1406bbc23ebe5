/** Mediated devices of a real parent: listed, made, used, removed. */
import { Container, createMdev, listMdevTypes, removeMdev, VfioError } from "../../../mod.ts";
import { equal, throws } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { NO_UNMAP, PINS, PINS2 } from "./scene.ts";
import { VendorDevice } from "./vendor_device.ts";

const PARENT = "pinscope_vendor";
const TYPE = "pinscope_vendor-pins";
const UUID = "50696e73-0000-4000-8000-0000000000aa";
const available = (): number | undefined =>
  listMdevTypes().find(({ type }) => type === TYPE)?.available;

describe("mediated devices of the vendor driver", () => {
  it("are listed by type", () => {
    equal(
      listMdevTypes().map(({ parent, type, name, api, devices }) => [
        parent,
        type,
        name,
        api,
        devices.toSorted(),
      ]).toSorted(),
      [
        [
          PARENT,
          "pinscope_vendor-logs",
          "pins, logs its writes, has all migration states",
          "pinscope-vendor",
          [],
        ],
        [
          PARENT,
          "pinscope_vendor-migrates",
          "pins, migrates while it is stopped",
          "pinscope-vendor",
          [],
        ],
        [PARENT, "pinscope_vendor-no_unmap", "without dma_unmap: may not pin", "pinscope-vendor", [
          NO_UNMAP,
        ]],
        [PARENT, TYPE, "pins pages on command", "pinscope-vendor", [PINS, PINS2]],
      ],
    );
  });

  it("are made and removed; not while one is open, for the kernel would wait", () => {
    const before = available();
    const made = createMdev(PARENT, TYPE, UUID);
    equal([made.uuid, available()], [UUID, (before ?? 0) - 1]);
    {
      using container = Container.open();
      using group = container.attach(UUID);
      equal(group.number, made.group);
      using vendor = new VendorDevice(group);
      equal(vendor.status().pinned, 0);
      equal(throws(() => removeMdev(UUID), VfioError, "end it first").code, "EBUSY");
    }
    removeMdev(UUID);
    equal(available(), before);
    equal(throws(() => removeMdev(UUID), VfioError, "no such device").code, "ENOENT");
  });

  it("are refused with what is wrong", () => {
    const why = (parent: string, type: string, uuid?: string): unknown => {
      const { code, hint } = throws(() => createMdev(parent, type, uuid), VfioError);
      return [code, hint];
    };
    equal(why("a", "b"), ["ENOENT", `there is no parent "a"; there are: ${PARENT}`]);
    const [, hint] = why(PARENT, "b") as [string, string];
    equal(hint.startsWith(`parent ${PARENT} has no such type; it has: pinscope_vendor-`), true);
    equal(why(PARENT, TYPE, PINS), ["EEXIST", "there is a device of that UUID already"]);
  });

  it("are refused when there are as many as the driver allows", () => {
    const made: string[] = [];
    try {
      for (let left = available() ?? 0; left > 0; left -= 1) {
        made.push(createMdev(PARENT, TYPE).uuid);
      }
      const error = throws(() => createMdev(PARENT, TYPE), VfioError);
      equal(error.hint, "no more devices of this type can be made; remove one first");
    } finally {
      for (const uuid of made) removeMdev(uuid);
    }
  });
});
