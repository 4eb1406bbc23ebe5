/**
 * Lines of a ledger for a terminal and for programs.
 *
 * @module
 */

import { formatSize, type LedgerEntry } from "../mod.ts";
import type { Output } from "./output.ts";
import { columns, wrap } from "./table.ts";

const HEAD = ["  OPERATION", "SUBJECT", "EXPECTED", "CHARGED", "ENTRIES"];

/** A change with its sign. */
export const signed = (bytes: bigint): string =>
  bytes < 0n ? `-${formatSize(-bytes)}` : `+${formatSize(bytes)}`;

function expected({ expected: cost }: LedgerEntry): string {
  if (cost === undefined) return "";
  return cost.least === cost.most
    ? signed(cost.least)
    : `${signed(cost.least)}..${signed(cost.most)}`;
}

/** Shows lines of a ledger, with what differs explained under them. */
export function showLedger(out: Output, entries: readonly LedgerEntry[]): void {
  for (const { kind, subject, expected: cost, charged, difference, notes } of entries) {
    out.record("ledger", {
      kind,
      subject,
      least: cost === undefined ? null : Number(cost.least),
      most: cost === undefined ? null : Number(cost.most),
      locked: Number(charged.locked),
      pinned: Number(charged.pinned),
      entries: charged.dmaAvailable ?? null,
      difference: Number(difference),
      notes: [...notes],
    });
  }
  const rows = entries.map((entry) => [
    `  ${entry.kind}`,
    entry.subject,
    expected(entry),
    signed(entry.charged.locked),
    entry.charged.dmaAvailable === undefined ? "" : `${entry.charged.dmaAvailable}`,
  ]);
  out.lines(columns([HEAD, ...rows], ["left", "left", "right", "right", "right"]));
  for (const note of new Set(entries.flatMap(({ notes }) => notes))) {
    out.lines(wrap(`  note: ${note}`, "    "));
  }
}
