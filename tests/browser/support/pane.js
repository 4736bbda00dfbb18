// A pane with an Office that is none, and a stand-in for the part of the server that it asks: every request is kept, and what goes
// wrong is set by the test.

import { once } from 'node:events';
import { createServer } from 'node:http';

import { withOffice } from './office.js';

export const SIZE = { width: 320, height: 640 };

export const HARROW = { work_item: 'w-harrow', reference: 'L-1001', title: 'Harrow v Teal', client: 'Harrow Ltd', open: true };
export const BIRCH = { work_item: 'w-birch', reference: 'L-1002', title: 'Birch lease', client: 'Birch & Sons', open: true };
export const CEDAR = { work_item: 'w-cedar', reference: 'L-1003', title: 'Cedar merger', client: 'Cedar plc', open: true };
export const CLOSED = { work_item: 'w-old', reference: 'L-0007', title: 'Old estate', client: 'Old', open: false };

/** An e-mail as Outlook has it open. */
export const LETTER = {
  itemId: 'AAMk/1+2=',
  subject: 'Draft lease for signature',
  internetMessageId: '<one@client.example>',
  from: { displayName: 'Bea Birch', emailAddress: 'bea@birch.example' },
  to: [{ displayName: 'Mina Patel', emailAddress: 'mina@firm.example' }],
  headers: 'Message-ID: <one@client.example>\r\nReferences: <zero@firm.example>\r\n',
  attachments: [
    { id: 'a', name: 'lease.pdf', size: 240_000, isInline: false, attachmentType: 'file' },
    { id: 'b', name: 'image001.png', size: 9000, isInline: true, attachmentType: 'file' },
    { id: 'c', name: 'lease.pdf', size: 250_000, isInline: false, attachmentType: 'file' },
  ],
};

export const suggested = (place, score, ...reasons) => ({ ...place, score, reasons });

/** What the stand-in answers unless a test says otherwise. */
const known = {
  letters: [{ filed: [], suggestions: [suggested(BIRCH, 0.97, 'The e-mail answers one that was filed there', 'Bea Birch takes part'), suggested(HARROW, 0.4, 'The subject names the client')], decided: true }],
  recent: [HARROW, CEDAR, CLOSED],
  bookmarked: [CEDAR],
  category: 'Filed',
  undo_seconds: 10,
  fetches: false,
};

export const filing = (id, state, more = {}) => ({ id, version: 3, state, file_name: 'message.eml', reference: 'L-1002', target: '"Birch lease" / Correspondence', received: '2026-11-27T10:00:00Z', subject: 'Draft lease', ...more });

export const problem = (status, detail, hint = '', code = 'bad_value') => ({ status, body: { type: `urn:postroom:problem:${code}`, title: 'No', status, code, detail, hint } });

/** No answer at all. */
export const GONE = { gone: true };

/** The part of the server that panes ask. */
export class Api {
  static async start() {
    const api = new Api();
    api.server = createServer((request, response) => api.#answer(request, response));
    api.server.listen(0, '127.0.0.1');
    await once(api.server, 'listening');
    api.url = `http://127.0.0.1:${api.server.address().port}`;
    return api;
  }

  constructor() {
    this.calls = [];
    this.known = structuredClone(known);
    /** Answers by "METHOD /path": a value, a function of the call, or a list of these of which each is given once. */
    this.answers = {};
    this.filed = new Map();
    this.states = ['waiting', 'filed'];
    this.undoMs = 0;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }

  /** All calls of a kind. */
  of(name) {
    return this.calls.filter((it) => it.name === name);
  }

  async #answer(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const url = new URL(request.url, this.url);
    const path = url.pathname.replace('/api/v1', '');
    const name = `${request.method} ${path}`;
    const call = { name, query: url.search, key: request.headers['idempotency-key'], token: request.headers.authorization, cookie: request.headers.cookie, match: request.headers['if-match'] };
    const body = Buffer.concat(chunks);
    const type = request.headers['content-type'] ?? '';
    if (type.startsWith('multipart/')) {
      const form = await new Response(body, { headers: { 'content-type': type } }).formData();
      const file = form.get('file');
      Object.assign(call, { meta: JSON.parse(form.get('meta')), file: file && { name: file.name, type: file.type, text: await file.text() } });
    } else if (body.length > 0) call.json = JSON.parse(body);
    this.calls.push(call);
    const answer = await this.#decide(call, path);
    if (answer.gone) {
      // A connection that ends without a word is one that browsers try again by themselves.
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      return response.write('{', () => request.socket.destroy());
    }
    const { status = 200, headers = {} } = answer;
    const mediaType = status >= 400 ? 'application/problem+json' : 'application/json';
    response.writeHead(status, { 'content-type': mediaType, ...headers });
    response.end(status === 204 ? '' : JSON.stringify(answer.body ?? {}));
  }

