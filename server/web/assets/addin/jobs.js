// Filing: from the click until the documents are in the DMS. A job has a key that is written down before anything is sent, and every
// try goes out under it, so that however often something breaks it is filed once.

import { Refused, Unreachable, pause, wait } from './server.js';
import { SignInNeeded } from './session.js';

/** How long it is looked what became of a filing, and the waits in between, in seconds. */
const LOOKS_FOR = 60;
const LOOKS = [1, 1, 2, 3, 5, 8];
/** What was begun longer ago is not gone on with: the server has forgotten the key by then. */
const KEPT_MS = 12 * 3600 * 1000;

/** States in which nothing more happens by itself soon. */
const THROUGH = ['filed', 'duplicate', 'cancelled', 'failed', 'undecided', 'held', 'blocked'];
export const IN_PLACE = ['filed', 'duplicate'];

/**
 * What is filed. `bytes` gives the file, or null where the server fetches it.
 * @typedef {object} Work
 * @property {'letters' | 'intakes'} path
 * @property {string} subject
 * @property {any} meta
 * @property {string[]} places where it goes, in words
 * @property {(told: (share: number) => void) => Promise<Blob | Uint8Array | null>} bytes
 * @property {string} fileName
 * @property {string} mediaType
 * @property {string} [id] what it is, for finding it again: the message or the document
 * @property {(job: Job) => void} [watch] is given each try of it from the start
 * @property {boolean} [quiet] it is one of many, which are shown together
 */

/** One filing under way.
 * States: `preparing`, `sending`, `waiting` (tries again by itself), `sign_in`, `refused`, `taken`, `through`, `on_its_way`, `undone`. */
export class Job extends EventTarget {
  /** @param {Work} work @param {string} key */
  constructor(work, key) {
    super();
    this.work = work;
    this.key = key;
    this.state = 'preparing';
    /** How much of a document was read, from 0 to 1. */
    this.share = 0;
    /** @type {Error | null} */
    this.trouble = null;
    /** @type {any} */
    this.intake = null;
    /** @type {any[]} */
    this.filings = [];
    /** When it cannot be taken back any more, by our clock. */
    this.undoUntil = 0;
    /** What became of taking it back: how many were through already. */
    this.kept = 0;
    this.undoTrouble = '';
    /** @type {Promise<void>} */
    this.done = Promise.resolve();
  }

  /** @param {string} state @param {Error | null} [trouble] */
  become(state, trouble = null) {
    this.state = state;
    this.trouble = trouble;
    this.dispatchEvent(new Event('change'));
  }

  get isOver() {
    return ['refused', 'through', 'on_its_way', 'undone'].includes(this.state);
  }

  get isTaken() {
    return ['taken', 'through', 'on_its_way'].includes(this.state);
  }

  /** Whether everything is where it belongs. */
  get isInPlace() {
    return this.state === 'through' && this.filings.length > 0 && this.filings.every((it) => IN_PLACE.includes(it.state));
  }

  get mayUndo() {
    return this.isTaken && this.undoUntil > Date.now();
  }
}

/** All of them. Tells `change` when there is another, or one less. */
export class Jobs extends EventTarget {
  /** @type {Job[]} */
  list = [];

  /** @param {import('./server.js').Server} server @param {import('./session.js').Session} session @param {import('./session.js').Memory} memory */
  constructor(server, session, memory) {
    super();
    this.server = server;
    this.session = session;
    this.memory = memory;
  }

  /** Begins to file. @param {Work} work */
  start(work) {
    const job = new Job(work, crypto.randomUUID());
    const { path, subject, meta, places, id } = work;
    this.memory.write(`job/${job.key}`, { path, subject, meta, places, id, began: Date.now() });
    work.watch?.(job);
    this.#run(job);
    return job;
  }

  /** What was begun and not answered when the pane was closed. @returns {{ key: string, path: string, subject: string, meta: any, places: string[], id?: string }[]} */
  unfinished() {
    const all = this.memory.names('job/').map((name) => ({ ...this.memory.read(name), key: name.slice('job/'.length) }));
    const here = new Set(this.list.map((it) => it.key));
    for (const it of all) if (!(Date.now() - it.began < KEPT_MS)) this.memory.forget(`job/${it.key}`);
    return all.filter((it) => Date.now() - it.began < KEPT_MS && !here.has(it.key));
  }

