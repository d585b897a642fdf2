import type * as Nn from "./base.ts"
import { alexnetHalf } from "../../../src/models/alexnet.ts"
const net = alexnetHalf()
export const out: ["N", 1000] = net.out
export const names: keyof Nn.StateDict<typeof net> = "classifier.6.weight"
