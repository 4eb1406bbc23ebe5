/** The end of the address space: ranges that end at 2^64, in a container without an IOMMU's limits. */

import { VFIO_IOMMU_MAP_DMA } from "../../uapi/request.ts";
import type { Bench } from "../bench.ts";
import type { Check, Need } from "../check.ts";
import type { RawContainer } from "../container.ts";
import { factsOf } from "../facts.ts";
import { KERNEL_SPACE, NOWHERE, words } from "../place.ts";
import { answer, NULL } from "../raw.ts";
import { all, getRequest, START } from "./request.ts";

const END = 1n << 64n;

/** MAP of pages counted back from 2^64. */
function mapTop(bench: Bench, on: RawContainer, back: number, count: number): string {
  const { address: vaddr } = bench.places.memory;
  const iova = END - bench.pages(back);
  return answer(on.map({ argsz: 32, flags: 3, vaddr, iova, size: bench.pages(count) }));
}

function unmapTop(bench: Bench, on: RawContainer, back: number, count: number): string {
  const range = { iova: END - bench.pages(back), size: bench.pages(count) };
  const { result, size } = on.unmap({ ...all, flags: 0, ...range });
  return result < 0 ? answer(result) : bench.count(size);
}

function getTop(bench: Bench, on: RawContainer, back: number, count: number): string {
  const { bytes } = bench.places.bitmap;
  bytes.fill(0);
  const request = { ...getRequest(bench, 0, count), iova: END - bench.pages(back) };
  const result = on.dirty(request);
  return result < 0 ? answer(result) : words(bytes, 1);
}

/** MAP of much, of which nothing is looked at before a pin. */
const mapMuch = (on: RawContainer, iova: bigint, size: bigint): string =>
  answer(on.map({ argsz: 32, flags: 3, vaddr: 0n, iova, size }));

/** Maps a page, lets a PCI device join, and takes both back. */
type Join = (name: string, iova: bigint, vaddr: bigint) => void;

function replay(
  name: string,
  rule: string,
  needs: readonly Need[],
  body: (bench: Bench, join: Join) => void,
): Check {
  return {
    name: `mdev: a PCI device joins over ${name}`,
    rule,
    needs: ["container", "mdev", ...needs],
    run: (bench, say) => {
      using container = bench.container(bench.mdev);
      using group = bench.group(bench.pci);
      const before = bench.locked();
      body(bench, (what, iova, vaddr) => {
        const request = { argsz: 32, flags: 3, vaddr, iova, size: bench.page };
        say(`MAP, ${what}`, answer(container.map(request)));
        const result = group.join(container.file.fd);
        say(`SET_CONTAINER, ${what}`, answer(result));
        if (result === 0) group.leave();
        container.unmap(all);
      });
      say("pages locked", `${bench.locked() - before}`);
    },
  };
}

/** All checks of the file. */
export const topChecks: readonly Check[] = [
  {
    name: "top: a mapping that ends at 2^64",
    rule: "map.wrap",
    needs: ["mdev"],
    run: (bench, say) => {
      using container = bench.container(bench.mdev);
      const before = factsOf(container).available;
      const used = (): string => `${before - factsOf(container).available}`;
      say("MAP of the last page", mapTop(bench, container, 1, 1));
      say("entries used", used());
      say("MAP of it again", mapTop(bench, container, 1, 1));
      say("entries used after both", used());
      say("MAP of the last two pages", mapTop(bench, container, 2, 2));
      say("UNMAP of it", unmapTop(bench, container, 1, 1));
      say("ALL", bench.count(container.unmap(all).size));
      say("entries used in the end", used());
    },
  },
  {
    name: "top: the page before the last",
    rule: "map.wrap",
    needs: ["mdev"],
    run: (bench, say) => {
      using container = bench.container(bench.mdev);
      say("MAP", mapTop(bench, container, 2, 1));
      say("MAP again", mapTop(bench, container, 2, 1));
      say("beyond 2^64", mapTop(bench, container, 1, 2));
      say("UNMAP", unmapTop(bench, container, 2, 1));
    },
  },
  {
    name: "top: dirty pages up to 2^64",
    rule: "dirty.wrap",
    needs: ["mdev"],
    run: (bench, say) => {
      using container = bench.container(bench.mdev);
      say("MAP of the page before the last", mapTop(bench, container, 2, 1));
      say("START", answer(container.dirtySwitch(START)));
      say("GET of it", getTop(bench, container, 2, 1));
      say("GET up to 2^64", getTop(bench, container, 2, 2));
      say("GET of the last page", getTop(bench, container, 1, 1));
      say("GET beyond", getTop(bench, container, 1, 2));
      say("UNMAP up to 2^64", unmapTop(bench, container, 2, 2));
      say("ALL", bench.count(container.unmap(all).size));
    },
  },
  {
    name: "mdev: what MAP does not look at without an IOMMU",
    rule: "map.emulated",
    needs: ["mdev"],
    run: (bench, say) => {
      using container = bench.container(bench.mdev);
      const before = bench.locked();
      const map = (page: number, vaddr: bigint, flags = 3): string => {
        const [iova, size] = [bench.at(page), bench.page];
        return answer(container.map({ argsz: 32, flags, vaddr, iova, size }));
      };
      say("memory that is not there", map(0, NOWHERE));
      say("vaddr 0", map(1, 0n));
      say("vaddr in the kernel", map(2, KERNEL_SPACE));
      say("writing of read-only memory", map(3, bench.places.readOnly));
      say("vaddr between pages", map(4, 8n));
      say("flags 0", map(4, 0n, 0));
      say("overlap", map(0, 0n));
      say("at 1 << 60", mapMuch(container, 1n << 60n, bench.page));
      say("NULL", answer(container.file.ask(VFIO_IOMMU_MAP_DMA, NULL)));
      say("pages locked", `${bench.locked() - before}`);
      say("pages unmapped", bench.count(container.unmap(all).size));
    },
  },
  {
    name: "mdev: very large mappings",
    rule: "dirty.pages-max",
    needs: ["mdev"],
    run: (bench, say) => {
      using container = bench.container(bench.mdev);
      const most = bench.page << 31n; // one page more than a bitmap can count
      say("MAP of 2^28 pages", mapMuch(container, 0n, bench.page << 28n));
      say("START", answer(container.dirtySwitch(START)));
      say("MAP of 2^31 pages while tracking", mapMuch(container, most, most));
      say("STOP", answer(container.dirtySwitch(2)));
      say("MAP of 2^31 pages", mapMuch(container, most, most));
      say("START with it", answer(container.dirtySwitch(START)));
      const { bitmap: { address: data } } = bench.places;
      const get = { ...getRequest(bench, 0, 64), iova: most * 4n, data };
      say("GET, is it on", answer(container.dirty(get)));
      say("ALL", bench.count(container.unmap(all).size));
      say("START without it", answer(container.dirtySwitch(START)));
    },
  },
  replay("mappings outside its ranges", "group.window", ["hole"], (bench, join) => {
    const { ranges } = bench.facts!;
    const { address } = bench.places.memory;
    join("in reach", bench.at(0), address);
    join("in the hole", ranges![0]!.end + 1n, address);
    join("beyond the IOMMU", ranges!.at(-1)!.end + 1n, address);
  }),
  replay("mappings of memory that cannot be had", "group.pin", [], (bench, join) => {
    join("memory that is not there", bench.at(0), NOWHERE);
    join("to write read-only memory", bench.at(0), bench.places.readOnly);
    join("memory", bench.at(0), bench.places.memory.address);
  }),
];
