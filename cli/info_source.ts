/**
 * What `pinscope info DEVICE` tells of iommufd, and of the sources of dirty pages.
 *
 * @module
 */

import {
  type HardwareInfo,
  hex,
  type HostDevice,
  Iommufd,
  type Kernel,
  VfioError,
} from "../mod.ts";
import type { Output } from "./output.ts";
import { trySources } from "./source.ts";
import { columns, wrap } from "./table.ts";

/** What is known of a device in iommufd: what its IOMMU can do, or why that cannot be asked. */
type Asked = { readonly hardware: HardwareInfo } | { readonly reason: string };

/** Binds a device for a moment. Its group must not be open. */
function ask(kernel: Kernel, name: string): Asked {
  try {
    using iommufd = Iommufd.open({ kernel });
    using bound = iommufd.bind(name);
    // A driver that reaches memory by itself has no IOMMU to ask.
    if (!name.includes(":")) return { reason: "a mediated device, which has no IOMMU of its own" };
    return { hardware: iommufd.hardwareInfo(bound) };
  } catch (error) {
    if (!(error instanceof VfioError)) throw error;
    return { reason: error.hint ?? error.message };
  }
}

/** Shows what iommufd has of a device. */
export function showIommufd(
  out: Output,
  kernel: Kernel,
  { name, node }: Pick<HostDevice, "name" | "node">,
): void {
  const asked = ask(kernel, name);
  out.line();
  out.line(`${name} in iommufd`);
  const at = ["  device node", node ?? "none"];
  if ("reason" in asked) {
    const { reason } = asked;
    out.record("iommufd", { name, node: node ?? null, hardware: null, reason });
    out.lines(columns([at]));
    out.lines(wrap(`  IOMMU: not known: ${reason}`, "    "));
    return;
  }
  const { data: _, ...hardware } = asked.hardware;
  out.record("iommufd", { name, node: node ?? null, hardware, reason: null });
  const { type, dirtyTracking, pasidExec, pasidPrivileged, pasidBits, ats, capabilities } =
    hardware;
  const words = [
    dirtyTracking ? "dirty tracking" : "no dirty tracking",
    ...(pasidExec ? ["PASID may execute"] : []),
    ...(pasidPrivileged ? ["PASID may be privileged"] : []),
    ...(ats ? [] : ["no ATS"]),
  ];
  out.lines(columns([
    at,
    ["  IOMMU", typeof type === "number" ? `type ${type}` : type],
    ["  capabilities", `${hex(capabilities)}: ${words.join(", ")}`],
    ["  PASID bits", `${pasidBits}`],
  ]));
}

/** Shows which sources of dirty pages work with what was named. */
export function showSources(out: Output, kernel: Kernel, target: string): void {
  out.line();
  out.line("sources of dirty pages, the most exact one first");
  for (const { source, reason } of trySources(kernel, [target])) {
    const works = reason === undefined;
    out.record("source", { source, works, reason: reason ?? null });
    out.lines(wrap(`  ${source.padEnd(5)}  ${works ? "works" : `no: ${reason}`}`, "         "));
  }
}
