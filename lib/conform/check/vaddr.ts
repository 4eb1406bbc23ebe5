/** Mappings whose address is taken away, and given anew: VADDR of UNMAP and MAP. */

import { VFIO_DMA_MAP_FLAG_VADDR as NEW } from "../../uapi/flag.ts";
import type { Bench } from "../bench.ts";
import type { Check } from "../check.ts";
import type { RangeFields, RawContainer } from "../container.ts";
import { answer } from "../raw.ts";
import { all, mapPages, readWords, start } from "./request.ts";

const VADDR = 4;
const ALL = 2;

/** UNMAP with VADDR: the answer and the pages. */
function invalidate(
  bench: Bench,
  on: RawContainer,
  first: number,
  count: number,
  flags = VADDR,
): string {
  const range = (flags & ALL) !== 0
    ? { iova: 0n, size: 0n }
    : { iova: bench.at(first), size: bench.pages(count) };
  const request: RangeFields = { ...all, flags, ...range };
  const { result, size } = on.unmap(request);
  return result < 0 ? answer(result) : bench.count(size);
}

/** MAP with VADDR. */
function renew(bench: Bench, on: RawContainer, first: number, count: number, flags = NEW): string {
  const { address: vaddr } = bench.places.memory;
  const range = { iova: bench.at(first), size: bench.pages(count) };
  return answer(on.map({ argsz: 32, flags, vaddr, ...range }));
}

/** All checks of the file. */
export const vaddrChecks: readonly Check[] = [
  {
    name: "vaddr: taken away and given anew",
    rule: "unmap.vaddr",
    needs: ["container"],
    run: (bench, say) => {
      using container = bench.container();
      const before = bench.locked();
      mapPages(bench, container, 0, 4);
      mapPages(bench, container, 8, 4);
      say("taken away", invalidate(bench, container, 0, 4));
      say("taken away again", invalidate(bench, container, 0, 4));
      say("both", invalidate(bench, container, 0, 12));
      say("of less", renew(bench, container, 0, 3));
      say("of more", renew(bench, container, 0, 5));
      say("of a page inside", renew(bench, container, 1, 1));
      say("of the other", renew(bench, container, 8, 4));
      say("with READ", renew(bench, container, 0, 4, NEW | 1));
      say("mapped again", renew(bench, container, 0, 4, 3));
      say("pages locked", `${bench.locked() - before}`);
      say("given anew", renew(bench, container, 0, 4));
      say("given anew again", renew(bench, container, 0, 4));
      say("pages locked afterwards", `${bench.locked() - before}`);
      say("taken away, all", invalidate(bench, container, 0, 0, VADDR | ALL));
      say("taken away again, all", invalidate(bench, container, 0, 0, VADDR | ALL));
      say("given anew, the first", renew(bench, container, 0, 4));
      say("given anew, the second", renew(bench, container, 8, 4));
      say("pages unmapped", bench.count(container.unmap(all).size));
      say("pages locked at the end", `${bench.locked() - before}`);
    },
  },
  {
    name: "vaddr: UNMAP while it is gone",
    rule: "unmap.vaddr",
    needs: ["container"],
    run: (bench, say) => {
      using container = bench.container();
      const before = bench.locked();
      mapPages(bench, container, 0, 4);
      say("taken away", invalidate(bench, container, 0, 4));
      say("UNMAP", invalidate(bench, container, 0, 4, 0));
      say("pages locked", `${bench.locked() - before}`);
      mapPages(bench, container, 0, 4);
      say("taken away from another", invalidate(bench, container, 0, 4));
    },
  },
  {
    name: "vaddr: dirty pages while it is gone",
    rule: "unmap.vaddr",
    needs: ["container"],
    run: (bench, say) => {
      using container = bench.container();
      mapPages(bench, container, 0, 4);
      start(container);
      say("taken away", invalidate(bench, container, 0, 4));
      say("GET", readWords(bench, container, 0, 4));
      say("given anew", renew(bench, container, 0, 4));
      say("GET afterwards", readWords(bench, container, 0, 4));
    },
  },
  {
    name: "vaddr: a second group while it is gone",
    rule: "group.moving",
    needs: ["container", "second"],
    run: (bench, say) => {
      using container = bench.container();
      mapPages(bench, container, 0, 4);
      say("taken away", invalidate(bench, container, 0, 4));
      using group = bench.group(bench.second);
      say("SET_CONTAINER", answer(group.join(container.file.fd)));
      say("given anew", renew(bench, container, 0, 4));
      say("SET_CONTAINER again", answer(group.join(container.file.fd)));
    },
  },
  {
    name: "vaddr: with a mediated device",
    rule: "unmap.vaddr-mdev",
    needs: ["container", "mdev"],
    run: (bench, say) => {
      using container = bench.container(bench.mdev);
      mapPages(bench, container, 0, 4);
      say("taken away", invalidate(bench, container, 0, 4));
      say("all", invalidate(bench, container, 0, 0, VADDR | ALL));
      say("with a bitmap", invalidate(bench, container, 0, 4, VADDR | 1));
      say("a cut", invalidate(bench, container, 0, 3));
      say("where nothing is mapped", invalidate(bench, container, 100, 1));
      say("MAP with VADDR", renew(bench, container, 0, 4));
    },
  },
  {
    name: "vaddr: a mediated device joins while it is gone",
    rule: "group.moving",
    needs: ["container", "mdev"],
    run: (bench, say) => {
      using container = bench.container();
      mapPages(bench, container, 0, 4);
      say("taken away", invalidate(bench, container, 0, 4));
      using group = bench.group(bench.mdev);
      say("SET_CONTAINER", answer(group.join(container.file.fd)));
      say("given anew", renew(bench, container, 0, 4));
      say("SET_CONTAINER again", answer(group.join(container.file.fd)));
      say("taken away with it", invalidate(bench, container, 0, 4));
    },
  },
];
