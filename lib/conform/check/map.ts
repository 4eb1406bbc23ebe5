/** What MAP_DMA answers. */

import { VFIO_IOMMU_MAP_DMA } from "../../uapi/request.ts";
import type { Check } from "../check.ts";
import { NOWHERE } from "../place.ts";
import { answer, must, NULL } from "../raw.ts";
import { GOOD, mapRows } from "./map_rows.ts";
import { all } from "./request.ts";

const table = mapRows.map(({ name, rule, need, request }): Check => ({
  name: `map: ${name}`,
  rule,
  needs: need === undefined ? ["container"] : ["container", need],
  run: (bench, say) => {
    using container = bench.container();
    const { address } = bench.places.memory;
    const good = { argsz: 32, flags: GOOD, vaddr: address, iova: bench.at(0), size: bench.page };
    must(container.map(good), "MAP of the page before it");
    const next = { ...good, vaddr: address + bench.page, iova: bench.at(1) };
    say("MAP", answer(container.map({ ...next, ...request?.(bench) })));
    say("pages mapped", bench.count(container.unmap(all).size));
  },
}));

const others: readonly Check[] = [
  {
    name: "map: an argument that is NULL",
    rule: "map.argument",
    needs: ["container"],
    run: (bench, say) => {
      using container = bench.container();
      say("MAP", answer(container.file.ask(VFIO_IOMMU_MAP_DMA, NULL)));
    },
  },
  {
    name: "map: the entry limit",
    rule: "map.entries",
    needs: ["container", "entry-limit"],
    run: (bench, say) => {
      using container = bench.container();
      const { address } = bench.places.memory;
      const limit = bench.facts!.available;
      const map = (page: number, vaddr = address): string => {
        const iova = bench.at(page);
        return answer(container.map({ argsz: 32, flags: GOOD, vaddr, iova, size: bench.page }));
      };
      for (let i = 0; i < limit - 1; i += 1) map(i);
      say("the last one", map(limit - 1));
      say("one more", map(limit));
      say("one more, memory that is not there", map(limit, NOWHERE));
      say("one more, where a mapping is", map(0));
      const one = { ...all, flags: 0, iova: bench.at(0), size: bench.page };
      say("UNMAP of one", bench.count(container.unmap(one).size));
      say("another one", map(limit));
      say(
        "pages mapped",
        `${container.unmap(all).size === bench.pages(limit) ? "the limit" : "other"}`,
      );
    },
  },
];

/** All checks of the file. */
export const mapChecks: readonly Check[] = [...table, ...others];
