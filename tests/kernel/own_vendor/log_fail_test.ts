/** A device that cannot log so much, or fails to report what it logged, as mlx5 may. */
import { rawLinux as linux } from "../../../mod.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { failingLog, failsHalfWay, noRoom } from "./log_fail_cases.ts";

describe("a log whose device fails", () => {
  it("to report: says why and what to do, and every page of it counts as dirty", () =>
    failingLog(linux));
  it("is refused where the device cannot log so much", () => noRoom(linux));
  it("is incomplete where it failed, and nowhere else", () => failsHalfWay(linux));
});