  /** Goes on with one of these, under its old key. @param {Work} work @param {string} key */
  goOn(work, key) {
    const job = new Job(work, key);
    this.#run(job);
    return job;
  }

  /** Tries again what was refused: nothing was taken, so this is another filing. @param {Job} job */
  again(job) {
    this.put(job);
    return this.start(job.work);
  }

  /** Shows it no more. @param {Job} job */
  put(job) {
    this.list = this.list.filter((it) => it !== job);
    this.dispatchEvent(new Event('change'));
  }

  /** @param {Job} job */
  #run(job) {
    this.list = [job, ...this.list];
    this.dispatchEvent(new Event('change'));
    job.done = this.#file(job).catch((error) => {
      this.memory.forget(`job/${job.key}`);
      job.become('refused', error);
    });
  }

  /** @param {Job} job */
  async #file(job) {
    const { work } = job;
    const told = (/** @type {number} */ share) => {
      job.share = share;
      job.become('preparing');
    };
    const bytes = await work.bytes(told);
    const empty = bytes !== null && (bytes instanceof Blob ? bytes.size : bytes.length) === 0;
    if (empty) throw Object.assign(new Error('empty'), { key: 'addin.error_empty' });
    const form = new FormData();
    form.append('meta', JSON.stringify(work.meta));
    if (bytes !== null) form.append('file', new File([/** @type {any} */ (bytes)], work.fileName, { type: work.mediaType }));
    const answer = await this.#send(job, form);
    this.memory.forget(`job/${job.key}`);
    job.intake = answer.intake;
    job.filings = answer.filings ?? [];
    const until = Date.parse(answer.undo_until ?? '');
    job.undoUntil = Number.isNaN(until) ? 0 : until - this.server.now() + Date.now();
    if (!job.intake) return job.become('on_its_way');
    job.become('taken');
    if (!work.quiet) await this.#look(job);
  }

  /** Sends it until it is taken or refused. @param {Job} job @param {FormData} form @returns {Promise<any>} */
  async #send(job, form) {
    job.become('sending');
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.server.ask('POST', `/${job.work.path}`, { form, headers: { 'idempotency-key': job.key } });
      } catch (error) {
        if (error instanceof SignInNeeded) {
          job.become('sign_in');
          await this.session.signedIn();
        } else if (error instanceof Unreachable) {
          job.become('waiting', error);
          await pause(wait(tries, error.after));
        } else if (error instanceof Refused && error.code === 'key_reused') {
          // An earlier try was taken, whose answer was lost; Office wrote the file a little differently this time.
          return { intake: null };
        } else {
          throw error;
        }
      }
    }
  }

  /** Looks what becomes of it, until it is through. @param {Job} job */
  async #look(job) {
    const end = Date.now() + LOOKS_FOR * 1000;
    for (let looks = 0; Date.now() < end; looks += 1) {
      await pause(LOOKS[Math.min(looks, LOOKS.length - 1)]);
      if (job.state !== 'taken') return;
      let intake;
      try {
        intake = await this.server.ask('GET', `/intakes/${job.intake.id}`);
      } catch (error) {
        // It is taken in; that it is not seen just now changes nothing.
        if (error instanceof Refused) break;
        continue;
      }
      // It was taken back meanwhile.
      if (/** @type {string} */ (job.state) !== 'taken') return;
      job.intake = intake;
      job.filings = intake.filing_items ?? [];
      const stopped = Boolean(intake.needs) || ['quarantined', 'dismissed'].includes(intake.state);
      const through = job.filings.length > 0 && job.filings.every((it) => THROUGH.includes(it.state));
      if (stopped || through) return job.become('through');
      job.become('taken');
    }
    if (job.state === 'taken') job.become('on_its_way');
  }

  /** Takes it back, as far as it is not through. @param {Job} job */
  async undo(job) {
    try {
      const { kept = [] } = await this.server.ask('POST', `/intakes/${job.intake.id}/undo`);
      job.kept = kept.length;
      job.undoUntil = 0;
      job.become('undone');
    } catch (error) {
      if (error instanceof Refused && error.status === 409) job.undoUntil = 0;
      job.undoTrouble = error instanceof Refused ? error.message : 'addin.error_not_now';
      job.become(job.state, job.trouble);
    }
  }
}
