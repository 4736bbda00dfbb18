// An Office that is none: as much of its script as the panes use, with knobs for what goes wrong. It runs in the page.

export const OFFICE_JS = 'https://appsforoffice.microsoft.com/**';

/* c8 ignore start: this function is sent to the page as text. */
/** @param {any} given */
function install(given) {
  const later = (act) => setTimeout(act, given.delay ?? 1);
  const failing = new Set(given.fails ?? []);
  const calls = [];
  const handlers = {};
  /** A method with a callback at the end, which is called later, as Office does. */
  const method = (name, act) => (...args) => {
    const callback = typeof args.at(-1) === 'function' ? args.pop() : () => {};
    calls.push({ name, args });
    later(() => {
      if (failing.has(name)) return callback({ status: 'failed', error: { code: 9000, name, message: `${name} is refused` } });
      try {
        callback({ status: 'succeeded', value: act(...args) });
      } catch (error) {
        callback({ status: 'failed', error: { code: 9001, name, message: error.message } });
      }
    });
  };
  const newer = (version, than) => {
    const [a, b] = [version, than].map((it) => it.split('.').map(Number));
    return a[0] > b[0] || (a[0] === b[0] && a[1] >= b[1]);
  };
  const sets = { Mailbox: '1.15', ...given.sets };
  const categories = { master: [], items: {} };

  const readItem = (it) => ({
    itemType: 'message',
    itemClass: 'IPM.Note',
    attachments: [],
    to: [],
    cc: [],
    ...it,
    getAllInternetHeadersAsync: method('getAllInternetHeadersAsync', () => it.headers ?? ''),
    getAsFileAsync: method('getAsFileAsync', () => btoa(it.eml ?? `Subject: ${it.itemId}\r\n\r\nx`)),
    // Only what is shared knows this.
    ...(given.shared ? { getSharedPropertiesAsync: method('getSharedPropertiesAsync', () => given.shared) } : {}),
    unloadAsync: method('unloadAsync', () => {}),
    categories: {
      addAsync: method('categories.addAsync', (names) => {
        for (const name of names) if (!categories.master.includes(name)) throw new Error('InvalidCategory');
        categories.items[it.itemId] = [...new Set([...(categories.items[it.itemId] ?? []), ...names])];
      }),
      removeAsync: method('categories.removeAsync', (names) => {
        categories.items[it.itemId] = (categories.items[it.itemId] ?? []).filter((name) => !names.includes(name));
      }),
    },
  });
  const composeItem = (it) => {
    const session = { ...it.session };
    const headers = {};
    const field = (name, value) => ({ getAsync: method(`${name}.getAsync`, () => value) });
    return {
      itemType: 'message',
      subject: field('subject', it.subject ?? ''),
      to: field('to', it.to ?? []),
      cc: field('cc', it.cc ?? []),
      from: field('from', it.from ?? { displayName: '', emailAddress: given.own ?? 'mina@firm.example' }),
      ...(given.shared ? { getSharedPropertiesAsync: method('getSharedPropertiesAsync', () => given.shared) } : {}),
      sessionData: {
        getAsync: method('sessionData.getAsync', (key) => {
          if (!(key in session)) throw new Error('KeyNotFound');
          return session[key];
        }),
        setAsync: method('sessionData.setAsync', (key, value) => void (session[key] = value)),
        removeAsync: method('sessionData.removeAsync', (key) => void delete session[key]),
      },
      internetHeaders: { setAsync: method('internetHeaders.setAsync', (all) => void Object.assign(headers, all)) },
      session,
      headers,
    };
  };
  const itemOf = (it) => (it ? (it.compose ? composeItem(it) : readItem(it)) : null);

  let selected = given.selected ?? [];
  const mailbox = {
    item: itemOf(given.item),
    userProfile: { emailAddress: given.own ?? 'mina@firm.example', displayName: 'Mina Patel' },
    convertToRestId: (id) => id.replaceAll('/', '-').replaceAll('+', '_'),
    addHandlerAsync: (type, handler, callback) => {
      (handlers[type] ??= []).push(handler);
      later(() => callback?.({ status: 'succeeded' }));
    },
    getSelectedItemsAsync: method('getSelectedItemsAsync', () => selected),
    loadItemByIdAsync: method('loadItemByIdAsync', (id) => readItem(selected.find((it) => it.itemId === id))),
    masterCategories: {
      addAsync: method('masterCategories.addAsync', (all) => {
        for (const { displayName } of all) {
          if (categories.master.includes(displayName)) throw new Error('DuplicateCategory');
          categories.master.push(displayName);
        }
      }),
    },
  };
  const settings = { ...given.settings };
  const bytes = new TextEncoder().encode(given.document?.content ?? 'a document');
  const slices = given.document?.slices ?? 1;
  const document = {
    url: given.document?.url ?? '',
    getFilePropertiesAsync: method('getFilePropertiesAsync', () => ({ url: given.document?.url ?? '' })),
    getFileAsync: method('getFileAsync', () => {
      const size = Math.ceil(bytes.length / slices);
      return {
        size: bytes.length,
        sliceCount: slices,
        getSliceAsync: method('getSliceAsync', (at) => ({ index: at, data: [...bytes.slice(at * size, (at + 1) * size)] })),
        closeAsync: method('closeAsync', () => {}),
      };
    }),
    settings: {
      get: (key) => settings[key] ?? null,
      set: (key, value) => void (settings[key] = value),
      saveAsync: method('settings.saveAsync', () => {}),
    },
  };

  const fake = {
    calls,
    categories,
    settings,
    failing,
    /** What the sign-in in the dialog brings: a token, or that it was blocked or closed. */
    dialog: given.dialog ?? { token: 'pr_test' },
    dialogs: 0,
    token: (token) => JSON.stringify({ kind: 'postroom-token', version: 1, token, expires: new Date(Date.now() + 3600e3).toISOString(), person: 'mina@firm.example' }),
    /** Another message is opened, or none. */
    open: (it) => {
      mailbox.item = itemOf(it);
      selected = [];
      for (const handler of handlers.olkItemSelectedChanged ?? []) later(() => handler({ type: 'olkItemSelectedChanged' }));
    },
    select: (list) => {
      selected = list;
      for (const handler of handlers.olkSelectedItemsChanged ?? []) later(() => handler({ type: 'olkSelectedItemsChanged' }));
    },
    get item() {
      return mailbox.item;
    },
  };
  const ui = {
    displayDialogAsync: (url, options, callback) => {
      fake.dialogs += 1;
      calls.push({ name: 'displayDialogAsync', args: [url, options] });
      const { dialog } = fake;
      if (dialog.blocked) return later(() => callback({ status: 'failed', error: { code: 12011, message: 'blocked' } }));
      const heard = {};
      later(() => callback({ status: 'succeeded', value: { addEventHandler: (type, handler) => void (heard[type] = handler), close: () => calls.push({ name: 'dialog.close', args: [] }) } }));
      setTimeout(() => {
        if (dialog.closed) heard.dialogEventReceived?.({ error: 12006 });
        if (dialog.foreign) heard.dialogMessageReceived?.({ message: fake.token('pr_evil'), origin: 'https://evil.example' });
        if (dialog.token) heard.dialogMessageReceived?.({ message: fake.token(dialog.token), origin: location.origin });
      }, 20);
    },
  };
  globalThis.fake = fake;
  globalThis.Office = {
    onReady: (ready) => {
      const info = { host: given.host === undefined ? 'Outlook' : given.host, platform: 'OfficeOnline' };
      return new Promise((done) => later(() => (ready?.(info), done(info))));
    },
    AsyncResultStatus: { Succeeded: 'succeeded', Failed: 'failed' },
    EventType: {
      ItemChanged: 'olkItemSelectedChanged',
      SelectedItemsChanged: 'olkSelectedItemsChanged',
      DialogMessageReceived: 'dialogMessageReceived',
      DialogEventReceived: 'dialogEventReceived',
    },
    FileType: { Compressed: 'compressed' },
    MailboxEnums: { RestVersion: { v2_0: 'v2.0' }, CategoryColor: { Preset4: 'Preset4' } },
    actions: { associate: (name, handler) => void ((globalThis.fake.associated ??= {})[name] = handler) },
    context: {
      displayLanguage: given.language ?? 'en-GB',
      partitionKey: given.partition,
      requirements: { isSetSupported: (set, version) => Boolean(sets[set]) && newer(sets[set], version) },
      mailbox,
      document,
      ui,
    },
  };
}
/* c8 ignore stop */

/** Gives a page this Office in place of Microsoft's script. */
export async function withOffice(page, given = {}) {
  const body = `(${install})(${JSON.stringify(given)});`;
  await page.route(OFFICE_JS, (route) => route.fulfill({ contentType: 'text/javascript', body }));
}
