import type * as Nn from "./base.ts"
import { squeezenet1_0 } from "../../../src/models/squeezenet.ts"
const net = squeezenet1_0()
export const out: ["N", 1000] = net.out
export const names: keyof Nn.StateDict<typeof net> = "features.12.expand3x3.bias"
