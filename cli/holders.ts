/**
 * Which processes hold VFIO, under the table of `pinscope pins`.
 *
 * @module
 */

import { type Kernel, listHolders, type VfioHolder } from "../mod.ts";
import type { Output } from "./output.ts";
import { counted, wrap } from "./table.ts";

/** Shows who holds containers, groups and devices; of these processes only, if any are given. */
export function showHolders(out: Output, kernel: Kernel, pids: readonly number[]): void {
  const { holders, forbidden, vanished, notes } = listHolders({ kernel });
  const shown = holders.filter(({ pid }) => pids.length === 0 || pids.includes(pid));
  for (const holder of shown) {
    const { pid, pins, containers, groups, devices, iommufds } = holder;
    out.record("holder", {
      pid,
      command: pins?.command ?? null,
      containers: containers.map(({ id, fds }) => ({ id, fds: [...fds] })),
      groups: groups.map(({ number, fds, devices: members }) => ({
        group: number,
        fds: [...fds],
        devices: members?.map(({ name }) => name) ?? null,
      })),
      devices: devices.map(({ fd, name }) => ({ fd, device: name ?? null })),
      iommufds: [...iommufds],
    });
    out.lines(wrap(`${pid} holds ${describe(holder)}`, "  "));
  }
  const skipped = pids.length === 0 ? forbidden.length : 0;
  if (skipped > 0) {
    out.note(`${counted(skipped, "process")} may not be looked into by this user`.replace(
      "processs",
      "processes",
    ));
  }
  if (pids.length === 0 && vanished.length > 0) {
    out.record("unseen", { forbidden: [...forbidden], vanished: [...vanished] });
  }
  if (shown.length > 0) { for (const note of notes) out.note(note); }
}

function describe({ containers, groups, devices, iommufds }: VfioHolder): string {
  const parts = [
    ...containers.map(({ id, fds }) => `container ${id} (fd ${fds.join(", ")})`),
    ...groups.map(({ number, devices: members }) =>
      `group ${number}${
        members === undefined ? "" : ` (${members.map(({ name }) => name).join(", ")})`
      }`
    ),
    ...devices.map(({ fd, name }) => `device ${name ?? `on fd ${fd}`}`),
    ...iommufds.map((fd) => `iommufd (fd ${fd})`),
  ];
  return parts.join("; ");
}
