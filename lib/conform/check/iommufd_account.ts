/** What iommufd pins, whom it charges, and what the limit lets through, on the mock IOMMU. */

import { RLIMIT_MEMLOCK } from "../../sys/constant.ts";
import type { Bench } from "../bench.ts";
import type { Check, Need, Say } from "../check.ts";
import { RawIommufd } from "../iommufd.ts";
import { mockDevice, tryMock } from "../mock.ts";
import { RawNode } from "../node.ts";
import { answer, must, Unprepared } from "../raw.ts";
import { ALL, good, mapIoas } from "./ioas.ts";

/** Says what is locked and pinned beyond the start. */
type Show = (step: string) => void;

const check = (
  name: string,
  rule: string,
  needs: readonly Need[],
  run: (iommufd: RawIommufd, bench: Bench, say: Say, show: Show) => void,
): Check => ({
  name: `iommufd account: ${name}`,
  rule,
  needs: ["iommufd", "mock", ...needs],
  run: (bench, say) => {
    using iommufd = RawIommufd.open(bench.kernel);
    const [locked, pinned] = [bench.locked(), bench.pinned()];
    const count = (pages: number): string => bench.count(bench.pages(pages));
    run(iommufd, bench, say, (step) => {
      const [more, most] = [bench.locked() - locked, bench.pinned() - pinned];
      say(step, `${count(more)} locked, ${count(most)} pinned`);
    });
  },
});

/** Charges the process instead of the user. */
function byProcess(iommufd: RawIommufd): void {
  must(iommufd.option({ option_id: 0, op: 0, object_id: 0, val64: 1n }).result, "RLIMIT_MODE");
}

/** A limit of some pages for iommufd; what stood there comes back at scope end. */
function limited(bench: Bench, pages: number): Disposable {
  const { kernel } = bench;
  const before = kernel.prlimit(0, RLIMIT_MEMLOCK);
  if (typeof before === "number") throw new Unprepared("prlimit", answer(before));
  const soft = bench.pages(bench.locked() + pages);
  const set = kernel.prlimit(0, RLIMIT_MEMLOCK, { ...before, soft });
  if (typeof set === "number") throw new Unprepared("prlimit", answer(set));
  return { [Symbol.dispose]: () => void kernel.prlimit(0, RLIMIT_MEMLOCK, before) };
}

/** Maps at a page, for as many pages: the answer. */
const tryMap = (
  iommufd: RawIommufd,
  bench: Bench,
  ioas: number,
  first: number,
  count: number,
): string => answer(iommufd.map(good(bench, ioas, first, count)).result);

/** The life of mappings in one address space. */
function life(iommufd: RawIommufd, bench: Bench, show: Show): void {
  const ioas = iommufd.ioas();
  mapIoas(bench, iommufd, ioas, 0, 8);
  show("8 pages mapped");
  const device = mockDevice(iommufd, ioas);
  show("a device comes");
  mapIoas(bench, iommufd, ioas, 16, 8);
  show("the same memory again");
  const copy = { flags: ALL, src_ioas_id: ioas, dst_ioas_id: ioas, src_iova: bench.at(0) };
  must(iommufd.copy({ ...copy, dst_iova: bench.at(32), length: bench.pages(8) }).result, "COPY");
  show("a copy of it");
  const other = iommufd.ioas();
  const there = { ...copy, dst_ioas_id: other, dst_iova: bench.at(0), length: bench.pages(4) };
  must(iommufd.copy(there).result, "COPY");
  const second = mockDevice(iommufd, other);
  show("a part in another address space with a device");
  must(iommufd.unmap(ioas, bench.at(0), bench.pages(8)).result, "UNMAP");
  show("the first goes, its copies stay");
  must(iommufd.unmap(ioas, bench.at(32), bench.pages(8)).result, "UNMAP");
  show("the part stays");
  must(iommufd.destroy(second.object), "DESTROY");
  show("its device goes");
  must(iommufd.destroy(device.object), "DESTROY");
  show("the first device goes");
}

