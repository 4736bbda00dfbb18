// Hands documents in piece by piece, by the protocol of tus 1.0.0: what breaks off goes on where it was, also after the page was loaded
// anew. Without this script the form beneath hands them in whole.

const ADDRESS = '/api/v1/uploads';
const TUS = { 'tus-resumable': '1.0.0' };
/** So many bytes are sent at once: what is on its way when a connection breaks. */
const PIECE = 8 * 1024 * 1024;
/** So many documents are sent side by side. */
const SIDE_BY_SIDE = 2;
/** How long is waited before the next try, in seconds; the last one for every further. */
const WAITS = [1, 2, 5, 10, 20, 30];
/** How often, and how many times, is looked what became of a document that is in. */
const LOOK_EVERY_MS = 2500;
const LOOKS = 24;

const form = document.getElementById('hand-in');
const { owner, largest } = form.dataset;
const field = (name) => form.elements.namedItem(name);
const part = (element, name) => element.querySelector(`[data-part="${name}"]`);
const told = document.getElementById('told');
const list = document.getElementById('uploads');
const uploads = new Set();

/** Says it to those who do not see the page. */
const tell = (text) => {
  told.textContent = text;
};

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Until the time is over, or the network says that it is back. */
const pause = (seconds) =>
  new Promise((done) => {
    const timer = setTimeout(done, seconds * 1000);
    window.addEventListener('online', () => (clearTimeout(timer), done()), { once: true });
  });

const size = (bytes) => {
  const units = ['bytes', 'kB', 'MB', 'GB'];
  let [number, unit] = [bytes, 0];
  while (number >= 1000 && unit < units.length - 1) [number, unit] = [number / 1000, unit + 1];
  return `${unit === 0 ? number : number.toFixed(1)} ${units[unit]}`;
};

const base64 = (text) => {
  let binary = '';
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
};

/** What is remembered of unfinished uploads of this person in this browser: never what is in them. */
const memory = {
  front: `postroom-upload/${owner}/`,
  of: (file) => `${file.name}/${file.size}/${file.lastModified}`,
  read(name) {
    try {
      return JSON.parse(localStorage.getItem(this.front + name));
    } catch {
      return null;
    }
  },
  write(name, value) {
    try {
      localStorage.setItem(this.front + name, JSON.stringify(value));
    } catch {
      // Without memory an upload goes on for as long as the page is open.
    }
  },
  forget(name) {
    try {
      localStorage.removeItem(this.front + name);
    } catch {
      // It was not there.
    }
  },
  all() {
    try {
      const names = Object.keys(localStorage).filter((it) => it.startsWith(this.front));
      return names.map((it) => [it.slice(this.front.length), this.read(it.slice(this.front.length))]).filter(([, it]) => it);
    } catch {
      return [];
    }
  },
};

/** A request that is answered, however it ends; none where there is no answer. */
async function ask(method, address, headers = {}) {
  try {
    return await fetch(address, { method, headers: { ...TUS, ...headers }, credentials: 'same-origin', cache: 'no-store' });
  } catch {
    return null;
  }
}

async function detail(answer, otherwise) {
  const problem = await answer.json().catch(() => null);
  return problem?.detail ? `${problem.detail} ${problem.hint ?? ''}`.trim() : otherwise;
}

class Upload {
  constructor(file, about) {
    this.file = file;
    this.about = about;
    this.name = memory.of(file);
    this.offset = 0;
    this.tries = 0;
    this.row = document.getElementById('upload-row').content.firstElementChild.cloneNode(true);
    part(this.row, 'name').textContent = file.name;
    part(this.row, 'size').textContent = size(file.size);
    part(this.row, 'bar').setAttribute('aria-label', `Progress of ${file.name}`);
    for (const action of ['pause', 'go-on', 'give-up']) {
      const button = part(this.row, action);
      button.append(Object.assign(document.createElement('span'), { className: 'hidden', textContent: ` ${file.name}` }));
      button.addEventListener('click', () => this.on(action));
    }
    document.getElementById('list').hidden = false;
    list.append(this.row);
    this.show('ready', 'Ready to be handed in.');
  }

