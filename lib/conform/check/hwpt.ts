/** What page tables of iommufd answer, on the mock IOMMU: how they are made, and what they cost. */

import { IOMMU_GET_HW_INFO } from "../../uapi/request.ts";
import { iommu_hw_info } from "../../uapi/iommufd_hw.ts";
import type { Bench } from "../bench.ts";
import type { Check, Say } from "../check.ts";
import { type Numbers, RawIommufd } from "../iommufd.ts";
import {
  APERTURE,
  type MockDevice,
  mockDevice,
  NO_DIRTY,
  replaceMock,
  reserve,
  tryMock,
} from "../mock.ts";
import { NOWHERE } from "../place.ts";
import { answer, must } from "../raw.ts";
import { ALL, FIXED, good, mapIoas, READ } from "./ioas.ts";

/** An iommufd with a mock device on an address space of its own, and another address space. */
interface Scene {
  readonly iommufd: RawIommufd;
  readonly first: number;
  readonly device: MockDevice;
  readonly ioas: number;
}

const check = (
  name: string,
  rule: string,
  run: (scene: Scene, say: Say, bench: Bench) => void,
  flags = 0,
): Check => ({
  name: `hwpt: ${name}`,
  rule,
  needs: ["iommufd", "mock"],
  run: (bench, say) => {
    using iommufd = RawIommufd.open(bench.kernel);
    const first = iommufd.ioas();
    const device = mockDevice(iommufd, first, flags);
    run({ iommufd, first, device, ioas: iommufd.ioas() }, say, bench);
  },
});

const alloc = ({ iommufd, device, ioas }: Scene, more: Numbers = {}): string =>
  answer(iommufd.hwpt({ dev_id: device.device, pt_id: ioas, ...more }).result);

const heads: readonly Check[] = [
  check("ALLOC, the reserved field", "hwpt.alloc-reserved", (scene, say) => {
    say("1, and data without a kind", alloc(scene, { __reserved: 1, data_len: 4 }));
  }),
  check("ALLOC with data for the IOMMU", "hwpt.alloc-data", (scene, say) => {
    say("a length without a kind", alloc(scene, { data_len: 4, dev_id: 999 }));
    say("a kind without a length", alloc(scene, { data_type: 1 }));
  }),
  check("ALLOC for a device", "hwpt.alloc-device", (scene, say) => {
    say("none", alloc(scene, { dev_id: 0, pt_id: 999 }));
    say("an address space in its place", alloc(scene, { dev_id: scene.ioas }));
    say("the device", alloc(scene));
    say("again", alloc(scene));
  }),
  check("ALLOC of something else", "hwpt.alloc-target", (scene, say) => {
    say("nothing", alloc(scene, { pt_id: 999, flags: 0x80 }));
    say("a device", alloc(scene, { pt_id: scene.device.device }));
  }),
  check("ALLOC of a page table without data", "hwpt.alloc-nested", (scene, say) => {
    say("nested", alloc(scene, { pt_id: scene.device.hwpt }));
    say("with dirty tracking", alloc(scene, { pt_id: scene.device.hwpt, flags: 2 }));
  }),
  check("ALLOC with flags", "hwpt.alloc-flags", (scene, say) => {
    for (const flags of [0, 1, 2, 3, 4, 8, 0x8000_0000]) say(`${flags}`, alloc(scene, { flags }));
  }),
  check("ALLOC for an IOMMU that tracks nothing", "hwpt.alloc-dirty", (scene, say) => {
    say("with dirty tracking", alloc(scene, { flags: 2 }));
    say("without", alloc(scene));
    const { iommufd, device, ioas } = scene;
    const able = mockDevice(iommufd, scene.first);
    const { result, value } = iommufd.hwpt({ dev_id: able.device, pt_id: ioas, flags: 2 });
    say("for another device", answer(result));
    say("the device moves there", answer(replaceMock(iommufd, device, value)));
    say("a new one is attached there", answer(tryMock(iommufd, value, NO_DIRTY).result));
  }, NO_DIRTY),
  check("hardware info", "hw-info.flags", ({ iommufd, device }, say) => {
    const ask = (step: string, fields: Numbers, room = 64): void => {
      const request = iommu_hw_info.create();
      const data = iommufd.kernel.allocate(64).fill(7);
      request.point("data_uptr", iommufd.kernel.addressOf(data));
      const { device: dev_id } = device;
      const all = { dev_id, data_len: room, ...fields };
      const result = iommufd.send(IOMMU_GET_HW_INFO, request, all);
      if (result < 0) return say(step, answer(result));
      const { data_len, out_capabilities } = request.fields;
      const written = data.findLastIndex((byte) => byte !== 7) + 1;
      say(step, `${data_len} bytes, capabilities ${out_capabilities}, ${written} written`);
    };
    ask("room for more", {});
    ask("room for 4", {}, 4);
    ask("room for none", {}, 0);
    ask("flags", { flags: 2, dev_id: 999 });
    ask("no device", { dev_id: 999 });
  }),
  check("hardware info of what is no device", "hw-info.device", ({ iommufd, ioas }, say) => {
    const ask = (dev_id: number): string =>
      answer(iommufd.send(IOMMU_GET_HW_INFO, iommu_hw_info.create(), { dev_id }));
    say("an address space", ask(ioas));
    say("0", ask(0));
  }),
];

