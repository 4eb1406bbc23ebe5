import type { Scene } from "../../lib/model/mod.ts";

/** An edu device of the model, bound to vfio-pci: it does nothing by itself. */
export function edu(name: string, group: number): NonNullable<Scene["devices"]>[number] {
  return {
    kind: "pci",
    name,
    group,
    id: [0x1234, 0x11e8],
    class: 0xff00,
    driver: "vfio-pci",
    model: "edu",
  };
}
