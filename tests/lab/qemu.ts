/** The QEMU command line. */
import { which } from "./command.ts";
import { LabProblem } from "./problem.ts";
import type { Profile } from "./profiles.ts";

/** What a machine is made of. */
export interface Machine {
  kernel: string;
  initrd: string;
  profile: Profile;
  accel: string;
  memory: number;
  cpus: number;
  /** Further words for the kernel's command line. */
  append: string;
  /** Print all the kernel's messages? */
  verbose: boolean;
  shares: readonly Share[];
  /** Where the console goes: a file, or the terminal. */
  console: string | undefined;
}

/** A folder of the host that the guest sees. */
export interface Share {
  tag: string;
  folder: string;
  writable: boolean;
}

/** Finds QEMU. */
export function findQemu(): string {
  const file = which("qemu-system-x86_64");
  if (file !== undefined) return file;
  throw new LabProblem("QEMU is not installed: apt-get install qemu-system-x86");
}

/** The kernel's command line. */
export function kernelLine(machine: Machine): string {
  const words = [
    "console=ttyS0",
    machine.verbose ? "" : "quiet",
    // A crash ends the machine at once instead of stopping it: the lab then says what happened.
    "panic=-1",
    "oops=panic",
    "intel_iommu=on",
    // On a busy host the emulated timer is late, and the kernel would take it for a broken one.
    "no_timer_check",
    // Nobody attacks this machine, and in emulation the defences cost seconds.
    "mitigations=off",
    // Needed where vfio_iommu_type1 is built in; a module gets its parameters when it is loaded.
    ...machine.profile.type1.map((parameter) => `vfio_iommu_type1.${parameter}`),
    machine.append,
  ];
  return words.filter((word) => word !== "").join(" ");
}

/** QEMU options take a comma inside a value when it is doubled. */
const quoted = (value: string): string => value.replaceAll(",", ",,");

const iommu = ({ noIommu, intremap }: Profile): string[] =>
  noIommu ? [] : ["-device", `intel-iommu,intremap=${intremap ? "on" : "off"}`];

/** All arguments for QEMU. */
export function qemuArguments(machine: Machine): string[] {
  const accel = machine.accel === "tcg" ? "tcg,thread=multi" : machine.accel;
  const shares = machine.shares.flatMap(({ tag, folder, writable }) => [
    "-fsdev",
    `local,id=${tag},path=${quoted(folder)},security_model=none${writable ? "" : ",readonly=on"}` +
    ",multidevs=remap",
    "-device",
    `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`,
  ]);
  return [
    ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
    ...["-M", "q35,kernel-irqchip=split", "-accel", accel, "-cpu", "max"],
    ...["-m", String(machine.memory), "-smp", String(machine.cpus)],
    ...["-kernel", machine.kernel, "-initrd", machine.initrd, "-append", kernelLine(machine)],
    ...iommu(machine.profile),
    ...machine.profile.devices,
    ...shares,
    ...(machine.console === undefined
      ? ["-serial", "mon:stdio"]
      : ["-serial", `file:${quoted(machine.console)}`]),
  ];
}
