/**
 * What each worker runs, as text, so that no bundler has to know of it and none can change it. All workers walk the same
 * schedule and meet at the barriers in it. One that fails goes on meeting the others, so that none waits for ever.
 *
 * `control`: 0 the round of the barrier, 1 how many have arrived, 2 whether a worker has failed in this run.
 */
export const workerSource = `
"use strict"
const inNode = typeof require === "function"
const port = inNode ? require("node:worker_threads").parentPort : self
let memory, control, part, parts
const modules = new Map()
const schedules = new Map()

const barrier = () => {
  const round = Atomics.load(control, 0)
  if (Atomics.add(control, 1, 1) === parts - 1) {
    Atomics.store(control, 1, 0)
    Atomics.add(control, 0, 1)
    Atomics.notify(control, 0)
    return
  }
  for (let i = 0; i < 2000; i++) if (Atomics.load(control, 0) !== round) return
  while (Atomics.load(control, 0) === round) Atomics.wait(control, 0, round)
}

const text = (error) => String((error && error.message) || error)

const run = (phases) => {
  let failure
  for (let i = 0; i < phases.length; i++) {
    const phase = phases[i]
    if (parts > 1 && phase.barrier) barrier()
    if (phase.alone && part > 0) continue
    if (failure !== undefined || (control && Atomics.load(control, 2) !== 0)) continue
    const n = phase.alone ? 1 : parts
    const p = phase.alone ? 0 : part
    try {
      for (const call of phase.calls) {
        if (call.units === undefined) call.run(...call.args, p, n)
        else {
          const from = Math.floor((call.units * p) / n)
          const to = Math.floor((call.units * (p + 1)) / n)
          if (from < to) call.run(from, to, ...call.args)
        }
      }
    } catch (error) {
      failure = { step: phase.step, message: text(error) }
      if (control) Atomics.store(control, 2, 1)
    }
  }
  return failure
}

const handle = (m) => {
  switch (m.type) {
    case "start":
      part = m.part
      parts = m.parts
      control = m.control && new Int32Array(m.control)
      memory = m.memory || new WebAssembly.Memory({ initial: m.pages, maximum: m.maximum })
      return true
    case "grow": {
      const now = memory.buffer.byteLength / 65536
      if (now < m.pages) memory.grow(m.pages - now)
      return
    }
    case "module":
      modules.set(m.id, new WebAssembly.Instance(m.module, { env: { memory } }).exports)
      return
    case "schedule":
      schedules.set(
        m.id,
        m.phases.map((phase) => ({
          ...phase,
          calls: phase.calls.map((call) => ({ ...call, run: modules.get(call.module)[call.fn] })),
        })),
      )
      return
    case "dropModule":
      modules.delete(m.id)
      return
    case "dropSchedule":
      schedules.delete(m.id)
      return
    case "write":
      new Float32Array(memory.buffer, m.address, m.data.length).set(m.data)
      return
    case "zero":
      new Uint8Array(memory.buffer, m.address, m.bytes).fill(0)
      return
    case "read":
      return new Float32Array(memory.buffer, m.address, m.length).slice()
    case "run":
      return run(schedules.get(m.id))
  }
}

let broken
const receive = (m) => {
  let result
  try {
    result = broken === undefined ? handle(m) : undefined
  } catch (error) {
    broken = text(error)
  }
  if (m.request !== undefined) port.postMessage({ request: m.request, result, broken })
}
if (inNode) port.on("message", receive)
else self.onmessage = (event) => receive(event.data)
`
