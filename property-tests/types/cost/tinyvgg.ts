import type * as Nn from "./base.ts"
import { tinyVgg } from "../../../src/models/tinyvgg.ts"
const net = tinyVgg({ input: 1, hidden: 10, output: 10 })
export const out: ["N", 10] = net.out
export const names: keyof Nn.StateDict<typeof net> = "classifier.1.weight"
