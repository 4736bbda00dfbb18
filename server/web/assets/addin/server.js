// Requests to Postroom: what is worth another try is told apart from what is not.

import { SignInNeeded } from './session.js';

/** How long is waited before the next try, in seconds; the last one for every further. */
const WAITS = [1, 2, 5, 10, 20, 30];
/** An answer that takes longer does not come. */
const PATIENCE_MS = 30_000;
/** Sending a file may take longer than that. */
const PATIENCE_WITH_FILE_MS = 10 * 60_000;

/** The server said no: another try says the same. */
export class Refused extends Error {
  /** @param {number} status @param {any} problem */
  constructor(status, problem) {
    super(String(problem?.detail || problem?.title || status));
    this.status = status;
    this.code = String(problem?.code ?? '');
    this.hint = String(problem?.hint ?? '');
  }
}

/** There was no answer, or one that says "later". */
export class Unreachable extends Error {
  /** @param {number} status 0 without an answer @param {number} after seconds @param {string} detail */
  constructor(status, after, detail) {
    super(detail);
    this.status = status;
    this.after = after;
  }
}

/** @param {number} status */
const isPassing = (status) => status >= 500 || status === 429 || status === 408;

/** Until the time is over, or the network says that it is back. @param {number} seconds @param {AbortSignal} [signal] @returns {Promise<void>} */
export function pause(seconds, signal) {
  return new Promise((done, failed) => {
    const end = () => {
      clearTimeout(timer);
      globalThis.removeEventListener('online', over);
      signal?.removeEventListener('abort', left);
    };
    const over = () => (end(), done());
    const left = () => (end(), failed(signal?.reason));
    const timer = setTimeout(over, seconds * 1000);
    globalThis.addEventListener('online', over);
    if (signal?.aborted) return left();
    signal?.addEventListener('abort', left);
  });
}

/** How long is waited after so many tries. @param {number} tries @param {number} [after] */
export const wait = (tries, after = 0) => Math.max(after, WAITS[Math.min(tries, WAITS.length) - 1] ?? 1);

/** @typedef {{ json?: any, form?: FormData, headers?: Record<string, string>, signal?: AbortSignal }} Sent */

export class Server {
  /** How far the server's clock is ahead of ours. */
  #ahead = 0;

  /** @param {import('./session.js').Session} session */
  constructor(session) {
    this.session = session;
  }

  /** The server's time: what it says of moments is by its own clock. */
  now() {
    return Date.now() + this.#ahead;
  }

  /** One request. A token that is not taken any more is replaced in the dialog, and the request sent again.
   * @param {string} method @param {string} path @param {Sent} [sent] @returns {Promise<any>} */
  async ask(method, path, sent = {}) {
    const { token } = this.session;
    if (!token) throw new SignInNeeded();
    try {
      return await this.#once(method, path, sent, token);
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 401) throw error;
      this.session.drop(token);
    }
    if (!this.session.token) await this.session.signIn();
    const { token: again } = this.session;
    if (!again) throw new SignInNeeded();
    return this.#once(method, path, sent, again).catch((error) => {
      if (!(error instanceof Refused) || error.status !== 401) throw error;
      this.session.drop(again);
      throw new SignInNeeded();
    });
  }

  /** The same until there is an answer. @param {string} method @param {string} path @param {Sent} sent
   * @param {(trouble: Unreachable | null) => void} told @returns {Promise<any>} */
  async askUntil(method, path, sent, told) {
    for (let tries = 1; ; tries += 1) {
      try {
        const answer = await this.ask(method, path, sent);
        if (tries > 1) told(null);
        return answer;
      } catch (error) {
        if (!(error instanceof Unreachable)) throw error;
        told(error);
        await pause(wait(tries, error.after), sent.signal);
      }
    }
  }

  /** @param {string} method @param {string} path @param {Sent} sent @param {string} token */
  async #once(method, path, { json, form, headers = {}, signal }, token) {
    const patience = AbortSignal.timeout(form ? PATIENCE_WITH_FILE_MS : PATIENCE_MS);
    const all = { ...headers, accept: 'application/json', authorization: `Bearer ${token}` };
    if (json !== undefined) all['content-type'] = 'application/json';
    let answer;
    /** @type {any} */
    let body = null;
    try {
      answer = await fetch(`/api/v1${path}`, {
        method,
        headers: all,
        body: form ?? (json === undefined ? undefined : JSON.stringify(json)),
        credentials: 'omit',
        cache: 'no-store',
        signal: signal ? AbortSignal.any([signal, patience]) : patience,
      });
      const text = await answer.text();
      body = text ? JSON.parse(text) : null;
    } catch (error) {
      // A page that was left asks nothing any more.
      if (signal?.aborted) throw error;
      // An answer that is none of ours, from something in between, is none.
      if (!answer || answer.ok || isPassing(answer.status)) throw new Unreachable(answer && !answer.ok ? answer.status : 0, 0, '');
    }
    const date = Date.parse(answer.headers.get('date') ?? '');
    // Dates of answers are whole seconds, and some time on their way: what is less than that is no difference.
    if (!Number.isNaN(date)) this.#ahead = Math.abs(date - Date.now()) < 2000 ? 0 : date - Date.now();
    if (answer.ok) return body;
    if (isPassing(answer.status)) {
      throw new Unreachable(answer.status, Number(answer.headers.get('retry-after')) || 0, String(body?.detail ?? ''));
    }
    throw new Refused(answer.status, body);
  }
}