const lives: readonly Check[] = [
  check("DESTROY while something uses it", "destroy.users", (scene, say) => {
    const { iommufd, first, device, ioas } = scene;
    say("an address space with a device", answer(iommufd.destroy(first)));
    say("the page table that the kernel made", answer(iommufd.destroy(device.hwpt)));
    say("the device", answer(iommufd.destroy(device.device)));
    const { value } = iommufd.hwpt({ dev_id: device.device, pt_id: ioas });
    say("an address space with a page table", answer(iommufd.destroy(ioas)));
    say("the page table", answer(iommufd.destroy(value)));
    say("the address space afterwards", answer(iommufd.destroy(ioas)));
    say("what made the device", answer(iommufd.destroy(device.object)));
    say("the kernel's page table went with it", answer(iommufd.destroy(device.hwpt)));
    say("the first address space", answer(iommufd.destroy(first)));
  }),
  check("a device moves", "attach.found", ({ iommufd, device, ioas }, say) => {
    say("to nothing", answer(replaceMock(iommufd, device, 999)));
    say("to itself", answer(replaceMock(iommufd, device, device.device)));
    say("to another address space", answer(replaceMock(iommufd, device, ioas)));
    say("the old page table", answer(iommufd.destroy(device.hwpt)));
  }),
  check("the unit of the address space", "ioas.size-align", (scene, say, bench) => {
    const { iommufd, device, ioas } = scene;
    const unit = (): string => `${iommufd.ranges(ioas, 9).value.alignment}`;
    say("before", unit());
    const { value } = iommufd.hwpt({ dev_id: device.device, pt_id: ioas });
    say("with a page table", unit());
    const half = bench.page / 2n;
    const map = (fields: Numbers): string =>
      answer(iommufd.map({ ...good(bench, ioas, 0), ...fields }).result);
    say("half a page", map({ length: half }));
    say("a quarter", map({ length: half / 2n, iova: bench.at(1) }));
    must(iommufd.destroy(value), "DESTROY");
    say("afterwards", unit());
  }),
  check("what the device reserves", "ioas.reserved", (scene, say, bench) => {
    const { iommufd, first } = scene;
    const map = (iova: bigint): string =>
      answer(iommufd.map({ ...good(bench, first, 0), iova }).result);
    say("ranges", iommufd.ranges(first, 9).value.ranges.join(" "));
    say("below", map(APERTURE[0] - bench.page));
    say("the first page", map(APERTURE[0]));
    say("the last page", map(APERTURE[1] + 1n - bench.page));
    say("above", map(APERTURE[1] + 1n));
    say(
      "at the kernel's choice",
      answer(iommufd.map({ ...good(bench, first, 0), flags: READ }).result),
    );
    say("reserve what is mapped", answer(reserve(iommufd, first, APERTURE[0], bench.page)));
    say("reserve a page", answer(reserve(iommufd, first, bench.at(9), bench.page)));
    say("that page", map(bench.at(9)));
    say("ranges then", iommufd.ranges(first, 9).value.ranges.join(" "));
  }),
  check(
    "ALLOW_IOVAS where a device reserves",
    "ioas.allow-device",
    ({ iommufd, first, ioas, device }, say) => {
      say("what it reserves", answer(iommufd.allow(first, [[0n, APERTURE[0]]])));
      say("what it does not", answer(iommufd.allow(first, [[APERTURE[0], APERTURE[0] + 9n]])));
      must(iommufd.allow(ioas, [[0n, APERTURE[0]]]), "ALLOW_IOVAS");
      say("a device that comes", answer(tryMock(iommufd, ioas).result));
      say("a page table", answer(iommufd.hwpt({ dev_id: device.device, pt_id: ioas }).result));
    },
  ),
  check("a page table where something is mapped below", "hwpt.alloc-fit", (scene, say, bench) => {
    const { iommufd, ioas } = scene;
    must(iommufd.map({ ...good(bench, ioas, 0), iova: bench.page }).result, "IOAS_MAP");
    say("ALLOC", alloc(scene));
    say("a device", answer(tryMock(iommufd, ioas).result));
    iommufd.unmapAll(ioas);
    must(iommufd.map({ ...good(bench, ioas, 0), length: 100n }).result, "IOAS_MAP of 100 bytes");
    say("ALLOC with bytes mapped", alloc(scene));
    iommufd.unmapAll(ioas);
    say("ALLOC with nothing mapped", alloc(scene));
  }),
  check("memory that cannot be pinned, mapped before", "hwpt.alloc-pin", (scene, say, bench) => {
    const { iommufd, ioas } = scene;
    mapIoas(bench, iommufd, ioas, 0, 4);
    must(iommufd.map({ ...good(bench, ioas, 8), user_va: NOWHERE }).result, "IOAS_MAP");
    say("ALLOC", alloc(scene));
    must(iommufd.unmap(ioas, bench.at(8), bench.page).result, "IOAS_UNMAP");
    say("ALLOC without it", alloc(scene));
  }),
  check(
    "memory that cannot be pinned, mapped later",
    "ioas.pin",
    ({ iommufd, first }, say, bench) => {
      const { readOnly, half } = bench.places;
      const map = (fields: Numbers): string =>
        answer(iommufd.map({ ...good(bench, first, 0), ...fields }).result);
      say("not there", map({ user_va: NOWHERE }));
      say("to read only", map({ user_va: readOnly }));
      say("to read only, for reading", map({ user_va: readOnly, flags: FIXED | READ }));
      say("a file's page", map({ user_va: half.address, iova: bench.at(1) }));
      const both = { user_va: half.address, length: bench.pages(2), iova: bench.at(2) };
      say("a file's page and one behind its end", map(both));
      say("pages mapped", bench.count(iommufd.unmapAll(first)));
    },
  ),
  check("huge pages off with page tables and mappings", "option.filled", (scene, say, bench) => {
    const { iommufd, first } = scene;
    const off = { option_id: 1, op: 0, object_id: first, val64: 0n };
    say("without mappings", answer(iommufd.option(off).result));
    must(iommufd.option({ ...off, val64: 1n }).result, "OPTION");
    mapIoas(bench, iommufd, first, 0);
    say("with one", answer(iommufd.option(off).result));
    say("on", answer(iommufd.option({ ...off, val64: 1n }).result));
    say("a copy in its place", answer(copyOnce(scene, bench)));
  }),
];

/** Copies the first page to the second address space. */
function copyOnce({ iommufd, first, ioas }: Scene, bench: Bench): number {
  const [src_iova, dst_iova] = [bench.at(0), bench.at(4)];
  const ids = { src_ioas_id: first, dst_ioas_id: ioas };
  return iommufd.copy({ flags: ALL, ...ids, src_iova, dst_iova, length: bench.page }).result;
}

/** All checks of the file. */
export const hwptChecks: readonly Check[] = [...heads, ...lives];