/** What a limit of 16 pages lets through. */
function limits(iommufd: RawIommufd, bench: Bench, say: Say, show: Show): void {
  using _limit = limited(bench, 16);
  const ioas = iommufd.ioas();
  mapIoas(bench, iommufd, ioas, 0, 17);
  say("a device, with 17 pages mapped", answer(tryMock(iommufd, ioas).result));
  show("afterwards");
  iommufd.unmapAll(ioas);
  mapIoas(bench, iommufd, ioas, 0, 8);
  mapIoas(bench, iommufd, ioas, 32, 8);
  say("with 16", answer(tryMock(iommufd, ioas).result));
  say("MAP of one more", tryMap(iommufd, bench, ioas, 64, 1));
  const copy = { flags: ALL, src_ioas_id: ioas, dst_ioas_id: ioas, src_iova: bench.at(0) };
  const there = { ...copy, dst_iova: bench.at(128), length: bench.pages(8) };
  say("COPY of 8", answer(iommufd.copy(there).result));
  show("at the limit");
}

const checks: readonly Check[] = [
  check(
    "nobody's, with CAP_IPC_LOCK",
    "iommufd.account",
    ["ipc-lock"],
    (iommufd, bench, say, show) => {
      using _limit = limited(bench, 4);
      byProcess(iommufd);
      life(iommufd, bench, show);
      say("a page", tryMap(iommufd, bench, iommufd.ioas(), 0, 1));
    },
  ),
  check("the user's", "iommufd.account", ["memory-limit"], (iommufd, bench, _say, show) => {
    life(iommufd, bench, show);
  }),
  check("the process's", "iommufd.account", ["memory-limit"], (iommufd, bench, _say, show) => {
    byProcess(iommufd);
    life(iommufd, bench, show);
  }),
  check("the user's limit", "ioas.memlock", ["memory-limit"], limits),
  check("the process's limit", "ioas.memlock", ["memory-limit"], (iommufd, bench, say, show) => {
    byProcess(iommufd);
    limits(iommufd, bench, say, show);
  }),
  check(
    "the limit at a page table",
    "hwpt.alloc-memlock",
    ["memory-limit"],
    (iommufd, bench, say, show) => {
      const device = mockDevice(iommufd, iommufd.ioas());
      const ioas = iommufd.ioas();
      mapIoas(bench, iommufd, ioas, 0, 9);
      const alloc = (): string =>
        answer(iommufd.hwpt({ dev_id: device.device, pt_id: ioas }).result);
      {
        using _limit = limited(bench, 8);
        say("8 pages, 9 mapped", alloc());
        show("afterwards");
      }
      say("without the limit", alloc());
      show("then");
      say("a second page table", alloc());
      show("in the end");
    },
  ),
  check("two iommufds of one user", "iommufd.account", ["memory-limit"], (iommufd, bench, say) => {
    using _limit = limited(bench, 16);
    using other = RawIommufd.open(bench.kernel);
    for (const file of [iommufd, other]) {
      const ioas = file.ioas();
      mockDevice(file, ioas);
      say(
        file === iommufd ? "10 pages in one" : "10 pages in the other",
        tryMap(file, bench, ioas, 0, 10),
      );
      say(file === iommufd ? "6 more" : "6 there", tryMap(file, bench, ioas, 32, 6));
    }
  }),
  check(
    "the user's and the process's are two",
    "iommufd.account",
    ["memory-limit"],
    (iommufd, bench, say) => {
      using _limit = limited(bench, 16);
      using other = RawIommufd.open(bench.kernel);
      byProcess(other);
      for (const [file, who] of [[iommufd, "user"], [other, "process"]] as const) {
        const ioas = file.ioas();
        mockDevice(file, ioas);
        say(`16 pages of the ${who}`, tryMap(file, bench, ioas, 0, 16));
      }
    },
  ),
];

const onNode: Check = {
  name: "iommufd account: the limit at a device that comes",
  rule: "attach.memlock",
  needs: ["iommufd", "node", "memory-limit"],
  run: (bench, say) => {
    using iommufd = RawIommufd.open(bench.kernel);
    using node = RawNode.open(bench.kernel, bench.nodes[0]!);
    node.mustBind(iommufd);
    const before = bench.pinned();
    const ioas = iommufd.ioas();
    mapIoas(bench, iommufd, ioas, 0, 8);
    const attach = (step: string): void => {
      say(step, answer(node.attach(ioas).result));
      say(`${step}, pinned`, bench.count(bench.pages(bench.pinned() - before)));
    };
    {
      using _limit = limited(bench, 7);
      attach("8 pages with a limit of 7");
    }
    {
      using _limit = limited(bench, 8);
      attach("with one of 8");
      say("MAP of one more", tryMap(iommufd, bench, ioas, 16, 1));
    }
  },
};

/** All checks of the file. */
export const iommufdAccountChecks: readonly Check[] = [...checks, onNode];
