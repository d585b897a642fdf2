import type * as Nn from "./base.ts"
import { lenet } from "../../../src/models/lenet.ts"
const net = lenet()
export const out: ["N", 10] = net.out
export const names: keyof Nn.StateDict<typeof net> = "layer3.fc3.weight"
