/** The friendly side of a refusal. */

import { VfioError } from "../../../mod.ts";
import { equal, throws } from "../../std/assert.ts";

/** What a refusal by the kernel must look like to a script. */
export interface Refusal {
  code: string;
  /** The request or system call, by its C name. */
  operation: string;
  /** What the message must hold: the state, and what to do. */
  text: string | RegExp;
  /** The kernel's rule behind it, where one is known. */
  rule?: string;
}

/** Calls `body`, which must be refused by the kernel as described; gives the error back. */
export function refused(body: () => unknown, wanted: Refusal): VfioError {
  const error = throws(body, VfioError, wanted.text);
  equal({ code: error.code, operation: error.operation }, {
    code: wanted.code,
    operation: wanted.operation,
  });
  if (wanted.rule !== undefined) equal(error.rule, wanted.rule);
  return error;
}
