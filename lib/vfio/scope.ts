import type { DirtyLabel } from "../dirty/label.ts";
import { type GroupId, isEmulated } from "./topology.ts";

/** What a group does to the dirty scope of its container. */
export interface GroupScope {
  /** The group's number. */
  readonly group: number;
  /**
   * `all`: it makes every mapped page dirty. `none`: it does not. `until-pin`: it does until its
   * driver pins for the first time, and nothing has shown whether that happened.
   */
  readonly effect: "all" | "none" | "until-pin";
  /** The rule, with the group's devices and drivers. */
  readonly reason: string;
}

/** A group that came or went, and what that did. */
export interface ScopeEvent {
  /** The group's number. */
  readonly group: number;
  /** What happened. */
  readonly event: "attached" | "left";
  /** What it did to the dirty scope. */
  readonly effect: string;
}

/** What a container's dirty bits mean, and how that is known. */
export interface ScopeReport {
  /** `unknown` where neither rule nor evidence tell. */
  readonly label: DirtyLabel;
  /**
   * `rule`: it follows from the groups by the kernel's rules. `evidence`: a read has shown it. `none`:
   * it is open, also where there is no group.
   */
  readonly basis: "rule" | "evidence" | "none";
  /** Why, as a sentence without its end. */
  readonly reason: string;
  /** What each group does. */
  readonly groups: readonly GroupScope[];
  /** What groups that came and went did, oldest first; the last 64. */
  readonly events: readonly ScopeEvent[];
}

/** Drivers without the callback that pinning needs, so that they never pin. */
const NEVER_PIN: ReadonlySet<string> = new Set([
  "vfio-pci",
  "vfio-platform",
  "pcieport",
  "pci-stub",
]);
const MAX_EVENTS = 64;

/**
 * Knows what type1 reports as dirty in a container, by the groups in it and by what reads have shown.
 *
 * A group behind an IOMMU makes every mapped page dirty until its driver pins successfully for the
 * first time. vfio-pci never does; with another driver only a read can tell: a mapped page that is
 * clean proves that no group makes everything dirty.
 *
 * @see drivers/vfio/vfio_iommu_type1.c, num_non_pinned_groups
 */
export class ScopeKeeper {
  readonly #groups = new Map<number, GroupId>();
  readonly #events: ScopeEvent[] = [];
  /** Groups that a clean page has shown to have pinned. */
  readonly #proven = new Set<number>();
  #label: DirtyLabel | undefined;

  /** Notes that a group has joined. */
  attached(id: GroupId): void {
    const before = this.label;
    this.#groups.set(id.number, id);
    this.#label = undefined;
    const { effect } = this.#scopeOf(id);
    this.#note(
      id.number,
      "attached",
      effect === "none"
        ? "nothing: its devices are mediated"
        : before === "all-mapped"
        ? "nothing: every mapped page was dirty already"
        : effect === "all"
        ? "every mapped page is dirty from now on"
        : "every mapped page is dirty until its driver pins for the first time",
    );
  }

  /**
   * Notes that a group has left.
   *
   * @returns Whether the kernel reports everything once more now: `maybe` if the group may have
   *   pinned before.
   */
  left(id: GroupId): "yes" | "no" | "maybe" {
    const { effect } = this.#scopeOf(id);
    this.#groups.delete(id.number);
    this.#label = undefined;
    this.#proven.delete(id.number);
    const once = effect === "all" ? "yes" : effect === "none" ? "no" : "maybe";
    const texts = {
      yes: "while tracking, the next read reports every mapped page once",
      no: "nothing: it did not make every page dirty",
      maybe: "while tracking, the next read may report every mapped page once",
    };
    this.#note(id.number, "left", texts[once]);
    return once;
  }

  #note(group: number, event: ScopeEvent["event"], effect: string): void {
    this.#events.push({ group, event, effect });
    if (this.#events.length > MAX_EVENTS) this.#events.shift();
  }

  /** Notes that a mapped page was clean: every group that might have pinned has. */
  sawClean(): void {
    for (const number of this.#groups.keys()) this.#proven.add(number);
    this.#label = undefined;
  }

  #scopeOf(id: GroupId): GroupScope {
    const group = id.number;
    const devices = id.devices.map(({ name, driver }) => `${name}: ${driver ?? "no driver"}`);
    const list = devices.join(", ");
    if (isEmulated(id)) {
      return {
        group,
        effect: "none",
        reason: `mediated: only what its driver pins or writes is reported (${list})`,
      };
    }
    const pinner = id.devices.find(({ driver }) => driver !== undefined && !NEVER_PIN.has(driver));
    if (pinner === undefined) {
      return {
        group,
        effect: "all",
        reason: `behind an IOMMU, and none of its drivers can pin (${list})`,
      };
    }
    return this.#proven.has(group)
      ? { group, effect: "none", reason: `its driver has pinned, a clean page showed (${list})` }
      : {
        group,
        effect: "until-pin",
        reason: `behind an IOMMU; its driver may pin, and nothing shows whether it has (${list})`,
      };
  }

  /** What the bits mean by rule and evidence. Asked for with each window, so it is remembered. */
  get label(): DirtyLabel {
    this.#label ??= this.report().label;
    return this.#label;
  }

  /** Everything that is known. */
  report(): ScopeReport {
    const groups = [...this.#groups.values()].map((id) => this.#scopeOf(id));
    const numbers = (effect: GroupScope["effect"]): string =>
      groups.filter((group) => group.effect === effect).map(({ group }) => group).join(", ");
    const base = { groups, events: [...this.#events] };
    const all = numbers("all");
    if (all !== "") {
      const reason = `group ${all} keeps it from being pinned pages only: it is behind an IOMMU ` +
        "and none of its drivers can pin";
      return { label: "all-mapped", basis: "rule", reason, ...base };
    }
    const open = numbers("until-pin");
    if (open !== "") {
      const reason = `group ${open} makes every mapped page dirty until its driver pins, and ` +
        "nothing shows whether it has";
      return { label: "unknown", basis: "none", reason, ...base };
    }
    if (this.#proven.size > 0 && [...this.#groups.values()].some((id) => !isEmulated(id))) {
      const reason = "a mapped page was clean, so every driver behind an IOMMU has pinned";
      return { label: "pinned-scope", basis: "evidence", reason, ...base };
    }
    if (groups.length === 0) {
      const reason = "the container has no group, so that nothing is mapped or tracked in it";
      return { label: "unknown", basis: "none", reason, ...base };
    }
    const reason = "all devices are mediated: only what their drivers pin or write is reported";
    return { label: "pinned-scope", basis: "rule", reason, ...base };
  }
}
