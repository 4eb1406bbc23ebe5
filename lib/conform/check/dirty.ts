/** What DIRTY_PAGES answers: to each row, and by what came before. */

import { VFIO_IOMMU_DIRTY_PAGES } from "../../uapi/request.ts";
import type { Bench } from "../bench.ts";
import type { Check } from "../check.ts";
import type { RawContainer } from "../container.ts";
import { answer, must, NULL, words32 } from "../raw.ts";
import { dirtyRows } from "./dirty_rows.ts";
import { all, GET, getRequest, mapPages, readWords, START, start, STOP } from "./request.ts";

/** The two mappings of the rows. */
function mapped(bench: Bench, type: "v1" | "v2" = "v2"): RawContainer {
  using stack = new DisposableStack();
  const container = stack.use(bench.container(bench.pci, type));
  mapPages(bench, container, 0, 20);
  mapPages(bench, container, 30, 40);
  stack.move();
  return container;
}

const table = dirtyRows.map(({ name, rule, request }): Check => ({
  name: `dirty: ${name}`,
  rule,
  needs: ["container"],
  run: (bench, say) => {
    using container = mapped(bench);
    start(container);
    say(
      "DIRTY_PAGES",
      answer(container.dirty({ ...getRequest(bench, 0, 20), ...request?.(bench) })),
    );
    say("then a good GET", readWords(bench, container, 0, 20));
  },
}));

const before = [
  "beyond 2^64",
  "pgsize 0",
  "a NULL bitmap",
  "a cut at the tail",
  "size 0",
  "the gap",
];

/** The same before START: which rules come before the one that tracking is on. */
const unstarted = dirtyRows.filter(({ name }) => before.includes(name)).map((
  { name, request },
): Check => ({
  name: `dirty: not started, ${name}`,
  rule: "dirty.started",
  needs: ["container"],
  run: (bench, say) => {
    using container = mapped(bench);
    say("GET", answer(container.dirty({ ...getRequest(bench, 0, 20), ...request?.(bench) })));
  },
}));

const ask = (on: RawContainer, flags: number): string => answer(on.dirtySwitch(flags));

const others: readonly Check[] = [
  {
    name: "dirty: an argument that is NULL",
    rule: "dirty.argument",
    needs: ["container"],
    run: (bench, say) => {
      using container = bench.container();
      say("DIRTY_PAGES", answer(container.file.ask(VFIO_IOMMU_DIRTY_PAGES, NULL)));
    },
  },
  {
    name: "dirty: START and STOP, once and twice",
    rule: "dirty.started",
    needs: ["container"],
    run: (bench, say) => {
      using container = mapped(bench);
      const get = (): string => readWords(bench, container, 0, 70);
      say("GET before START", get());
      say("STOP before START", ask(container, STOP));
      say("START", ask(container, START));
      say("GET", get());
      say("GET again", get());
      say("START again", ask(container, START));
      say("GET after two STARTs", get());
      say("STOP", ask(container, STOP));
      say("GET after one STOP", get());
      say("STOP again", ask(container, STOP));
      say("START after STOP", ask(container, START));
      say("GET after START", get());
    },
  },
  {
    name: "dirty: a v1 container",
    rule: "dirty.v1",
    needs: ["container"],
    run: (bench, say) => {
      using container = mapped(bench, "v1");
      for (const flags of [START, STOP, GET, 0, 8]) {
        say(`8 bytes, flags ${flags}`, ask(container, flags));
      }
      say("GET", readWords(bench, container, 0, 20));
      say("argsz 0", answer(container.file.ask(VFIO_IOMMU_DIRTY_PAGES, words32(0, 0))));
      say("NULL", answer(container.file.ask(VFIO_IOMMU_DIRTY_PAGES, NULL)));
    },
  },
  {
    name: "dirty: a mapping made while tracking is on",
    rule: "dirty.scope",
    needs: ["container"],
    run: (bench, say) => {
      using container = bench.container();
      say("START without mappings", ask(container, START));
      say("GET without mappings", readWords(bench, container, 0, 64));
      mapPages(bench, container, 3, 5);
      say("GET", readWords(bench, container, 0, 64));
      say("pages unmapped", bench.count(container.unmap(all).size));
      say("GET after UNMAP", readWords(bench, container, 0, 64));
    },
  },
  {
    name: "dirty: what is written over a buffer full of ones",
    rule: "dirty.buffer",
    needs: ["container"],
    run: (bench, say) => {
      using container = bench.container();
      mapPages(bench, container, 0, 20);
      mapPages(bench, container, 128, 20);
      mapPages(bench, container, 200, 5);
      start(container);
      const { bytes } = bench.places.bitmap;
      const get = (first: number, count: number): string => {
        bytes.fill(0xff);
        must(container.dirty(getRequest(bench, first, count)), "GET");
        const view = new DataView(bytes.buffer);
        return [0, 1, 2, 3, 4].map((i) => `0x${view.getBigUint64(8 * i, true).toString(16)}`)
          .join(" ");
      };
      say("three mappings, the last not at a word", get(0, 256));
      say("into zeroed memory after it", readWords(bench, container, 0, 256));
      say("one mapping", get(0, 20));
      say("the gap", get(20, 40));
    },
  },
];

/** All checks of the file. */
export const dirtyChecks: readonly Check[] = [...table, ...unstarted, ...others];
