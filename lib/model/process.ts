import type { MemlockAccount } from "./account.ts";
import type { Descriptors } from "./descriptors.ts";
import type { AddressSpace } from "./memory.ts";

/** A process on the model: what type1 knows of an mm, and of the task that it belongs to. */
export interface Process {
  /** Its number. */
  readonly pid: number;
  /** VmLck, and the limit to it. */
  readonly account: MemlockAccount;
  /** What is mapped where. */
  readonly memory: AddressSpace;
  /** What is open. */
  readonly files: Descriptors;
}
