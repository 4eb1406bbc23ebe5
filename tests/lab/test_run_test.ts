import { equal } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { profileNamed } from "./profiles.ts";
import { chooseBatches, openConfig } from "./test_run.ts";

const files = new Map([
  ["plain", ["tests/kernel/plain/boot_test.ts", "tests/kernel/plain/map_test.ts"]],
  ["entry_limit", ["tests/kernel/entry_limit/map_test.ts"]],
]);
const names = (batches: ReturnType<typeof chooseBatches>): unknown =>
  batches.map(({ profile, files, filter }) => [profile.name, files.length, filter]);

describe("lab test", () => {
  it("runs every profile that has tests, in the table's order", () => {
    equal(names(chooseBatches(files, undefined, undefined)), [
      ["plain", 2, undefined],
      ["entry_limit", 1, undefined],
    ]);
  });

  it("takes a profile's name, a file or a part of its path", () => {
    equal(names(chooseBatches(files, "entry_limit", undefined)), [["entry_limit", 1, undefined]]);
    equal(names(chooseBatches(files, "map_test", undefined)), [
      ["plain", 1, undefined],
      ["entry_limit", 1, undefined],
    ]);
    const file = "./tests/kernel/plain/map_test.ts";
    equal(names(chooseBatches(files, file, undefined)), [["plain", 1, undefined]]);
  });

  it("takes any other text as a part of a test's name", () => {
    equal(names(chooseBatches(files, "ENOSPC", undefined)), [
      ["plain", 2, "ENOSPC"],
      ["entry_limit", 1, "ENOSPC"],
    ]);
  });

  it("keeps to a chosen profile", () => {
    const plain = profileNamed("plain");
    equal(names(chooseBatches(files, undefined, plain)), [["plain", 2, undefined]]);
    equal(names(chooseBatches(files, undefined, profileNamed("shared_group"))), []);
  });

  it("runs what needs the own kernel with it only", () => {
    const more = new Map([...files, ["own", ["tests/kernel/own/map_test.ts"]]]);
    equal(names(chooseBatches(more, "own", undefined, true)), [["own", 1, undefined]]);
    equal(names(chooseBatches(more, "kernel/own", undefined)), [
      ["plain", 2, "kernel/own"],
      ["entry_limit", 1, "kernel/own"],
    ]);
    equal(names(chooseBatches(more, undefined, profileNamed("own"))), []);
  });

  it("opens the project's configuration for the kernel tests", () => {
    equal(openConfig('{"name":"a","test":{"exclude":["tests/kernel"]}}'), '{"name":"a"}');
  });
});
