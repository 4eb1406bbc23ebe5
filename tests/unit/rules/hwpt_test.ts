import { ATTACH_RULES, BIND_RULES, type BindState } from "../../../lib/rules/cdev.ts";
import { HWPT_ALLOC_RULES, type HwptAllocState } from "../../../lib/rules/hwpt_alloc.ts";
import {
  HWPT_TRAPS,
  type HwptRead,
  hwptReadRefusal,
  type HwptReadState,
} from "../../../lib/rules/hwpt_trap.ts";
import { firstRefusal } from "../../../lib/rules/refusal.ts";
import { DESTROY_RULES, IOMMUFD_RULES, OPTION_RULES } from "../../../lib/rules/iommufd.ts";
import { equal, match } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { PAGE, pages, short, space, TOP } from "./space.ts";

describe("GET_DIRTY_BITMAP is refused", () => {
  const good: HwptRead = { iova: pages(16), size: pages(8), pageSize: PAGE, bytes: 1 };
  const state: HwptReadState = {
    alignment: 2048n,
    tracksDirty: true,
    tracking: true,
    mappings: space([[16, 4], [20, 4]]).mappings,
  };
  const read = (more: Partial<HwptRead>, where: Partial<HwptReadState> = {}): string =>
    short(hwptReadRefusal({ ...good, ...more }, { ...state, ...where }));

  it("not across mappings, and not at half a page", () => {
    equal([read({}), read({ iova: 0x10800n, size: 2048n, pageSize: 2048n })], [
      "allowed",
      "allowed",
    ]);
  });

  it("one rule after the other, in the kernel's order", () => {
    const worst = { flags: 2, iova: 1n, size: 0n, pageSize: 0n };
    equal(read(worst, { found: false }), "hwpt.get-flags 95");
    equal(read({ reserved: 1 }, { found: false }), "hwpt.get-flags 95");
    equal(read({ ...worst, flags: 1 }, { found: false }), "hwpt.found 2");
    equal(read({ ...worst, flags: 1 }), "hwpt.get-range 75");
    equal(read({ iova: TOP - PAGE, size: pages(2) }), "hwpt.get-range 75");
    equal(read({ iova: 1n, pageSize: 0n }), "hwpt.get-align 22");
    equal(read({ size: 1n, pageSize: 0n }), "hwpt.get-align 22");
    equal(read({ pageSize: 0n }, { tracksDirty: false }), "hwpt.get-page 22");
    equal(read({ iova: 0x10800n }, { tracksDirty: false }), "hwpt.get-page 22");
    equal(read({}, { tracksDirty: false, tracking: false }), "hwpt.get-tracks 95");
  });

  it("by us alone, where the kernel would answer with success", () => {
    const traps: readonly [string, Partial<HwptRead>, Partial<HwptReadState>][] = [
      ["hwpt.empty", { iova: 0n, size: 0n }, {}],
      ["hwpt.page-bit", { pageSize: 3n * PAGE }, {}],
      ["hwpt.bitmap", { bytes: 0 }, {}],
      ["hwpt.tracking", {}, { tracking: false }],
      ["hwpt.hole", { size: pages(9), bytes: 2 }, {}],
    ];
    for (const [name, more, where] of traps) equal(read(more, where), `${name} 0`);
    equal(HWPT_TRAPS.map(({ name }) => name), traps.map(([name]) => name), "none is left out");
    const hole = hwptReadRefusal({ ...good, size: pages(9), bytes: 2 }, state)!;
    match(hole.reason, /nothing is at iova 0x18000; the kernel would report no page from there on/);
  });
});

describe("HWPT_ALLOC is refused", () => {
  const good: HwptAllocState = { device: true, target: "ioas", tracksDirty: false };
  const alloc = (more: object, where: Partial<HwptAllocState> = {}): string =>
    short(firstRefusal(HWPT_ALLOC_RULES, { flags: 0, ...more }, { ...good, ...where }));

  it("one rule after the other, in the kernel's order", () => {
    equal([alloc({}), alloc({ flags: 3 }, { tracksDirty: true })], ["allowed", "allowed"]);
    const none = { device: false, target: "none" } as const;
    equal(alloc({ reserved: 1, dataType: 1 }, none), "hwpt.alloc-reserved 95");
    equal(alloc({ dataType: 1 }, none), "hwpt.alloc-data 22");
    equal(alloc({ flags: 8 }, none), "hwpt.alloc-device 2");
    equal(alloc({ flags: 8 }, { target: "none" }), "hwpt.alloc-target 22");
    equal(alloc({ flags: 8 }, { target: "other" }), "hwpt.alloc-target 22");
    equal(alloc({}, { target: "hwpt" }), "hwpt.alloc-nested 95");
    equal(alloc({ flags: 10 }), "hwpt.alloc-flags 95");
    equal(alloc({ flags: 3 }, { nests: false }), "hwpt.alloc-dirty 95");
    equal(alloc({ flags: 1 }, { nests: false }), "hwpt.alloc-nests 95");
  });
});

