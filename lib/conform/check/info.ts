/** What GET_INFO answers: every length of the struct, and the chain of capabilities. */

import { capabilities } from "../../uapi/capability.ts";
import { decodeMigration } from "../../uapi/capability_decode.ts";
import { VFIO_IOMMU_GET_INFO } from "../../uapi/request.ts";
import type { Bench } from "../bench.ts";
import type { Check, Say } from "../check.ts";
import type { RawContainer } from "../container.ts";
import { factsOf } from "../facts.ts";
import { answer, NULL } from "../raw.ts";
import { all, mapPages, unmapPages } from "./request.ts";

/** What the buffer holds before, so that each byte that is written shows. */
const FILL = 0xa5;

/** Asks with a length: the answer, and what of the buffer was written. */
function asked(container: RawContainer, argsz: number, flags = 0): string {
  const bytes = new Uint8Array(4096).fill(FILL);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, argsz, true);
  view.setUint32(4, flags, true);
  const result = container.info(bytes);
  if (result < 0) return answer(result);
  const { need } = factsOf(container);
  const out = view.getUint32(0, true);
  const length = out === argsz ? "argsz as given" : out === need ? "argsz what it needs" : "other";
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === FILL) end -= 1;
  const written = end === need ? "all it needs" : `${end} bytes`;
  const offset = end >= 20 ? view.getUint32(16, true) : "none";
  return `OK, ${length}, flags ${
    view.getUint32(4, true)
  }, cap_offset ${offset}, ${written} written`;
}

/** The chain, in its order and with what is the same on all machines. */
function chain(bench: Bench, container: RawContainer, say: Say): void {
  const { bytes, page, ranges, need, available } = factsOf(container);
  const view = new DataView(bytes.buffer);
  const found = [...capabilities(bytes, view.getUint32(16, true), 24)];
  say("capabilities", found.map(({ id, version }) => `${id} v${version}`).join(", "));
  const migration = found.find(({ id }) => id === 2);
  if (migration !== undefined) {
    const { pageSizes, maxBitmapBytes } = decodeMigration(migration.bytes);
    say("pages of the bitmap", pageSizes === page ? "the smallest" : "others");
    say("largest bitmap", `0x${maxBitmapBytes.toString(16)} bytes`);
  }
  const count = ranges?.length ?? 0;
  const size = need - 24 - 32 - (count === 0 ? 0 : 16 + 16 * count);
  say("bytes beside head, migration and ranges", `${size}`);
  const ordered = ranges?.every(({ start, end }, i) =>
    start <= end && (i === 0 || ranges[i - 1]!.end < start)
  );
  say("ranges", ranges === undefined ? "none" : ordered ? "in order" : "not in order");
  const [avail, facts] = [available, bench.facts?.available];
  say("entries left", avail === facts ? "as in an empty container" : `${avail}`);
  say("padding", view.getUint32(20, true) === 0 ? "0" : "not 0");
}

const lengths: readonly [string, (need: number) => number][] = [
  ...[0, 15, 16, 17, 20, 23, 24, 25, 32].map((argsz): [string, () => number] => [
    `${argsz}`,
    () => argsz,
  ]),
  ["what it needs - 1", (need) => need - 1],
  ["what it needs", (need) => need],
  ["what it needs + 1", (need) => need + 1],
  ["4096", () => 4096],
];

/** All checks of the file. */
export const infoChecks: readonly Check[] = [
  ...lengths.map(([text, argsz]): Check => ({
    name: `info: argsz ${text}`,
    rule: "info.argsz",
    needs: ["container"],
    run: (bench, say) => {
      using container = bench.container();
      say("GET_INFO", asked(container, argsz(bench.facts!.need)));
    },
  })),
  {
    name: "info: flags",
    rule: "info.flags",
    needs: ["container"],
    run: (bench, say) => {
      using container = bench.container();
      say("flags 0xffffffff", asked(container, 24, 0xffff_ffff));
    },
  },
  {
    name: "info: an argument that is NULL",
    rule: "info.argument",
    needs: ["container"],
    run: (bench, say) => {
      using container = bench.container();
      say("GET_INFO", answer(container.file.ask(VFIO_IOMMU_GET_INFO, NULL)));
    },
  },
  {
    name: "info: the capabilities",
    rule: "info.capabilities",
    needs: ["container"],
    run: (bench, say) => {
      using container = bench.container();
      chain(bench, container, say);
    },
  },
  {
    name: "info: the capabilities of a v1 container",
    rule: "info.capabilities",
    needs: ["container"],
    run: (bench, say) => {
      using container = bench.container(bench.pci, "v1");
      chain(bench, container, say);
    },
  },
  {
    name: "info: entries left",
    rule: "info.entries",
    needs: ["container"],
    run: (bench, say) => {
      using container = bench.container();
      const used = (): string => `${bench.facts!.available - factsOf(container).available}`;
      mapPages(bench, container, 0, 4);
      say("used by a MAP", used());
      mapPages(bench, container, 4, 4);
      say("used by two", used());
      unmapPages(bench, container, 0, 4);
      say("after UNMAP of one", used());
      container.map({ argsz: 32, flags: 3, vaddr: 0n, iova: bench.at(4), size: bench.page });
      say("after a MAP that was refused", used());
      container.unmap(all);
      say("after ALL", used());
    },
  },
  {
    name: "info: a mediated device alone",
    rule: "info.mdev",
    needs: ["container", "mdev"],
    run: (bench, say) => {
      using container = bench.container(bench.mdev);
      chain(bench, container, say);
      const sizes = new DataView(factsOf(container).bytes.buffer).getBigUint64(8, true);
      say("iova_pgsizes", `0x${sizes.toString(16)}`);
      for (const argsz of [16, 24, 71, 72]) say(`argsz ${argsz}`, asked(container, argsz));
    },
  },
  {
    name: "info: a PCI device came and went beside a mediated one",
    rule: "info.mdev",
    needs: ["container", "mdev"],
    run: (bench, say) => {
      using container = bench.container(bench.mdev);
      const show = (when: string): void => {
        const { ranges, need } = factsOf(container);
        const text = ranges?.map(({ start, end }) =>
          `0x${start.toString(16)}-0x${end.toString(16)}`
        );
        say(`ranges ${when}`, when === "with it" ? `${ranges !== undefined}` : `${text ?? "none"}`);
        if (when !== "with it") say(`bytes ${when}`, `${need}`);
      };
      show("before");
      const group = container.join(bench.pci);
      show("with it");
      group[Symbol.dispose]();
      show("afterwards");
    },
  },
];
