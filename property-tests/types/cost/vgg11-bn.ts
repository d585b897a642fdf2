import type * as Nn from "./base.ts"
import { vgg11Bn } from "../../../src/models/vgg.ts"
const net = vgg11Bn()
export const out: ["N", 1000] = net.out
export const names: keyof Nn.StateDict<typeof net> = "features.1.running_mean"
