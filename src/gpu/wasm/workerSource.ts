import { control, leastSpin } from "./control.ts"

/**
 * What each worker runs, as text, so that no bundler has to know of it and none can change it. All workers walk the same
 * schedule and meet at the barriers in it. One that fails goes on meeting the others, so that none waits for ever.
 *
 * Where the memory is shared a worker that has nothing to do is parked: it spins while the last runs followed each other
 * closely, a millisecond at most, and then sleeps. For messages it goes back to its event loop.
 */
export const workerSource = `
"use strict"
const inNode = typeof require === "function"
const port = inNode ? require("node:worker_threads").parentPort : self
let memory, control, part, parts, parks, barrierSpin, patience, own
const modules = new Map()
const schedules = new Map()

/** whether the word changes from a value within some milliseconds */
const spin = (word, value, ms) => {
  const end = performance.now() + ms
  do {
    for (let i = 0; i < 100; i++) if (Atomics.load(control, word) !== value) return true
  } while (performance.now() < end)
  return false
}

const barrier = () => {
  const round = Atomics.load(control, ${control.round})
  if (Atomics.add(control, ${control.arrived}, 1) === parts - 1) {
    Atomics.store(control, ${control.arrived}, 0)
    Atomics.add(control, ${control.round}, 1)
    Atomics.notify(control, ${control.round})
    return
  }
  // spinning in vain says that the others have no processor, or much to do
  const met = spin(${control.round}, round, patience)
  patience = met ? Math.min(barrierSpin, 2 * patience) : Math.max(${leastSpin}, patience / 2)
  if (met) return
  while (Atomics.load(control, ${control.round}) === round) Atomics.wait(control, ${control.round}, round)
}

const text = (error) => String((error && error.message) || error)

let failure
const taken = () => {
  const was = failure
  failure = undefined
  return was
}
const run = (phases) => {
  failure = undefined
  for (let i = 0; i < phases.length; i++) {
    const phase = phases[i]
    if (parts > 1 && phase.barrier) barrier()
    if (phase.alone && part > 0) continue
    if (failure !== undefined || (control && Atomics.load(control, ${control.failed}) !== 0)) continue
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
      if (control) Atomics.store(control, ${control.failed}, 1)
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
      parks = m.parks
      barrierSpin = patience = m.barrierSpin
      own = m.own
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
    case "failure":
      return taken()
  }
}

let broken
let handled = 0
let last = 0
/** how long the last run let itself be waited for, and since when the next one does */
let gap = Infinity
let since = 0

/** until there is a message */
const park = () => {
  for (;;) {
    const seen = Atomics.load(control, own)
    // in this order: what was posted before a run is seen before it
    const number = Atomics.load(control, own + 1)
    if (Atomics.load(control, ${control.posted}) !== handled) return
    if (number !== last) {
      // before the run: after it, the words may be those of the next one
      const crew = Atomics.load(control, ${control.crew})
      last = number
      gap = performance.now() - since
      if (broken === undefined) {
        try {
          run(schedules.get(Atomics.load(control, ${control.schedule})))
        } catch (error) {
          broken = text(error)
        }
      }
      since = performance.now()
      // the others may wait at a barrier for one that is broken: nothing can be run any more, and the host is told so
      const first = broken !== undefined
      if (Atomics.add(control, ${control.done}, 1) === crew - 1 || first) {
        if (first) Atomics.store(control, ${control.failed}, 1)
        Atomics.store(control, ${control.finished}, number)
        Atomics.notify(control, ${control.finished})
      }
    } else if (gap > 1 || !spin(own, seen, Math.min(1, 2 * gap + 0.05))) {
      gap = Infinity
      Atomics.wait(control, own, seen)
    }
  }
}

const receive = (m) => {
  let result
  try {
    result = broken === undefined ? handle(m) : undefined
  } catch (error) {
    broken = text(error)
  }
  if (m.request !== undefined) port.postMessage({ request: m.request, result, broken })
  handled = (handled + 1) | 0
  if (parks && Atomics.load(control, ${control.posted}) === handled) park()
}
if (inNode) port.on("message", receive)
else self.onmessage = (event) => receive(event.data)
`