  show(state, text) {
    const before = this.state;
    this.state = state;
    this.row.dataset.state = state;
    part(this.row, 'state').textContent = text;
    part(this.row, 'bar').hidden = ['ready', 'done', 'failed'].includes(state);
    part(this.row, 'bar').value = this.file.size === 0 ? 0 : this.offset / this.file.size;
    const buttons = { pause: ['sending', 'waiting'], 'go-on': this.hopeless ? [] : ['paused', 'failed'], 'give-up': ['ready', 'paused', 'failed', 'waiting'] };
    const focused = document.activeElement;
    for (const [action, states] of Object.entries(buttons)) part(this.row, action).hidden = !states.includes(state);
    // The focus does not fall off the page with the button that had it.
    if (focused.hidden && this.row.contains(focused)) this.row.querySelector('button:not([hidden])')?.focus();
    if (before !== state && before !== undefined) tell(`${this.file.name}: ${text}`);
  }

  on(action) {
    if (action === 'pause') {
      this.request?.abort();
      this.show('paused', `Paused. ${this.percent()} of it is in.`);
    } else if (action === 'go-on') {
      this.tries = 0;
      this.show('queued', 'Waits for its turn.');
      next();
    } else {
      this.request?.abort();
      uploads.delete(this);
      this.row.remove();
      memory.forget(this.name);
      if (this.address) ask('DELETE', this.address);
      tell(`${this.file.name}: given up.`);
      document.getElementById('list').hidden = uploads.size === 0;
      field('file').focus();
    }
  }

  percent() {
    return `${Math.floor((100 * this.offset) / this.file.size)} %`;
  }

  is(...states) {
    return states.includes(this.state);
  }

  /** From wherever it is to the end, or until a person or the server says no. */
  async run() {
    this.show('sending', 'Begins.');
    while (this.is('sending', 'waiting')) {
      const step = this.address === undefined ? await this.begin() : await this.send();
      if (!this.is('sending', 'waiting')) return;
      if (step === 'again') {
        const wait = WAITS[Math.min(this.tries, WAITS.length - 1)];
        this.tries += 1;
        this.show('waiting', `The connection is gone. ${this.percent()} is in; it is tried again by itself.`);
        await pause(wait);
        if (this.is('waiting')) await this.look();
      } else if (step === 'done') {
        memory.forget(this.name);
        this.show('done', 'It is in.');
        this.follow();
        return;
      }
    }
  }

  fail(text) {
    this.show('failed', text);
  }

  async begin() {
    const known = memory.read(this.name);
    if (known?.address) {
      this.address = known.address;
      await this.look();
      return 'on';
    }
    // The key is remembered first: an answer that is lost on its way names the same upload when it is asked for again.
    const key = known?.key ?? crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
    memory.write(this.name, { key, about: this.about });
    const about = { filename: this.file.name, filetype: this.file.type, ...(known?.about ?? this.about) };
    const pairs = Object.entries(about).filter(([, value]) => value !== '');
    const metadata = pairs.map(([name, value]) => `${name} ${base64(value)}`).join(',');
    const answer = await ask('POST', ADDRESS, {
      'upload-length': String(this.file.size),
      'upload-metadata': metadata,
      'idempotency-key': key,
    });
    if (answer?.status === 201) {
      this.address = answer.headers.get('location');
      this.offset = Number(answer.headers.get('upload-offset'));
      const until = Date.parse(answer.headers.get('upload-expires'));
      memory.write(this.name, { key, about: this.about, address: this.address, until });
      return 'on';
    }
    return this.refused(answer, () => memory.forget(this.name));
  }

