import type * as Nn from "./base.ts"
import { mnistcnn } from "../../../src/models/mnistcnn.ts"
const net = mnistcnn()
export const out: ["N", 10] = net.out
export const names: keyof Nn.StateDict<typeof net> = "fc.3.weight"
