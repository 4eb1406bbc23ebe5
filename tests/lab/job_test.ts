import { equal } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { commandScript, Job, loadList, type Order, passedOn, quote, settings } from "./job.ts";
import { profileNamed, profiles } from "./profiles.ts";

const [plain] = profiles;
if (plain === undefined) throw new Error("there is no profile");
const order: Order = {
  profile: plain,
  project: "/a b",
  folder: "/a b/c",
  command: ["deno", "run", "it's.ts", ""],
  asUser: false,
  shell: false,
  load: ["vfio", "vfio_iommu_type1"],
  own: [],
};

describe("a job", () => {
  it("quotes words for the shell", () => {
    equal(quote("a-b=1:2/3.ts"), "a-b=1:2/3.ts");
    equal(quote("a b"), "'a b'");
    equal(quote("it's"), `'it'\\''s'`);
    equal(quote(""), "''");
    equal(quote("$(x)"), "'$(x)'");
  });

  it("runs the command as root or as the ordinary user", () => {
    equal(commandScript(order), `exec deno run 'it'\\''s.ts' ''\n`);
    const start = "exec /usr/bin/setpriv --reuid=1000 --regid=1000 --clear-groups deno ";
    equal(commandScript({ ...order, asUser: true }).startsWith(start), true);
  });

  it("names the machine's settings", () => {
    const lines = settings(order, { rows: 24, columns: 80 }).split("\n");
    equal(lines[0], "LAB_PROJECT='/a b'");
    equal(lines.includes("LAB_BIND='0000:00:10.0 0000:00:11.0'"), true);
  });

  it("names the driver of each device, and the mediated devices to make", () => {
    const profile = profileNamed("vendor") ?? plain;
    const lines = settings({ ...order, profile }, { rows: 24, columns: 80 }).split("\n");
    equal(lines.includes("LAB_BIND='0000:00:10.0 0000:00:11.0@pinscope-vfio-pci'"), true);
    const mdevs = lines.find((line) => line.startsWith("LAB_MDEVS="));
    equal(mdevs?.match(/@pins|@no_unmap/g), ["@pins", "@pins", "@no_unmap"]);
  });

  it("hands environment variables on, whatever is in them", () => {
    const environment = { PINSCOPE_SEED: "7", OTHER: "it's $(x)" };
    const text = settings({ ...order, environment }, { rows: 24, columns: 80 });
    equal(text.includes("\nexport PINSCOPE_SEED=7\nexport OTHER='it'\\''s $(x)'\n"), true);
  });

  it("tells a shell, and only that, of the terminal", () => {
    const host: Record<string, string> = { PINSCOPE_SEED: "7", TERM: "tmux", HOME: "/root" };
    const env = (name: string): string | undefined => host[name];
    equal(passedOn(false, env), { PINSCOPE_SEED: "7" });
    equal(passedOn(true, env), { PINSCOPE_SEED: "7", TERM: "tmux" });
    host["NO_COLOR"] = "1";
    equal(passedOn(true, env), { PINSCOPE_SEED: "7", TERM: "tmux", NO_COLOR: "1" });
  });

  it("gives type1 the profile's parameters", () => {
    const profile = profileNamed("entry_limit") ?? plain;
    equal(loadList({ ...order, profile }), "vfio\nvfio_iommu_type1 dma_entry_limit=100\n");
  });

  it("leaves no folder behind", async () => {
    let folder: string;
    {
      await using job = await Job.create(order);
      folder = job.folder;
      equal(await job.read("load"), "vfio\nvfio_iommu_type1\n");
      equal(await job.read("status"), undefined);
    }
    equal(await Deno.stat(folder).then(() => true, () => false), false);
  });
});