  /** Asks where it goes on. */
  async look() {
    const answer = await ask('HEAD', this.address);
    if (answer?.ok) {
      this.offset = Number(answer.headers.get('upload-offset'));
      this.intake = answer.headers.get('upload-intake');
      this.show('sending', `${this.percent()} is in.`);
    } else if (answer && [403, 404, 410].includes(answer.status)) {
      // Its time is over: from the beginning.
      memory.forget(this.name);
      this.address = undefined;
      this.offset = 0;
    }
  }

  async send() {
    if (this.offset >= this.file.size) {
      if (this.intake) return 'done';
      // All has come, and it is being taken in.
      await sleep(LOOK_EVERY_MS);
      await this.look();
      return 'on';
    }
    const answer = await this.patch(this.file.slice(this.offset, this.offset + PIECE));
    if (answer.status === 204) {
      this.tries = 0;
      this.offset = Number(answer.header('upload-offset'));
      this.intake = answer.header('upload-intake');
      this.show('sending', `${this.percent()} is in.`);
      return 'on';
    }
    return this.refused(answer.status === 0 ? null : answer, () => memory.forget(this.name));
  }

  /** Sends bytes. XMLHttpRequest, because fetch does not tell how much has left. */
  patch(bytes) {
    return new Promise((done) => {
      const request = new XMLHttpRequest();
      this.request = request;
      request.open('PATCH', this.address);
      for (const [name, value] of Object.entries(TUS)) request.setRequestHeader(name, value);
      request.setRequestHeader('content-type', 'application/offset+octet-stream');
      request.setRequestHeader('upload-offset', String(this.offset));
      request.upload.addEventListener('progress', ({ loaded }) => {
        part(this.row, 'bar').value = (this.offset + loaded) / this.file.size;
      });
      request.addEventListener('loadend', () => {
        const json = async () => JSON.parse(request.responseText);
        done({ status: request.status, header: (name) => request.getResponseHeader(name), json });
      });
      request.send(bytes);
    });
  }

  /** What a refusal means: try again, or a person is told. */
  async refused(answer, forget) {
    const status = answer?.status ?? 0;
    if (status === 0 || status >= 500 || [404, 408, 409, 410, 423].includes(status)) {
      if ([404, 409, 410, 423].includes(status)) await this.look();
      return 'again';
    }
    if (status === 401) {
      this.fail('You are signed out. Sign in in another tab, then go on.');
    } else {
      if (status !== 429) forget();
      this.fail(await detail(answer, `The server refused it (${status}).`));
    }
    return 'stop';
  }

  /** What becomes of the document. */
  async follow() {
    for (let looks = 0; looks < LOOKS && uploads.has(this); looks += 1) {
      const answer = await ask('GET', `/api/v1/intakes/${this.intake}`);
      const shown = answer?.ok ? await answer.json() : null;
      if (shown) {
        const [text, over] = becomes(shown);
        if (part(this.row, 'state').textContent !== text) {
          part(this.row, 'state').textContent = text;
          tell(`${this.file.name}: ${text}`);
        }
        if (over) return;
      }
      await sleep(LOOK_EVERY_MS);
    }
  }
}

/** An intake in words, and whether that is the end of it. */
function becomes({ state, needs, filing_items: filings = [], work_item_given: given }) {
  const filed = filings.filter((it) => it.state === 'filed').length;
  if (state === 'needs_person') return [`It is in. A person decides where it goes: ${needs?.text ?? ''}`, true];
  if (state === 'quarantined') return ['It is in, and set aside for a person to look at.', true];
  if (state === 'dismissed') return ['It is in, and a person closed it.', true];
  if (filings.some((it) => it.state === 'failed')) return ['It is in. It could not be filed; a person sees to it.', true];
  if (state === 'settled' && filings.some((it) => it.state === 'duplicate')) return ['It is in. The same document is filed there already.', true];
  if (state === 'settled') return [`Filed${given ? ` to ${given}` : ''}.`, true];
  if (state === 'stored') return ['It is in, and is being looked at.', false];
  return [filed > 0 ? `${filed} of ${filings.length} filed.` : `It is in, and on its way${given ? ` to ${given}` : ''}.`, false];
}

