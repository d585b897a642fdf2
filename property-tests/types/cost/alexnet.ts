import type * as Nn from "./base.ts"
import { alexnet } from "../../../src/models/alexnet.ts"
const net = alexnet()
export const out: ["N", 1000] = net.out
export const names: keyof Nn.StateDict<typeof net> = "classifier.6.weight"
