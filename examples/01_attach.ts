#!/usr/bin/env -S deno run --cached-only --allow-ffi
// Attach a device: usage: 01_attach.ts DEVICE, or --model for the built-in model kernel
//
// sample output:
//   group 3, pages of 4096 bytes
import { Container } from "@pinscope/vfio";
import { ModelKernel } from "@pinscope/vfio/model";

const [name = "--model"] = Deno.args;
const model = name === "--model";
using container = Container.open({ kernel: model ? new ModelKernel() : undefined });
using group = container.attach(model ? "0000:00:10.0" : name);
console.log(`group ${group.number}, pages of ${container.pageSize} bytes`);
