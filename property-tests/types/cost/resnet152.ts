import type * as Nn from "./base.ts"
import { resnet152 } from "../../../src/models/resnet.ts"
const net = resnet152()
export const out: ["N", 1000] = net.out
export const names: keyof Nn.StateDict<typeof net> = "layer2.0.downsample.0.weight"
