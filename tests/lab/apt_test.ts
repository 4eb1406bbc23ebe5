import { equal } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { chooseArchive, parseTargets } from "./apt.ts";

const other = "http://other.invalid/repo/|stable|main|Other";
const security = "http://deb.invalid/security/|x-security|main|Debian-Security";
const debian = "http://deb.invalid/debian/|x|main|Debian";

describe("the archive", () => {
  it("is the one that calls itself Debian", () => {
    const targets = parseTargets([other, security, debian, "", "broken"].join("\n"));
    equal(targets.length, 3);
    equal(chooseArchive(targets), "http://deb.invalid/debian/");
  });

  it("is guessed from the suite where no package list was ever fetched", () => {
    const unread = [security, debian].map((line) => line.replace(/[^|]*$/, ""));
    equal(chooseArchive(parseTargets(unread.join("\n"))), "http://deb.invalid/debian/");
    const literal = [security, debian].map((line) => line.replace(/[^|]*$/, "$(LABEL)"));
    equal(chooseArchive(parseTargets(literal.join("\n"))), "http://deb.invalid/debian/");
  });

  it("is nothing where apt knows other archives only", () => {
    equal(chooseArchive(parseTargets(other)), undefined);
  });
});