describe("other requests of an iommufd are refused", () => {
  it("for their size, by what the kernel knows", () => {
    const struct = { size: 48, min: 24 };
    const head = (size: number, tail = false, known = true): string =>
      short(firstRefusal(IOMMUFD_RULES, { size, tail }, { struct: known ? struct : undefined }));
    equal([head(24), head(48), head(99)], ["allowed", "allowed", "allowed"]);
    equal(
      [head(4, true, false), head(23), head(49, true)],
      ["iommufd.known 25", "iommufd.size 22", "iommufd.tail 7"],
    );
  });

  it("DESTROY while something uses the object", () => {
    const destroy = (found: boolean, users: number): string =>
      short(firstRefusal(DESTROY_RULES, { id: 1 }, { found, users }));
    equal([destroy(true, 0), destroy(false, 0), destroy(true, 2)], [
      "allowed",
      "destroy.found 2",
      "destroy.users 16",
    ]);
  });

  it("OPTION, of the account and of huge pages", () => {
    const good = { option: 0, op: 0, object: 0, value: 1n };
    const state = { found: true, sysResource: true, objects: 0, filled: false };
    const option = (more: object, where: object = {}): string =>
      short(firstRefusal(OPTION_RULES, { ...good, ...more }, { ...state, ...where }));
    equal(option({}), "allowed");
    equal(option({ option: 2 }), "option.known 95");
    equal(option({ reserved: 1 }), "option.known 95");
    equal(option({ object: 7, op: 9 }), "option.object 95");
    equal(option({ op: 9 }), "option.op 95");
    equal(option({ value: 2n }, { sysResource: false, objects: 1 }), "option.capability 1");
    equal(option({ op: 1 }, { sysResource: false, objects: 1 }), "allowed");
    equal(option({ value: 2n }, { objects: 1 }), "option.objects 16");
    equal(option({ value: 2n }), "option.value 22");
    equal(option({ option: 1, object: 7 }, { found: false }), "option.found 2");
    equal(option({ option: 1, value: 0n }, { filled: true }), "option.filled 22");
    equal(option({ option: 1, value: 0n }, { odd: true }), "option.odd 98");
    equal(option({ option: 1, value: 2n }, { filled: true }), "option.value 22");
  });

  it("BIND and ATTACH of a device's own node", () => {
    const good: BindState = {
      ownNode: true,
      groupOpen: false,
      bound: false,
      file: "iommufd",
      interruptsSafe: true,
      opened: false,
      claimed: false,
    };
    const bind = (more: object, where: Partial<BindState> = {}): string =>
      short(firstRefusal(BIND_RULES, { flags: 0, iommufd: 3, ...more }, { ...good, ...where }));
    equal(bind({}), "allowed");
    for (const more of [{ argsz: 15 }, { flags: 1 }, { iommufd: -1 }]) {
      equal(bind(more, { groupOpen: true }), "bind.request 22");
    }
    equal(bind({}, { ownNode: false }), "bind.node 22");
    equal(bind({}, { groupOpen: true, bound: true }), "bind.group 16");
    equal(bind({}, { bound: true, file: "none" }), "bind.once 22");
    equal(bind({}, { file: "none" }), "bind.fd 9");
    equal(bind({}, { file: "other" }), "bind.iommufd 77");
    equal(bind({}, { opened: true, interruptsSafe: false }), "bind.open 22");
    equal(bind({}, { interruptsSafe: false, claimed: true }), "bind.interrupts 1");
    equal(bind({}, { claimed: true }), "bind.owner 1");
    const attach = (more: object, bound: boolean, target: "ioas" | "other" | "none"): string =>
      short(firstRefusal(ATTACH_RULES, { flags: 0, ...more }, { bound, target }));
    equal(attach({}, true, "ioas"), "allowed");
    equal(attach({ flags: 1 }, false, "none"), "attach.bound 22");
    equal(attach({ flags: 1 }, true, "none"), "attach.request 22");
    equal(attach({ argsz: 11 }, true, "none"), "attach.request 22");
    equal([attach({}, true, "none"), attach({}, true, "other")], [
      "attach.found 2",
      "attach.kind 22",
    ]);
  });
});