/** Lets those go that wait for their turn. */
function next() {
  const running = [...uploads].filter((it) => it.is('sending', 'waiting')).length;
  const waiting = [...uploads].filter((it) => it.is('queued'));
  for (const upload of waiting.slice(0, Math.max(0, SIDE_BY_SIDE - running))) upload.run().finally(next);
}

function add(files) {
  for (const file of files) {
    const name = memory.of(file);
    if ([...uploads].some((it) => it.name === name && !it.is('done'))) continue;
    waits.get(name)?.remove();
    waits.delete(name);
    const upload = new Upload(file, {});
    uploads.add(upload);
    upload.hopeless = file.size === 0 || file.size > Number(largest);
    if (file.size === 0) upload.fail('It has no bytes.');
    else if (upload.hopeless) upload.fail(`It is larger than ${size(Number(largest))}, the most that is taken.`);
    else if (memory.read(name)?.address) {
      // Begun before: it goes on without being asked.
      upload.show('queued', 'Goes on where it was.');
    }
  }
  document.getElementById('unfinished').hidden = waits.size === 0;
  next();
}

/** Unfinished uploads of before: the browser must be shown their files again. */
const waits = new Map();
for (const [name, { address, until }] of memory.all()) {
  if (!address || until < Date.now()) {
    memory.forget(name);
    continue;
  }
  const row = document.createElement('li');
  row.append(name.split('/').slice(0, -2).join('/'));
  waits.set(name, row);
  document.getElementById('unfinished-list').append(row);
}
document.getElementById('unfinished').hidden = waits.size === 0;

form.addEventListener('submit', (event) => {
  event.preventDefault();
  add(field('file').files);
  field('file').value = '';
  const about = Object.fromEntries(['work_item', 'subject', 'note'].map((name) => [name, field(name).value.trim()]));
  for (const upload of uploads) {
    if (!upload.is('ready')) continue;
    upload.about = about;
    upload.show('queued', 'Waits for its turn.');
  }
  if (uploads.size === 0) {
    tell('Choose a document first.');
    field('file').focus();
  }
  next();
});
// The list says whether there is something to hand in.
field('file').required = false;
field('file').addEventListener('change', () => {
  add(field('file').files);
  field('file').value = '';
});

const drop = document.getElementById('drop');
const carries = (event) => event.dataTransfer?.types.includes('Files');
for (const name of ['dragenter', 'dragover']) {
  window.addEventListener(name, (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    drop.classList.add('over');
  });
}
window.addEventListener('dragleave', (event) => event.relatedTarget === null && drop.classList.remove('over'));
window.addEventListener('drop', (event) => {
  if (!carries(event)) return;
  // Beside the field too: otherwise the browser would leave the page and show the file.
  event.preventDefault();
  drop.classList.remove('over');
  add(event.dataTransfer.files);
});

const found = document.getElementById('work-item-found');
let search;
field('work_item').addEventListener('input', () => {
  clearTimeout(search);
  search = setTimeout(async () => {
    const text = field('work_item').value.trim();
    const answer = text === '' ? null : await ask('GET', `/api/v1/work-items?limit=8&search=${encodeURIComponent(text)}`);
    const items = answer?.ok ? (await answer.json()).items : [];
    // Somebody typed on meanwhile.
    if (text !== field('work_item').value.trim()) return;
    const options = items.map(({ reference, title }) => Object.assign(document.createElement('option'), { value: reference, label: `${reference} – ${title}` }));
    document.getElementById('work-items').replaceChildren(...options);
    const exact = items.find(({ reference }) => reference.toLowerCase() === text.toLowerCase());
    if (text === '') found.textContent = '';
    else if (exact) found.textContent = exact.open ? exact.title : `${exact.title} (closed: a person decides)`;
    else if (items.length > 0) found.textContent = `${items.length} work items fit.`;
    else found.textContent = 'No work item fits: a person decides where it goes.';
  }, 200);
});
