/** What a kernel must have to be a lab, and how to tell which CONFIG_ options it lacks. */
import type { ModuleIndex } from "./modules.ts";

/** One thing the lab needs of a kernel. */
export interface Need {
  /** The option, without CONFIG_. */
  config: string;
  /** The module it becomes, when it can be one. */
  module?: string;
  purpose: string;
  /** True for options that older kernels do not have: judged only where the config names them. */
  young?: boolean;
}

/** Loaded first: without these the guest cannot reach its folders. */
export const baseModules: readonly string[] = ["virtio_pci", "9pnet_virtio", "9p", "overlay"];

/** Loaded next. */
export const vfioModules: readonly string[] = ["vfio", "vfio_iommu_type1", "vfio_pci"];

/** Loaded where the kernel has them. */
export const optionalModules: readonly string[] = ["irqbypass", "mdev", "vfio_mdev", "iommufd"];

/** The table of needs. */
export const needs: readonly Need[] = [
  { config: "BLK_DEV_INITRD", purpose: "the guest's first root folder" },
  { config: "BINFMT_SCRIPT", purpose: "the guest's init is a script" },
  { config: "DEVTMPFS", purpose: "/dev" },
  { config: "TMPFS", purpose: "/tmp" },
  { config: "SERIAL_8250_CONSOLE", purpose: "the console" },
  { config: "EPOLL", purpose: "Deno" },
  { config: "EVENTFD", purpose: "Deno, VFIO interrupts" },
  { config: "FUTEX", purpose: "Deno" },
  { config: "UNIX", purpose: "Deno" },
  { config: "VIRTIO_PCI", module: "virtio_pci", purpose: "shared folders" },
  { config: "NET_9P_VIRTIO", module: "9pnet_virtio", purpose: "shared folders" },
  { config: "9P_FS", module: "9p", purpose: "shared folders" },
  { config: "OVERLAY_FS", module: "overlay", purpose: "a writable view of Deno's cache" },
  { config: "VFIO", module: "vfio", purpose: "VFIO" },
  { config: "VFIO_GROUP", purpose: "/dev/vfio/<group>", young: true },
  { config: "VFIO_IOMMU_TYPE1", module: "vfio_iommu_type1", purpose: "the type1 IOMMU backend" },
  { config: "VFIO_PCI", module: "vfio_pci", purpose: "the vfio-pci driver" },
  { config: "INTEL_IOMMU", purpose: "the emulated IOMMU" },
  { config: "IRQ_REMAP", purpose: "interrupt remapping, without which SET_IOMMU is refused" },
];

/** Reads a kernel configuration: option (without CONFIG_) to y, m, n or a value. */
export function parseConfig(text: string): Map<string, string> {
  const config = new Map<string, string>();
  for (const line of text.split("\n")) {
    const set = line.match(/^CONFIG_(\w+)=(.*)$/);
    const unset = line.match(/^# CONFIG_(\w+) is not set$/);
    if (set?.[1] !== undefined) config.set(set[1], set[2] ?? "");
    else if (unset?.[1] !== undefined) config.set(unset[1], "n");
  }
  return config;
}

/**
 * Lists what a kernel lacks, one line each; an empty list where nothing is known to be missing.
 * @param config the kernel's configuration, if it was found
 * @param index the kernel's modules, if there are any
 */
export function explainMissing(
  config: ReadonlyMap<string, string> | undefined,
  index: ModuleIndex | undefined,
): string[] {
  const lines: string[] = [];
  for (const need of needs) {
    const option = `CONFIG_${need.config}`;
    const value = config?.get(need.config);
    const file = need.module !== undefined && index?.files.has(need.module);
    const builtin = need.module !== undefined && index?.builtin?.has(need.module);
    if (file || builtin || value === "y") continue;
    if (config !== undefined) {
      if (need.young && value === undefined) continue;
      if (value === "m") {
        lines.push(`${option}=m, but there is no ${need.module}.ko (${need.purpose})`);
      } else lines.push(`${option} is not set (${need.purpose})`);
    } else if (need.module !== undefined && index?.builtin !== undefined) {
      lines.push(`${option}: neither a module nor built in (${need.purpose})`);
    }
  }
  if (lines.some((line) => line.includes("=m, but"))) {
    lines.push("make modules_install INSTALL_MOD_PATH=DIR, then --modules DIR, brings the modules");
  }
  return lines;
}
