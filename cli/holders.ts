/**
 * Which processes hold VFIO, under the table of `pinscope pins`.
 *
 * @module
 */

import { type Holders, type Kernel, listHolders, type VfioHolder } from "../mod.ts";
import type { JsonObject, Output } from "./output.ts";
import { wrap } from "./table.ts";

/** Who holds containers, groups and devices; of some processes only, if any are given. */
export class HolderList {
  readonly #found: Holders;
  readonly #shown: readonly VfioHolder[];
  /** Whether all processes are asked for: what could not be seen matters then. */
  readonly #isWhole: boolean;

  /** Looks at the processes as they are now. */
  constructor(kernel: Kernel, pids: readonly number[]) {
    this.#found = listHolders({ kernel });
    this.#isWhole = pids.length === 0;
    this.#shown = this.#found.holders.filter(({ pid }) => this.#isWhole || pids.includes(pid));
  }

  /** For programs. */
  get records(): JsonObject[] {
    return this.#shown.map(({ pid, pins, containers, groups, devices, iommufds }) => ({
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
    }));
  }

  /** Processes that could not be looked into, or ended meanwhile; undefined for none. */
  get unseen(): JsonObject | undefined {
    const { forbidden, vanished } = this.#found;
    if (!this.#isWhole || forbidden.length + vanished.length === 0) return undefined;
    return { forbidden: [...forbidden], vanished: [...vanished] };
  }

  /** For people, with what could not be seen. */
  show(out: Output): void {
    for (const holder of this.#shown) {
      out.lines(wrap(`${holder.pid} holds ${describe(holder)}`, "  "));
    }
    const { forbidden, notes } = this.#found;
    if (this.#isWhole && forbidden.length > 0) {
      const processes = forbidden.length === 1 ? "1 process" : `${forbidden.length} processes`;
      out.note(`${processes} may not be looked into by this user`);
    }
    if (this.#shown.length > 0) { for (const note of notes) out.note(note); }
  }
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
