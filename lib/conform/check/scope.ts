/** Which pages are dirty: pins, accesses of drivers, and groups that come and go. */

import type { Check } from "../check.ts";
import { answer } from "../raw.ts";
import { flow, ONE, type Setting } from "./scope_flow.ts";
import { all, mapPages, readWords, start, STOP } from "./request.ts";

const joining: Setting = {
  needs: ["container", "mdev"],
};
const leaving: Setting = {
  needs: ["container", "mdev"],
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
  flow("a pin that fails half-way", "pin.mapped", {}, ({ bench, container, pinner, read, say }) => {
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

const unmapped: readonly Check[] = [
  flow(
    "UNMAP of pinned pages, with its bitmap",
    "unmap.pinned",
    {},
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
  flow("ALL of pinned pages", "unmap.pinned", {}, (scene) => {
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
export const scopeChecks: readonly Check[] = [...mediated, ...withPci, ...unmapped];
