/** What a container answers on its way from nothing to an IOMMU, and when its last group has left. */

import {
  VFIO_CHECK_EXTENSION,
  VFIO_GET_API_VERSION,
  VFIO_IOMMU_DIRTY_PAGES,
  VFIO_IOMMU_GET_INFO,
  VFIO_IOMMU_MAP_DMA,
  VFIO_IOMMU_UNMAP_DMA,
  VFIO_SET_IOMMU,
} from "../../uapi/request.ts";
import type { Check, Say } from "../check.ts";
import { RawContainer } from "../container.ts";
import { answer, must, NULL, type RawFile, value, words32 } from "../raw.ts";
import { all, mapPages, readWords, START, start } from "./request.ts";

/** Ids that CHECK_EXTENSION is asked for, and SET_IOMMU; the last is more than 32 bits. */
const IDS: readonly bigint[] = [...Array(13).keys()].map(BigInt);
const LARGE = (1n << 32n) + 3n;
/** Ids that a driver claims as an extension, and then refuses as a type. */
const CLAIMED: ReadonlySet<bigint> = new Set([6n, 9n]);
/** Cache coherence depends on the machine. */
const DMA_CC = 4n;
/** A request that no container knows. */
const UNKNOWN = 0x3bff;

function extensions(file: RawFile, say: Say, when: string): void {
  for (const id of [...IDS, LARGE]) {
    const result = file.askValue(VFIO_CHECK_EXTENSION, id);
    const either = id === DMA_CC && (result === 0 || result === 1);
    say(`${id} ${when}`, either && when !== "without a group" ? "0 or 1" : value(result));
  }
}

/** Requests that only an IOMMU answers. */
function requests(file: RawFile, say: Say, when: string): void {
  const cases: [string, number, Uint8Array][] = [
    ["GET_INFO", VFIO_IOMMU_GET_INFO, words32(24, 0, 0, 0, 0, 0)],
    ["MAP", VFIO_IOMMU_MAP_DMA, words32(32, 3, 0, 0, 0, 0, 0, 0)],
    ["UNMAP ALL", VFIO_IOMMU_UNMAP_DMA, words32(24, 2, 0, 0, 0, 0)],
    ["START", VFIO_IOMMU_DIRTY_PAGES, words32(8, START)],
    ["GET_INFO with NULL", VFIO_IOMMU_GET_INFO, NULL],
    ["an unknown request", UNKNOWN, NULL],
  ];
  for (const [name, request, argument] of cases) {
    say(`${name}${when}`, answer(file.ask(request, argument)));
  }
}

const iommuIds = [...IDS, LARGE].map((id): Check => ({
  name: `setup: SET_IOMMU ${id}`,
  rule: id === 1n || id === 3n ? "setup.once" : CLAIMED.has(id) ? "setup.type" : "setup.claimed",
  needs: ["container"],
  run: (bench, say) => {
    using file = bench.emptyContainer();
    using group = bench.group();
    say("without a group", answer(file.askValue(VFIO_SET_IOMMU, id)));
    must(group.join(file.fd), "SET_CONTAINER");
    say("with a group", answer(file.askValue(VFIO_SET_IOMMU, id)));
    say("then type 1 v2", answer(file.askValue(VFIO_SET_IOMMU, 3)));
    say("then the id again", answer(file.askValue(VFIO_SET_IOMMU, id)));
  },
}));

