/** A PCI device whose driver pins: it declares its dirty scope with its first pin. */

import type { Check } from "../check.ts";
import { flow, ONE, type Setting } from "./scope_flow.ts";
import { start, STOP } from "./request.ts";

const vendorPci: Setting = {
  device: (bench) => bench.vendorPci,
  needs: ["vendor-pci"],
};
/** All checks of the file. */
export const scopePciChecks: readonly Check[] = [
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
