// The outside world: simulators as programs, driven by HTTP.

import { Running } from './programs.js';

/** A running simulator and its control. */
export class Simulator {
  static async start(name) {
    return new Simulator(await Running.start(`sim-${name}`, '--json'));
  }

  constructor(running) {
    this.running = running;
    this.url = running.facts.url;
  }

  async #control(method, path, body) {
    const answer = await fetch(`${this.running.facts.control}/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const json = await answer.json();
    if (!answer.ok) throw new Error(`${method} ${path}: ${JSON.stringify(json)}`);
    return json;
  }

  stats() {
    return this.#control('GET', 'stats');
  }

  /** Behaviour that lasts. */
  switches(patch) {
    return this.#control('PATCH', 'switches', patch);
  }

  /** What calls of an operation do wrong until [`Simulator.mend`]: `{ kind: 'html' }`. */
  fault(op, action, fire = 'always') {
    return this.#control('POST', 'faults', { match: { op }, fire, action });
  }

  mend() {
    return this.#control('DELETE', 'faults');
  }

  /** Adds a person, or changes the fields named. */
  person(fields) {
    return this.#control('POST', 'people', fields);
  }

  /** The provider takes other keys to sign with, so that whoever checks signatures has to ask for them. */
  rotateKeys() {
    return this.#control('POST', 'keys/rotate');
  }

  stop() {
    return this.running.stop();
  }
}