/** All checks of the file. */
export const setupChecks: readonly Check[] = [
  {
    name: "setup: GET_API_VERSION",
    rule: "setup.version",
    needs: ["container"],
    run: (bench, say) => {
      using file = bench.emptyContainer();
      say("without a group", value(file.call(VFIO_GET_API_VERSION)));
      using container = bench.container();
      say("with an IOMMU", value(container.file.call(VFIO_GET_API_VERSION)));
    },
  },
  {
    name: "setup: CHECK_EXTENSION without a group",
    rule: "setup.extension",
    needs: ["device"],
    run: (bench, say) => {
      using file = bench.emptyContainer();
      extensions(file, say, "without a group");
    },
  },
  {
    name: "setup: CHECK_EXTENSION with a group",
    rule: "setup.extension",
    needs: ["device"],
    run: (bench, say) => {
      using file = bench.emptyContainer();
      using group = bench.group();
      must(group.join(file.fd), "SET_CONTAINER");
      extensions(file, say, "with a group");
    },
  },
  {
    name: "setup: CHECK_EXTENSION with an IOMMU",
    rule: "setup.extension",
    needs: ["container"],
    run: (bench, say) => {
      using container = bench.container();
      extensions(container.file, say, "with v2");
      using other = bench.emptyContainer();
      extensions(other, say, "in another container, without a group");
    },
  },
  {
    name: "setup: CHECK_EXTENSION of a v1 container",
    rule: "setup.extension",
    needs: ["container"],
    run: (bench, say) => {
      using container = bench.container(bench.pci, "v1");
      extensions(container.file, say, "with v1");
    },
  },
  {
    name: "setup: CHECK_EXTENSION with a mediated device",
    rule: "setup.extension",
    needs: ["container", "mdev"],
    run: (bench, say) => {
      using container = bench.container(bench.mdev);
      extensions(container.file, say, "with an mdev");
      const group = container.join(bench.pci);
      say(
        "10 with an mdev and a PCI device",
        value(container.file.askValue(VFIO_CHECK_EXTENSION, 10)),
      );
      group[Symbol.dispose]();
      say("10 with an mdev again", value(container.file.askValue(VFIO_CHECK_EXTENSION, 10)));
    },
  },
  {
    name: "setup: SET_IOMMU without a group",
    rule: "setup.group",
    needs: ["device"],
    run: (bench, say) => {
      using file = bench.emptyContainer();
      for (const id of IDS) say(`${id}`, answer(file.askValue(VFIO_SET_IOMMU, id)));
    },
  },
  ...iommuIds,
  {
    name: "setup: SET_IOMMU v1, then v2",
    rule: "setup.once",
    needs: ["container"],
    run: (bench, say) => {
      using container = bench.container(bench.pci, "v1");
      say("v2", answer(container.setIommu("v2")));
      say("START, as on v1", answer(container.dirtySwitch(START)));
    },
  },
  {
    name: "setup: SET_IOMMU where interrupts are not remapped",
    rule: "setup.interrupts",
    needs: ["device", "unsafe-interrupts"],
    run: (bench, say) => {
      using file = bench.emptyContainer();
      using group = bench.group();
      must(group.join(file.fd), "SET_CONTAINER");
      say("v1", answer(file.askValue(VFIO_SET_IOMMU, 1)));
      say("v2", answer(file.askValue(VFIO_SET_IOMMU, 3)));
      say("an unknown type", answer(file.askValue(VFIO_SET_IOMMU, 11)));
      say("GET_INFO after it", answer(file.ask(VFIO_IOMMU_GET_INFO, words32(24, 0, 0, 0, 0, 0))));
    },
  },
  {
    name: "setup: requests without an IOMMU",
    rule: "info.iommu",
    needs: ["container"],
    run: (bench, say) => {
      using file = bench.emptyContainer();
      requests(file, say, " without a group");
      using group = bench.group();
      must(group.join(file.fd), "SET_CONTAINER");
      requests(file, say, " with a group");
      must(file.askValue(VFIO_SET_IOMMU, 3), "SET_IOMMU");
      say("an unknown request with an IOMMU", answer(file.ask(UNKNOWN, NULL)));
      say("ENABLE of sPAPR with an IOMMU", answer(file.call(0x3b73)));
    },
  },
  {
    name: "setup: when the last group has left",
    rule: "setup.last-group",
    needs: ["container"],
    run: (bench, say) => {
      using container = bench.container();
      mapPages(bench, container, 0, 4);
      start(container);
      say("UNSET_CONTAINER", answer(container.group.leave()));
      requests(container.file, say, " afterwards");
      say("SET_CONTAINER again", answer(container.group.join(container.file.fd)));
      say("START before SET_IOMMU", answer(container.dirtySwitch(START)));
      say("SET_IOMMU again", answer(container.setIommu("v2")));
      say("GET", readWords(bench, container, 0, 4));
      say("pages mapped", bench.count(container.unmap(all).size));
    },
  },
  {
    name: "setup: the container's file is closed before the group",
    rule: "setup.last-group",
    needs: ["container"],
    run: (bench, say) => {
      using group = bench.group();
      {
        using file = bench.emptyContainer();
        must(group.join(file.fd), "SET_CONTAINER");
        must(file.askValue(VFIO_SET_IOMMU, 3), "SET_IOMMU");
      }
      using other = bench.emptyContainer();
      say("another container", answer(group.join(other.fd)));
      say("UNSET_CONTAINER", answer(group.leave()));
      say("another container afterwards", answer(group.join(other.fd)));
      const { name } = bench.pci;
      say("its device, without an IOMMU", answer(group.deviceFd(name)));
    },
  },
  {
    name: "setup: two containers at once",
    rule: "setup.containers",
    needs: ["container", "second"],
    run: (bench, say) => {
      using one = bench.container();
      using two = new RawContainer(bench.kernel, bench.second, "v2");
      const before = bench.locked();
      mapPages(bench, one, 0, 16);
      say("pages locked by one", `${bench.locked() - before}`);
      mapPages(bench, two, 0, 16);
      say("by both", `${bench.locked() - before}`);
      say("ALL in the first", bench.count(one.unmap(all).size));
      say("ALL in the second", bench.count(two.unmap(all).size));
      say("pages locked afterwards", `${bench.locked() - before}`);
    },
  },
];
