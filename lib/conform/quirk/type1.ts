/**
 * What is odd about the dirty pages of type1. A device of vfio-pci makes every mapped page dirty, so
 * that nothing has to be written.
 */

import type { Bench } from "../bench.ts";
import type { RawContainer } from "../container.ts";
import { answer, must } from "../raw.ts";
import { getRequest, mapPages, start, STOP } from "../check/request.ts";
import { type GuardedArea, ones } from "./area.ts";
import type { Finding, Quirk } from "./quirk.ts";

const FILE = "drivers/vfio/vfio_iommu_type1.c";
const hex = (word: bigint): string => `0x${word.toString(16)}`;

/** Reads pages into the area, which is zeroed before: the words. */
function read(
  bench: Bench,
  area: GuardedArea,
  container: RawContainer,
  [first, count]: readonly [number, number],
  fill: 0 | 0xff = 0,
): bigint[] {
  area.fill(fill);
  const request = { ...getRequest(bench, first, count), data: area.address };
  must(container.dirty(request), "GET_BITMAP");
  return area.words(Math.ceil(count / 64));
}

type Probe = (bench: Bench, area: GuardedArea, container: RawContainer) => Finding;

const quirk = (name: string, symbol: string, about: string, probe: Probe): Quirk => ({
  name: `type1.${name}`,
  about,
  source: `${FILE}, ${symbol}`,
  needs: ["container"],
  probe: (bench, area) => {
    using container = bench.container();
    return probe(bench, area, container);
  },
});

/** The quirks of type1, in the order in which a script meets them. */
export const type1Quirks: readonly Quirk[] = [
  quirk(
    "all-dirty",
    "vfio_iova_dirty_bitmap",
    "with a device of vfio-pci every mapped page is dirty, at every read",
    (bench, area, container) => {
      mapPages(bench, container, 0, 64);
      start(container);
      const reads = [1, 2].map(() => read(bench, area, container, [0, 64])[0]!);
      return {
        present: reads.every((word) => ones(word) === 64),
        evidence: `nothing was written, and two reads of 64 pages gave ${
          reads.map(hex).join(", ")
        }`,
      };
    },
  ),
  quirk(
    "kept-bytes",
    "update_user_bitmap",
    "words of the bitmap that no mapping has a bit in keep what was in the buffer",
    (bench, area, container) => {
      mapPages(bench, container, 0, 20);
      mapPages(bench, container, 128, 20);
      start(container);
      const word = read(bench, area, container, [0, 192], 0xff)[1]!;
      return {
        present: word !== 0n,
        evidence: `a buffer of ones had ${hex(word)} afterwards where nothing is mapped`,
      };
    },
  ),
  quirk(
    "stale",
    "update_user_bitmap",
    "a mapping that was read at no multiple of 64 pages keeps bits behind its end, which come back " +
      "as dirty pages that are none",
    (bench, area, container) => {
      mapPages(bench, container, 1, 4);
      start(container);
      read(bench, area, container, [0, 64]);
      const word = read(bench, area, container, [1, 4])[0]!;
      return {
        present: word >> 4n !== 0n,
        evidence: `4 pages, read a page off and then alone, gave ${hex(word)}`,
      };
    },
  ),
  quirk(
    "poisoned",
    "update_user_bitmap",
    "bits of a buffer that was not zeroed get into the kernel's own bitmap, and come back later",
    (bench, area, container) => {
      mapPages(bench, container, 1, 4);
      start(container);
      read(bench, area, container, [0, 64], 0xff);
      const word = read(bench, area, container, [1, 4])[0]!;
      // A stale bit alone would be one.
      return {
        present: ones(word >> 4n) > 1,
        evidence: `4 pages, read into ones and then into zeroes, gave ${hex(word)}`,
      };
    },
  ),
  quirk(
    "shifted",
    "vfio_iova_dirty_bitmap",
    "after EFAULT the bits that the kernel keeps are at another place",
    (bench, area, container) => {
      mapPages(bench, container, 3, 8);
      start(container);
      const failed = answer(container.dirty({ ...getRequest(bench, 0, 64), data: 0n }));
      const word = read(bench, area, container, [3, 8])[0]!;
      return {
        present: failed === "EFAULT" && word >> 8n !== 0n,
        evidence: `${failed} of a read into nowhere; then 8 pages, read alone, gave ${hex(word)}`,
      };
    },
  ),
  quirk(
    "one-stop",
    "vfio_iommu_type1_dirty_pages",
    "tracking is not counted: one STOP ends two STARTs",
    (bench, area, container) => {
      mapPages(bench, container, 0, 64);
      start(container);
      start(container);
      must(container.dirtySwitch(STOP), "STOP");
      const got = answer(
        container.dirty({ ...getRequest(bench, 0, 64), data: area.address }),
      );
      return { present: got === "EINVAL", evidence: `a read after START, START, STOP: ${got}` };
    },
  ),
  quirk(
    "wrap-einval",
    "vfio_iommu_type1_dirty_pages",
    "a range beyond 2^64 is refused with EINVAL, as most else is; EOVERFLOW since v6.18",
    (bench, area, container) => {
      mapPages(bench, container, 0, 64);
      start(container);
      const iova = (1n << 64n) - bench.page;
      const size = bench.pages(2);
      const request = { ...getRequest(bench, 0, 64), iova, size, data: area.address };
      const got = answer(container.dirty(request));
      return {
        present: got === "EINVAL",
        evidence: `a read of two pages, the first at the end: ${got}`,
      };
    },
  ),
];
