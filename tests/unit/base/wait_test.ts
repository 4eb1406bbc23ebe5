import { delay, orAbort } from "../../../lib/base/wait.ts";
import { equal } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";

const reasonOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(() => "came", (reason: unknown) => reason);

describe("waiting", () => {
  it("gives what was waited for", async () => {
    equal(await orAbort(Promise.resolve(7), undefined), 7);
    equal(await orAbort(Promise.resolve(7), new AbortController().signal), 7);
    equal(await delay(0, new AbortController().signal), undefined);
  });

  it("ends with the reason of an abort, before or while it waits", async () => {
    const never = new Promise<never>(() => {});
    equal(await reasonOf(orAbort(never, AbortSignal.abort("before"))), "before");
    equal(await reasonOf(delay(0, AbortSignal.abort("before"))), "before");
    const controller = new AbortController();
    const [waiting, sleeping] = [
      reasonOf(orAbort(never, controller.signal)),
      reasonOf(delay(2 ** 30, controller.signal)),
    ];
    controller.abort("while");
    equal([await waiting, await sleeping], ["while", "while"]);
  });

  it("passes a failure on", async () => {
    const failure = new Error("no");
    const { signal } = new AbortController();
    equal(await reasonOf(orAbort(Promise.reject(failure), signal)), failure);
  });
});
