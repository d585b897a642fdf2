import type * as Nn from "./base.ts"
import { alexnet5x5 } from "../../../src/models/alexnet.ts"
const net = alexnet5x5()
export const out: ["N", 10] = net.out
export const names: keyof Nn.StateDict<typeof net> = "classifier.6.weight"
