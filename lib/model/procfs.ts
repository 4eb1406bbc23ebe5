import type { Host } from "./host.ts";
import type { Process } from "./process.ts";
import type { Tree } from "./tree.ts";

/** Capabilities with and without CAP_IPC_LOCK, which is bit 14. */
const WITH_IPC_LOCK = "000001ffffffffff";
const WITHOUT_IPC_LOCK = "0000000000000000";

/** Fills in /proc as a process sees it: the processes, the limits, the mounts. */
export function addProcfs(tree: Tree, host: Host, self: Process): void {
  const { scene } = host;
  tree.text("/proc/sys/kernel/osrelease", `${scene.release}\n`);
  tree.text("/proc/swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
  tree.text("/proc/self/mountinfo", mountinfo(host));
  tree.link("/proc/self", `${self.pid}`);
  for (const { pid, account } of host.processes) {
    for (const name of pid === self.pid ? ["self", `${pid}`] : [`${pid}`]) {
      const path = `/proc/${name}`;
      tree.text(
        `${path}/status`,
        () => status("deno", pid, account.locked / 1024n, account.pinned / 1024n, account.ipcLock),
      );
      tree.text(`${path}/limits`, () => limits(account.soft, account.hard));
      tree.text(`${path}/comm`, "deno\n");
    }
  }
  for (const { pid, name, lockedKiB, pinnedKiB, files } of scene.processes) {
    tree.text(`/proc/${pid}/status`, status(name, pid, lockedKiB, pinnedKiB, true));
    tree.text(`/proc/${pid}/limits`, limits(scene.memlock, scene.memlock));
    tree.text(`/proc/${pid}/comm`, `${name}\n`);
    if (files === undefined) continue;
    tree.folder(`/proc/${pid}/fd`);
    for (const [fd, target] of Object.entries(files)) tree.link(`/proc/${pid}/fd/${fd}`, target);
  }
}

function status(
  name: string,
  pid: number,
  locked: bigint,
  pinned: bigint,
  ipcLock: boolean,
): string {
  const size = (kilobytes: bigint): string => `${kilobytes} kB`.padStart(11);
  return [
    `Name:\t${name}`,
    "Umask:\t0022",
    "State:\tR (running)",
    `Pid:\t${pid}`,
    "Uid:\t0\t0\t0\t0",
    `VmLck:\t${size(locked)}`,
    `VmPin:\t${size(pinned)}`,
    `CapEff:\t${ipcLock ? WITH_IPC_LOCK : WITHOUT_IPC_LOCK}`,
    "",
  ].join("\n");
}

function limits(soft: bigint, hard: bigint): string {
  const text = (value: bigint): string =>
    (value >= 1n << 63n ? "unlimited" : `${value}`).padEnd(20);
  return [
    "Limit                     Soft Limit           Hard Limit           Units     ",
    `Max locked memory         ${text(soft)} ${text(hard)} bytes     `,
    "",
  ].join("\n");
}

function mountinfo(host: Host): string {
  const lines = ["22 1 0:21 / /proc rw,relatime shared:5 - proc proc rw"];
  for (const { scene } of host.devices.values()) {
    if (scene.kind !== "pci" || scene.disk?.mount === undefined) continue;
    const { name, mount } = scene.disk;
    lines.push(`26 1 259:1 / ${mount} rw,relatime shared:1 - ext4 /dev/${name}p1 rw`);
  }
  return `${lines.join("\n")}\n`;
}
