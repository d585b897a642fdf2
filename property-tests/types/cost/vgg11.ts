import type * as Nn from "./base.ts"
import { vgg11 } from "../../../src/models/vgg.ts"
const net = vgg11()
export const out: ["N", 1000] = net.out
export const names: keyof Nn.StateDict<typeof net> = "classifier.6.weight"
