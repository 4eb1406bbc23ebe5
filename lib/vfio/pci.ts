/**
 * What sysfs tells of a PCI device: its numbers and its class.
 *
 * @see include/linux/pci_ids.h
 * @module
 */

import type { Kernel } from "../sys/kernel.ts";
import { readLine } from "../sys/text.ts";

/** Classes of two bytes, for those whose first byte says too little. */
const CLASSES: Readonly<Record<string, string>> = {
  "0106": "SATA",
  "0108": "NVMe",
  "0600": "host bridge",
  "0604": "PCI bridge",
  "0c03": "USB",
};

/** Classes by their first byte. */
const BASE_CLASSES: Readonly<Record<string, string>> = {
  "01": "storage",
  "02": "network",
  "03": "display",
  "04": "multimedia",
  "05": "memory",
  "06": "bridge",
  "07": "communication",
  "08": "system",
  "09": "input",
  "0b": "processor",
  "0c": "serial bus",
  "0d": "wireless",
  "0f": "satellite",
  "10": "encryption",
  "11": "signal",
  "12": "accelerator",
};

/** The class of a PCI-to-PCI bridge: vfio-pci takes none, and needs none. */
export const PCI_BRIDGE = "PCI bridge";

/** Names the kind of a PCI device by the text of its sysfs file `class`, as "0x020000". */
export function className(text: string): string {
  const digits = text.replace(/^0x/, "");
  return CLASSES[digits.slice(0, 4)] ?? BASE_CLASSES[digits.slice(0, 2)] ?? "other";
}

/** The numbers and the kind of a PCI device; undefined parts could not be read. */
export function readPci(
  kernel: Kernel,
  path: string,
): { readonly id: string | undefined; readonly kind: string | undefined } {
  const [vendor, device, code] = ["vendor", "device", "class"].map((file) =>
    readLine(kernel, `${path}/${file}`)?.replace(/^0x/, "")
  );
  return {
    id: vendor === undefined || device === undefined ? undefined : `${vendor}:${device}`,
    kind: code === undefined ? undefined : className(code),
  };
}
