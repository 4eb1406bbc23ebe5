/** Which pages are dirty: pins, accesses of drivers, and groups that come and go. */

import type { Bench } from "../bench.ts";
import type { Check, Need, Say } from "../check.ts";
import type { Member, RawContainer } from "../container.ts";
import type { Pinner } from "../pinner.ts";
import { answer } from "../raw.ts";
import { all, mapPages, readWords, start, STOP } from "./request.ts";

/** 64 pages are mapped; tracking is off. */
interface Scene {
  readonly bench: Bench;
  readonly container: RawContainer;
  /** The device that pins. */
  readonly pinner: Pinner;
  /** Says which of the 64 pages are dirty, as one word. */
  readonly read: (step: string) => void;
  readonly say: Say;
}

/** Which device is first, and what else there must be. */
interface Setting {
  readonly device?: (bench: Bench) => Member;
  readonly needs?: readonly Need[];
  readonly source?: string;
}

const ONE = Uint8Array.of(1);

function flow(
  name: string,
  rule: string,
  setting: Setting,
  body: (scene: Scene) => void,
): Check {
  const { device = (bench: Bench) => bench.mdev, needs = ["mdev"] } = setting;
  return {
    name: `scope: ${name}`,
    rule,
    source: setting.source ?? "vfio_iova_dirty_bitmap",
    needs,
    run: (bench, say) => {
      const member = device(bench);
      using container = bench.container(member);
      mapPages(bench, container, 0, 64);
      using pinner = bench.pinner(container.group, member);
      const read = (step: string): void => say(step, readWords(bench, container, 0, 64));
      body({ bench, container, pinner, read, say });
    },
  };
}

const vendorPci: Setting = {
  device: (bench) => bench.vendorPci,
  needs: ["vendor-pci"],
  source: "vfio_iommu_type1_pin_pages",
};
const joining: Setting = {
  needs: ["container", "mdev"],
  source: "vfio_iommu_type1_attach_group",
};
const leaving: Setting = {
  needs: ["container", "mdev"],
  source: "vfio_iommu_type1_detach_group",
};

const mediated: readonly Check[] = [
  flow("a mediated device that pins nothing", "dirty.scope", {}, ({ container, read }) => {
    start(container);
    read("first read");
    read("second read");
  }),
  flow("pages that are pinned", "dirty.pinned", {}, ({ bench, container, pinner, read }) => {
    pinner.pin(bench.at(1), 2);
    pinner.pin(bench.at(9), 1, { write: false });
    start(container);
    for (const when of ["first", "second", "third"]) read(`${when} read`);
    pinner.unpin(bench.at(1));
    read("after unpin of one");
    read("once more");
    pinner.pin(bench.at(30));
    pinner.unpin(bench.at(30));
    read("pinned and unpinned between two reads");
    read("once more after that");
  }),
  flow(
    "pages that a driver writes",
    "dirty.written",
    {},
    ({ bench, container, pinner, read, say }) => {
      start(container);
      say("write", pinner.write(bench.at(5), ONE));
      say("read by the driver", pinner.read(bench.at(6), 1));
      read("first read");
      read("second read");
      say("write over two pages", pinner.write(bench.at(9) - 1n, Uint8Array.of(1, 2)));
      read("after it");
    },
  ),
  flow("STOP and START", "dirty.started", {}, ({ bench, container, pinner, read }) => {
    start(container);
    pinner.pin(bench.at(3));
    pinner.write(bench.at(7), ONE);
    container.dirtySwitch(STOP);
    start(container);
    read("pins stay, history goes");
    read("once more");
  }),
  flow(
    "pins before START that are gone",
    "dirty.started",
    {},
    ({ bench, container, pinner, read }) => {
      pinner.pin(bench.at(3));
      pinner.unpin(bench.at(3));
      pinner.write(bench.at(4), ONE);
      start(container);
      read("first read");
    },
  ),
  flow("a pin that fails half-way", "pin.range", {}, ({ bench, container, pinner, read, say }) => {
    start(container);
    say("pin over the end", pinner.pin(bench.at(60), 8, { oneCall: true }));
    read("first read");
    read("second read");
    say("pages pinned", `${pinner.state().pinned}`);
  }),
  flow("a closed device", "dirty.pinned", {}, ({ bench, container, pinner, read }) => {
    start(container);
    pinner.pin(bench.at(4));
    read("while open");
    pinner[Symbol.dispose]();
    read("after close");
    read("once more");
  }),
  flow("a second mediated device", "dirty.scope", { needs: ["mdev", "mdev2"] }, (scene) => {
    const { bench, container, pinner, read } = scene;
    start(container);
    pinner.pin(bench.at(1));
    {
      using group = container.join(bench.mdev2);
      read("it joined");
      using other = bench.pinner(group, bench.mdev2);
      other.pin(bench.at(9));
      read("it pinned");
    }
    read("it left");
    read("once more");
  }),
];