  async #decide(call, path) {
    let own = this.answers[call.name];
    if (Array.isArray(own)) own = own.length > 0 ? own.shift() : undefined;
    if (typeof own === 'function') own = await own(call);
    if (own !== undefined) return own;
    if (call.name === 'POST /letters/known') {
      const count = call.json.letters?.length ?? 0;
      const first = this.known.letters;
      return { body: { ...this.known, letters: Array.from({ length: count }, (_, at) => first[at] ?? first.at(-1)) } };
    }
    if (call.name === 'POST /letters' || call.name === 'POST /intakes') return this.take(call);
    if (path.endsWith('/undo')) return { body: { undone: ['f-1'], kept: [] } };
    if (path.startsWith('/intakes/')) {
      const state = this.states.length > 1 ? this.states.shift() : this.states[0];
      const id = path.split('/')[2];
      return { body: { id, state: 'split', filing_items: [filing('f-1', state)] } };
    }
    if (path.endsWith('/bookmark') || path.startsWith('/send-intents/')) return { status: 204 };
    if (call.name === 'GET /work-items') return { body: { items: [{ id: 'w-found', reference: 'L-2000', title: 'Found at last', client: { reference: 'C1', name: 'Seeker' }, open: true }], next: null } };
    if (call.name === 'GET /filings') return { body: { items: [], next: null } };
    if (call.name === 'GET /send-intents') return { body: { items: [] } };
    return problem(404, 'There is no such address.', '', 'not_found');
  }

  /** Takes a filing in, once by its key. */
  take(call) {
    const again = this.filed.has(call.key);
    const id = this.filed.get(call.key) ?? `i-${this.filed.size + 1}`;
    this.filed.set(call.key, id);
    const filings = call.meta.matters ? call.meta.matters.map((it, at) => filing(`f-${at + 1}`, 'waiting', { reference: it.work_item })) : [filing('f-1', 'waiting')];
    const undo = this.undoMs > 0 ? { undo_until: new Date(Date.now() + this.undoMs).toISOString() } : {};
    return { status: 202, body: { intake: { id, state: 'split' }, filings, again, ...undo } };
  }
}

/** What the browser keeps of a sign-in, so that a test need not begin with one. */
const KEPT = JSON.stringify({ token: 'pr_kept', expires: '2099-01-01T00:00:00Z', person: 'mina@firm.example' });

/** Opens a pane. `signedIn: false` begins with the sign-in. */
export async function openPane(page, api, { path = '/addin/outlook', office = {}, signedIn = true } = {}) {
  await withOffice(page, office);
  await page.route('**/api/v1/**', (route) => {
    const { pathname, search } = new URL(route.request().url());
    return route.continue({ url: `${api.url}${pathname}${search}` });
  });
  const partition = office.partition ?? '';
  if (signedIn) {
    await page.addInitScript(([name, kept]) => {
      if (!sessionStorage.getItem('begun')) localStorage.setItem(name, kept);
      sessionStorage.setItem('begun', 'yes');
    }, [`${partition}postroom/token`, KEPT]);
  }
  await page.goto(path);
  return page;
}

/** A pane of a scene, and the server behind it, which `prepare` may change before it is asked. */
export async function pane({ open, ends }, { prepare = () => {}, expects, ...given }) {
  const api = await Api.start();
  ends(() => api.stop());
  // What is written can be filed on sending where the server reads the sent items.
  api.known.fetches = Boolean(given.office?.item?.compose);
  await prepare(api);
  const page = await open({ viewport: SIZE, expects });
  await openPane(page, api, given);
  return { page, api };
}
