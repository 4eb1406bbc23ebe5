import { openLibrary } from "../../../lib/sys/symbols.ts";
import { match, ok, throws } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";

describe("libc", () => {
  it("that is missing is named, with what to do", () => {
    const error = throws(
      () => openLibrary("libc.so.missing"),
      Error,
      "Cannot load libc.so.missing on linux",
    );
    match(error.message, /the built-in model kernel works everywhere/);
    ok(error.cause instanceof Error);
  });

  it("asks for --allow-ffi where it was not given", async () => {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--cached-only", "--no-prompt", "--no-check", "examples/08_info.ts", "group:1"],
      cwd: new URL("../../..", import.meta.url),
      env: { NO_COLOR: "1" },
    }).output();
    ok(code !== 0);
    match(
      new TextDecoder().decode(stderr),
      /without --allow-ffi: run the script with deno run --allow-ffi/,
    );
  });
});