const withPci: readonly Check[] = [
  flow("a PCI device joins and leaves", "dirty.detach", leaving, (scene) => {
    const { bench, container, pinner, read } = scene;
    pinner.pin(bench.at(1));
    start(container);
    read("before");
    {
      using _group = container.join(bench.pci);
      read("it is there");
      read("once more");
    }
    read("it left");
    read("after that");
  }),
  flow("a PCI device comes and goes between two reads", "dirty.detach", leaving, (scene) => {
    const { bench, container, pinner, read } = scene;
    start(container);
    pinner.pin(bench.at(1), 2);
    read("before");
    container.join(bench.pci)[Symbol.dispose]();
    mapPages(bench, container, 128, 8);
    read("afterwards");
    scene.say("a mapping made later", readWords(bench, container, 128, 8));
    read("once more");
  }),
  flow("a PCI device comes and goes before START", "dirty.detach", leaving, (scene) => {
    scene.pinner.pin(scene.bench.at(4));
    scene.container.join(scene.bench.pci)[Symbol.dispose]();
    start(scene.container);
    scene.read("first read");
  }),
  flow("the mediated device leaves a PCI device", "dirty.scope", joining, (scene) => {
    const { bench, container, pinner, read } = scene;
    using _group = container.join(bench.pci);
    start(container);
    pinner.pin(bench.at(1));
    pinner[Symbol.dispose]();
    scene.say("UNSET_CONTAINER", answer(container.group.leave()));
    read("first read");
    read("second read");
  }),
];

