import { ERRNO } from "../../../lib/base/errno.ts";
import { MFD_CLOEXEC, O_DIRECTORY, O_RDONLY, O_RDWR } from "../../../lib/sys/constant.ts";
import { equal, ok, throws } from "../../std/assert.ts";
import { describeLinux, openFiles } from "./linux.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);

describeLinux("files through libc", (on) => {
  on("open gives a descriptor that is closed on exec, and close gives it back", (kernel) => {
    const before = openFiles();
    const fd = kernel.open("/proc/self/status", O_RDONLY);
    ok(fd > 2, `got ${fd}`);
    const flags = /^flags:\t(\d+)$/m.exec(Deno.readTextFileSync(`/proc/self/fdinfo/${fd}`))?.[1];
    equal(parseInt(flags!, 8) & 0o2000000, 0o2000000);
    equal([kernel.close(fd), kernel.close(fd), openFiles()], [0, -ERRNO.EBADF, before]);
  });

  on("open answers with the right -errno", (kernel) => {
    equal(kernel.open("/no/such/file", O_RDONLY), -ERRNO.ENOENT);
    equal(kernel.open("", O_RDONLY), -ERRNO.ENOENT);
    equal(kernel.open("/proc", O_RDWR), -ERRNO.EISDIR);
    equal(kernel.open("/proc/version", O_RDONLY | O_DIRECTORY), -ERRNO.ENOTDIR);
    equal(kernel.open(`/${"a".repeat(300)}`, O_RDONLY), -ERRNO.ENAMETOOLONG);
  });

  on("a path with a NUL byte is refused before the call", (kernel) => {
    for (const use of ["open", "readlink", "list"] as const) {
      throws(
        () => kernel[use]("/proc\0/x", O_RDONLY),
        TypeError,
        'no NUL byte; got "/proc\\u0000/x"',
      );
    }
  });

  on("a path may hold any letters", (kernel) => {
    const folder = Deno.makeTempDirSync({ prefix: "größe-" });
    try {
      Deno.writeTextFileSync(`${folder}/日本`, "x");
      equal(kernel.list(folder), ["日本"]);
      const fd = kernel.open(`${folder}/日本`, O_RDONLY);
      ok(fd >= 0);
      kernel.close(fd);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  });

  on("read gives what is there and then 0", (kernel) => {
    const fd = kernel.open("/proc/sys/kernel/ostype", O_RDONLY);
    const into = new Uint8Array(64);
    const got = kernel.read(fd, into);
    equal([text(into.subarray(0, got)), kernel.read(fd, into)], ["Linux\n", 0]);
    kernel.close(fd);
    equal([kernel.read(fd, into), kernel.write(fd, into)], [-ERRNO.EBADF, -ERRNO.EBADF]);
  });

  on("read fills a view of a larger buffer, and only that", (kernel) => {
    const fd = kernel.open("/proc/sys/kernel/ostype", O_RDONLY);
    const all = new Uint8Array(16).fill(0x2e);
    equal(kernel.read(fd, all.subarray(4, 7)), 3);
    equal(text(all), "....Lin.........");
    kernel.close(fd);
  });

  on("memfd, ftruncate, write, pwrite and pread move bytes at their offsets", (kernel) => {
    const fd = kernel.memfd("pinscope test", MFD_CLOEXEC);
    ok(fd > 2);
    equal(kernel.readlink(`/proc/self/fd/${fd}`), "/memfd:pinscope test (deleted)");
    equal(kernel.write(fd, bytes("abcdef")), 6);
    equal(kernel.pwrite(fd, bytes("XY"), 2n), 2);
    const into = new Uint8Array(10);
    equal([kernel.pread(fd, into, 0n), text(into.subarray(0, 6))], [6, "abXYef"]);
    equal([kernel.pread(fd, into, 4n), text(into.subarray(0, 2))], [2, "ef"]);
    equal(kernel.pread(fd, into, 6n), 0);
    equal([kernel.ftruncate(fd, 3n), kernel.pread(fd, into, 0n)], [0, 3]);
    // Offsets beyond 32 bits arrive whole.
    equal(kernel.ftruncate(fd, (1n << 33n) + 8n), 0);
    equal(kernel.pwrite(fd, bytes("far"), 1n << 33n), 3);
    equal([kernel.pread(fd, into.subarray(0, 3), 1n << 33n), text(into.subarray(0, 3))], [
      3,
      "far",
    ]);
    equal([kernel.pread(fd, into, 0n), text(into.subarray(0, 3))], [10, "abX"]);
    kernel.close(fd);
  });

  on("pread, pwrite, ftruncate and memfd answer with -errno", (kernel) => {
    const [read, write] = [new Uint8Array(1), new Uint8Array(1)];
    equal([kernel.pread(-1, read, 0n), kernel.pwrite(-1, write, 0n)], [-ERRNO.EBADF, -ERRNO.EBADF]);
    equal(kernel.ftruncate(-1, 0n), -ERRNO.EBADF);
    equal(kernel.memfd("name", 0x8000_0000), -ERRNO.EINVAL);
  });

  on("readlink gives the target, as Deno reads it, or -errno", (kernel) => {
    equal(kernel.readlink("/proc/self/exe"), Deno.readLinkSync("/proc/self/exe"));
    equal(kernel.readlink("/proc/self"), String(Deno.pid));
    equal(kernel.readlink("/no/such/link"), -ERRNO.ENOENT);
    equal(kernel.readlink("/proc/version"), -ERRNO.EINVAL);
  });

  on("list gives the names that Deno sees, sorted, or -errno", (kernel) => {
    for (const folder of ["/", "/proc/sys", "/proc/self", "/sys/devices", "/dev", "/usr/bin"]) {
      const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
      equal(kernel.list(folder), names, folder);
    }
    equal(kernel.list("/no/such/folder"), -ERRNO.ENOENT);
    equal(kernel.list("/proc/version"), -ERRNO.ENOTDIR);
  });

  on("list reads folders that take several calls, and closes them", (kernel) => {
    const folder = Deno.makeTempDirSync();
    try {
      const names = Array.from({ length: 1500 }, (_, i) => `${i}-${"n".repeat(i % 250)}`).sort();
      for (const name of names) Deno.writeTextFileSync(`${folder}/${name}`, "");
      const before = openFiles();
      equal(kernel.list(folder), names);
      equal(openFiles(), before);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  });

  on("ioctl passes its three forms of argument", (kernel) => {
    const [FIONREAD, FIOCLEX] = [0x541b, 0x5451];
    const fd = kernel.memfd("ioctl", MFD_CLOEXEC);
    kernel.ftruncate(fd, 0x1_0203n);
    const count = new Uint8Array(6);
    equal(kernel.ioctlBuffer(fd, FIONREAD, count.subarray(1, 5)), 0);
    equal([...count], [0, 3, 2, 1, 0, 0]);
    equal(kernel.ioctl(fd, FIOCLEX), 0);
    equal(kernel.ioctlValue(fd, FIOCLEX, 0n), 0);
    // No bytes are a NULL pointer.
    equal(kernel.ioctlBuffer(fd, FIONREAD, new Uint8Array(0)), -ERRNO.EFAULT);
    // A request above 2^31 is a number without sign.
    equal(kernel.ioctl(fd, 0xffff_ffff), -ERRNO.ENOTTY);
    equal(kernel.ioctlValue(fd, 0x3b65, 1n), -ERRNO.ENOTTY);
    kernel.close(fd);
    equal(kernel.ioctl(fd, FIOCLEX), -ERRNO.EBADF);
  });
});
