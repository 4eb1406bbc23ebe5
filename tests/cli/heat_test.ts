import { DEFAULT_MDEV } from "../../lib/model/mod.ts";
import { equal, match, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { run } from "./capture.ts";

const PCI = "0000:00:10.0";
const fast = ["--interval", "0", "--count", "6", "--map", "1M:1M", "--source", "type1", "--model"];

describe("pinscope heat", () => {
  it("draws what the model's device pins and writes", async () => {
    const { code, out, err } = await run(["heat", DEFAULT_MDEV, ...fast]);
    equal([code, err], [0, ""]);
    ok(out.startsWith("<svg "));
    match(out, /6 rounds in .*label: pinned-scope</);
    ok(out.includes(`dirty pages of ${DEFAULT_MDEV}`));
    match(out, /6\.12\.0-model; type1; pinscope heat /);
  });

  it("says where every page is dirty by rule", async () => {
    match((await run(["heat", PCI, ...fast])).out, /all-mapped: by rule, not by writes/);
  });

  it("draws address alone", async () => {
    match((await run(["heat", PCI, "--address", ...fast])).out, /was dirty, of 6</);
  });

  it("of a recording, names the device", async () => {
    const path = Deno.makeTempFileSync({ suffix: ".psr" });
    try {
      await run(["heat", DEFAULT_MDEV, ...fast, "--save", path]);
      const { out } = await run(["heat", "--from", path]);
      ok(out.includes(`>dirty pages of ${DEFAULT_MDEV}<`), out.slice(0, 300));
    } finally {
      Deno.removeSync(path);
    }
  });

  it("writes a file, and says why it cannot", async () => {
    const path = Deno.makeTempFileSync();
    try {
      const { code, out, err } = await run(["heat", PCI, ...fast, "-o", path]);
      equal([code, out, err], [0, "", `pinscope: wrote ${path}\n`]);
      match(Deno.readTextFileSync(path), /^<svg .*<\/svg>\n$/s);
      const refused = await run(["heat", PCI, ...fast, "--out", `${path}/no`]);
      equal([refused.code, refused.out], [1, ""]);
      match(refused.err, /^pinscope: Cannot write /);
    } finally {
      Deno.removeSync(path);
    }
  });

  it("has no numbers for programs, and sends them to dirty", async () => {
    const { code, err } = await run(["heat", PCI, "--json", "--model"]);
    equal(code, 2);
    match(err, /pinscope dirty --json/);
  });
});

describe("pinscope report", () => {
  it("writes a page about the model's device", async () => {
    const { code, out, err } = await run(["report", DEFAULT_MDEV, ...fast]);
    equal([code, err], [0, ""]);
    ok(out.startsWith("<!doctype html>"));
    for (const text of ["6.12.0-model", "pinscope report", "<h2>Pinned runs</h2>", "0x110000"]) {
      ok(out.includes(text), text);
    }
    // The ring of four pages, from page 16 of the mapping.
    match(out, /<td data-v="\d+">4<\/td><td data-v="\d+">16<\/td><td data-v="\d+">4<\/td>/);
  });

  it("cannot tell pinned pages where all are dirty by rule", async () => {
    match((await run(["report", PCI, ...fast])).out, /Pinned pages cannot be told apart here/);
  });
});