const declared: readonly Check[] = [
  flow(
    "a PCI device's first pin",
    "dirty.first-pin",
    vendorPci,
    ({ bench, container, pinner, read }) => {
      start(container);
      read("first read");
      read("second read");
      pinner.pin(bench.at(3), 2);
      read("after its first pin");
      pinner.unpin(bench.at(3), 2);
      read("after unpin");
      read("once more");
      container.dirtySwitch(STOP);
      start(container);
      read("after STOP and START");
    },
  ),
  flow("a PCI device's first pin before START", "dirty.first-pin", vendorPci, (scene) => {
    scene.pinner.pin(scene.bench.at(3), 1, { write: false });
    start(scene.container);
    scene.read("first read");
  }),
  flow("a PCI device's pin that is refused, and writes", "dirty.first-pin", vendorPci, (scene) => {
    const { bench, container, pinner, read, say } = scene;
    start(container);
    say("pin over the end", pinner.pin(bench.at(60), 8, { oneCall: true }));
    read("after it");
    say("write", pinner.write(bench.at(1), ONE));
    read("after the write");
  }),
  flow("a PCI device that pins is closed and opened", "dirty.first-pin", vendorPci, (scene) => {
    const { bench, container, pinner, read } = scene;
    start(container);
    pinner.pin(bench.at(3));
    pinner[Symbol.dispose]();
    read("closed");
    using _again = bench.pinner(container.group, bench.vendorPci);
    read("opened again");
  }),
  flow("a PCI device that pins comes and goes", "dirty.first-pin", {
    needs: ["mdev", "vendor-pci"],
  }, (scene) => {
    const { bench, container, pinner, read, say } = scene;
    start(container);
    pinner.pin(bench.at(1));
    {
      using group = container.join(bench.vendorPci);
      using other = bench.pinner(group, bench.vendorPci);
      read("it joined");
      other.pin(bench.at(3));
      read("it pinned");
    }
    read("it left");
    read("once more");
    {
      using group = container.join(bench.vendorPci);
      using other = bench.pinner(group, bench.vendorPci);
      read("it joined again");
      say("a pin that is refused", other.pin(bench.at(64)));
    }
    read("it left before a pin");
    read("after that");
  }),
  flow("a vfio-pci device beside one that pins", "dirty.first-pin", {
    ...vendorPci,
    needs: ["container", "vendor-pci"],
  }, (scene) => {
    const { bench, container, pinner, read } = scene;
    start(container);
    pinner.pin(bench.at(3));
    read("alone");
    {
      using _plain = container.join(bench.pci);
      read("both");
    }
    read("alone again");
    read("once more");
  }),
  flow("a mediated device pins beside a PCI device that may", "dirty.first-pin", {
    ...vendorPci,
    needs: ["mdev", "vendor-pci"],
  }, (scene) => {
    const { bench, container, pinner, read } = scene;
    using group = container.join(bench.mdev);
    using mdev = bench.pinner(group, bench.mdev);
    start(container);
    mdev.pin(bench.at(9));
    read("the mediated one pinned");
    pinner.pin(bench.at(3));
    read("both pinned");
  }),
];

const unmapped: readonly Check[] = [
  flow(
    "UNMAP of pinned pages, with its bitmap",
    "unmap.pinned",
    { source: "vfio_dma_do_unmap" },
    (scene) => {
      const { bench, container, pinner, say } = scene;
      start(container);
      pinner.pin(bench.at(2), 3);
      pinner.pin(bench.at(2));
      pinner.pin(bench.at(63));
      pinner.write(bench.at(9), ONE);
      pinner.clear();
      const { page, places: { bitmap } } = bench;
      const range = { iova: bench.at(0), size: bench.pages(64), pgsize: page };
      const request = { ...range, argsz: 48, flags: 1, bitmap_size: 8n, data: bitmap.address };
      const { result, size } = container.unmap(request);
      say("UNMAP", `${answer(result)}, ${bench.count(size)}`);
      say("bitmap", `0x${new DataView(bitmap.bytes.buffer).getBigUint64(0, true).toString(16)}`);
      const { pinned, unmaps, returned } = pinner.state();
      say("callbacks, pages given back, pages pinned", [unmaps, returned, pinned].join(", "));
      const log = pinner.log().map(([iova, length]) =>
        `page ${(iova - bench.at(0)) / page}, ${bench.count(length)}`
      );
      say("called for", log.join("; "));
    },
  ),
  flow("ALL of pinned pages", "unmap.pinned", { source: "vfio_dma_do_unmap" }, (scene) => {
    const { bench, container, pinner, say } = scene;
    mapPages(bench, container, 128, 8);
    mapPages(bench, container, 256, 8);
    pinner.pin(bench.at(0));
    pinner.pin(bench.at(256), 8);
    pinner.clear();
    say("pages unmapped", bench.count(container.unmap(all).size));
    const log = pinner.log().map(([iova, length]) =>
      `page ${(iova - bench.at(0)) / bench.page}, ${bench.count(length)}`
    );
    say("called for", log.join("; "));
  }),
];

/** All checks of the file. */
export const scopeChecks: readonly Check[] = [...mediated, ...withPci, ...declared, ...unmapped];
