import type * as Nn from "./base.ts"
import { vgg16Bn } from "../../../src/models/vgg.ts"
const net = vgg16Bn()
export const out: ["N", 1000] = net.out
export const names: keyof Nn.StateDict<typeof net> = "features.1.running_mean"
