/**
 * What the container over iommufd is charged for, with its ledger and its forecast, on the real kernel.
 *
 * Runs as a child of account_test.ts, with and without CAP_IPC_LOCK.
 */
import { rawLinux as linux } from "../../../../mod.ts";
import { report } from "../../support/child.ts";
import { seenBy } from "../account_cases.ts";

if (import.meta.main) report({ user: seenBy(linux, "user"), process: seenBy(linux, "process") });
