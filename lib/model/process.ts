import type { MemlockAccount } from "./account.ts";
import type { Descriptors } from "./descriptors.ts";
import type { AddressSpace } from "./memory.ts";

/** What all processes of a user have pinned together, as iommufd and others count it. */
export interface UserAccount {
  /** Bytes. @see include/linux/sched/user.h, locked_vm */
  locked: bigint;
}

/** A process on the model: what type1 knows of an mm, and of the task that it belongs to. */
export interface Process {
  /** Its number. */
  readonly pid: number;
  /** VmLck, and the limit to it. */
  readonly account: MemlockAccount;
  /** What its user has pinned, in all processes. */
  readonly user: UserAccount;
  /** What is mapped where. */
  readonly memory: AddressSpace;
  /** What is open. */
  readonly files: Descriptors;
}
