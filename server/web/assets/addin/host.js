// The one place that knows Office: its callbacks as promises, its objects as plain ones. Everything else is given what `connect` gives,
// so that it runs without Office too.

/** @typedef {{ name: string, address: string }} Address */
/** @typedef {{ name: string, size: number, inline: boolean }} Attachment */
/**
 * A message as it is open now. `item` is Office's own object, which is of use only while the message is open.
 * @typedef {object} Letter
 * @property {Office.MessageRead | null} item
 * @property {string} itemId
 * @property {string} restId
 * @property {string} messageId
 * @property {string} inReplyTo
 * @property {string} subject
 * @property {Address | null} from
 * @property {Address[]} to
 * @property {Address[]} cc
 * @property {Attachment[]} attachments
 * @property {boolean} sealed it is encrypted: what is filed is its wrapper
 * @property {string} mailbox
 * @property {boolean} shared the mailbox is another person's
 * @property {string} headers
 */

/** Longer header blocks are cut: they are looked through for a few fields at their beginning. */
const HEADERS_MAX = 48 * 1024;
/** More recipients are not told: matches are among the first, or there are none. */
const PEOPLE_MAX = 300;
/** The largest slice that Office hands out, in bytes. */
const SLICE = 4 * 1024 * 1024;

/** Office does not have it here, or refused it. */
export class HostError extends Error {
  /** @param {string} method @param {any} [error] */
  constructor(method, error) {
    super(error?.message || method);
    this.method = method;
    this.code = error?.code;
  }
}

/**
 * Calls a method of Office by its name, with a callback at the end. Older clients lack methods that the types promise.
 * @template T
 * @param {T | null | undefined} object @param {keyof T & string} method @param {any[]} given
 * @returns {Promise<any>}
 */
function call(object, method, ...given) {
  return new Promise((done, failed) => {
    const its = /** @type {any} */ (object);
    if (typeof its?.[method] !== 'function') return failed(new HostError(method));
    const answered = (/** @type {any} */ result) =>
      result?.status === 'succeeded' ? done(result.value) : failed(new HostError(method, result?.error));
    its[method](...given, answered);
  });
}

/** The value, or what stands for it where Office has none. @template T @param {Promise<T>} asked @param {T} otherwise */
const or = (asked, otherwise) => asked.catch(() => otherwise);

/** @param {any} it @returns {Address} */
const address = (it) => ({ name: String(it?.displayName ?? ''), address: String(it?.emailAddress ?? '') });

/** @param {any} list @returns {Address[]} */
const addresses = (list) => (Array.isArray(list) ? list.slice(0, PEOPLE_MAX).map(address) : []);

/** Whether a message's content is closed to us: by rights management or by S/MIME. @param {Office.MessageRead} item */
function isSealed(item) {
  const kind = String(item.itemClass ?? '').toLowerCase();
  if (kind.includes('rpmsg') || (kind.startsWith('ipm.note.smime') && !kind.includes('multipartsigned'))) return true;
  const names = (item.attachments ?? []).map((it) => String(it.name).toLowerCase());
  return names.includes('message.rpmsg') || names.includes('smime.p7m');
}

/** The bytes behind base64. @param {string} text */
function bytesOf(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

/** What Outlook, Word and Excel have in common. */
class Host {
  /** @param {typeof Office} office @param {string} kind */
  constructor(office, kind) {
    this.office = office;
    this.kind = kind;
    this.language = String(office.context?.displayLanguage ?? '');
    /** What the browser keeps is told apart by this, where Office says so. */
    this.partition = String(office.context?.partitionKey ?? '');
  }

  /** @param {string} version @param {string} [set] */
  supports(version, set = 'Mailbox') {
    return Boolean(this.office.context?.requirements?.isSetSupported(set, version));
  }

  /** Opens a page in Office's dialog and gives the first message it sends. @param {string} url @returns {Promise<string>} */
  async dialog(url) {
    const dialog = await call(this.office.context?.ui, 'displayDialogAsync', url, { height: 60, width: 30, promptBeforeOpen: false });
    return new Promise((done, failed) => {
      const { DialogMessageReceived, DialogEventReceived } = this.office.EventType;
      dialog.addEventHandler(DialogMessageReceived, (/** @type {any} */ sent) => {
        // Only our own pages hand tokens back; older clients do not say where a message comes from.
        if (sent.origin !== undefined && sent.origin !== new URL(url).origin) return;
        dialog.close();
        done(String(sent.message));
      });
      dialog.addEventHandler(DialogEventReceived, (/** @type {any} */ it) => failed(new HostError('dialog', { code: it.error })));
    });
  }
}

/** Outlook. */
export class Outlook extends Host {
  get mailbox() {
    return this.office.context.mailbox;
  }

  /** The person's own address. */
  get own() {
    return String(this.mailbox?.userProfile?.emailAddress ?? '');
  }

  /** Calls when another message was opened, none, or several were selected. @param {() => void} heard */
  onChange(heard) {
    const { ItemChanged, SelectedItemsChanged } = this.office.EventType;
    // A pane that cannot be pinned, or an older client: then there is nothing to hear.
    if (this.supports('1.5') && ItemChanged) call(this.mailbox, 'addHandlerAsync', ItemChanged, heard).catch(() => {});
    if (this.supports('1.13') && SelectedItemsChanged) {
      call(this.mailbox, 'addHandlerAsync', SelectedItemsChanged, heard).catch(() => {});
    }
  }

  /** What is open: `none`, `read`, `compose`, `several`, or `other` for what is no message. */
  async look() {
    const selected = this.supports('1.13') ? await or(call(this.mailbox, 'getSelectedItemsAsync'), []) : [];
    const messages = (selected ?? []).filter((/** @type {any} */ it) => (it.itemType ?? 'message').toLowerCase() === 'message');
    if (messages.length > 1) return { mode: 'several', messages };
    const item = this.mailbox?.item;
    if (!item) return { mode: 'none' };
    if (String(item.itemType).toLowerCase() !== 'message') return { mode: 'other' };
    const composing = typeof item.subject === 'object' && item.subject !== null;
    return { mode: composing ? 'compose' : 'read', item };
  }

  /** @param {string} id */
  #restId(id) {
    const version = this.office.MailboxEnums?.RestVersion?.v2_0 ?? 'v2.0';
    return id && typeof this.mailbox.convertToRestId === 'function' ? this.mailbox.convertToRestId(id, version) : '';
  }

  /** Whose mailbox a message lies in. @param {Office.MessageRead | Office.MessageCompose} item */
  async #mailboxOf(item) {
    const shared = this.supports('1.8') ? await or(call(item, 'getSharedPropertiesAsync'), null) : null;
    const owner = String(shared?.targetMailbox || shared?.owner || '');
    if (!owner || owner.toLowerCase() === this.own.toLowerCase()) return { mailbox: this.own, shared: false };
    return { mailbox: owner, shared: true };
  }

  /** What is known of a message that is read. @param {Office.MessageRead} item @returns {Promise<Letter>} */
  async letter(item) {
    const all = this.supports('1.8') ? or(call(item, 'getAllInternetHeadersAsync'), '') : Promise.resolve('');
    const [headers, whose] = await Promise.all([all, this.#mailboxOf(item)]);
    const attachments = (item.attachments ?? []).map((it) => ({
      name: String(it.name ?? ''),
      size: Number(it.size ?? 0),
      inline: Boolean(it.isInline),
    }));
    return {
      item,
      itemId: String(item.itemId ?? ''),
      restId: this.#restId(item.itemId),
      messageId: String(item.internetMessageId ?? ''),
      inReplyTo: String(/** @type {any} */ (item).inReplyTo ?? ''),
      subject: String(item.subject ?? ''),
      from: item.from ? address(item.from) : null,
      to: addresses(item.to),
      cc: addresses(item.cc),
      attachments,
      sealed: isSealed(item),
      headers: String(headers ?? '').slice(0, HEADERS_MAX),
      ...whose,
    };
  }

  /** What is known of a message that is written. @param {Office.MessageCompose} item */
  async draft(item) {
    const [subject, to, cc, from, whose] = await Promise.all([
      or(call(item.subject, 'getAsync'), ''),
      or(call(item.to, 'getAsync'), []),
      or(call(item.cc, 'getAsync'), []),
      or(call(item.from, 'getAsync'), null),
      this.#mailboxOf(item),
    ]);
    // Who sends as another sends from the other's mailbox.
    const sender = String(from?.emailAddress || whose.mailbox);
    const shared = sender.toLowerCase() !== this.own.toLowerCase();
    return { item, subject: String(subject ?? ''), to: addresses(to), cc: addresses(cc), inReplyTo: String(/** @type {any} */ (item).inReplyTo ?? ''), mailbox: sender, shared };
  }

  /** A selected message: no more of it is known without loading it. @param {any} it @returns {Letter} */
  selected(it) {
    return {
      item: null,
      itemId: String(it.itemId ?? ''),
      restId: this.#restId(it.itemId),
      messageId: String(it.internetMessageId ?? ''),
      inReplyTo: '',
      subject: String(it.subject ?? ''),
      from: null,
      to: [],
      cc: [],
      attachments: [],
      sealed: false,
      mailbox: this.own,
      shared: false,
      headers: '',
    };
  }

  /** Whether messages can be handed over as files: the open one, and those that are only selected. */
  get hands() {
    return { open: this.supports('1.14'), selected: this.supports('1.15') };
  }

  /** The whole message as a file. @param {Letter} letter @returns {Promise<Uint8Array>} */
  async file(letter) {
    if (letter.item) return bytesOf(await call(letter.item, 'getAsFileAsync'));
    const loaded = await call(this.mailbox, 'loadItemByIdAsync', letter.itemId);
    try {
      return bytesOf(await call(loaded, 'getAsFileAsync'));
    } finally {
      // One message is loaded at a time: without this the next one cannot be.
      await or(call(loaded, 'unloadAsync'), null);
    }
  }

  /** Whether a message is the one that is open. @param {Letter} letter */
  isOpen(letter) {
    return Boolean(letter.itemId) && this.mailbox?.item?.itemId === letter.itemId;
  }

  /** Marks the open message with a category, or takes it away. It is for the eye only: whatever refuses it changes nothing.
   * @param {Letter} letter @param {string} name @param {boolean} on */
  async mark(letter, name, on) {
    const { item } = letter;
    if (!name || !item || !this.supports('1.8') || !this.isOpen(letter)) return;
    try {
      if (!on) return await call(item.categories, 'removeAsync', [name]);
      const color = this.office.MailboxEnums?.CategoryColor?.Preset4 ?? 'Preset4';
      // There already, or another's list, which may be read only: the next call tells whether it matters.
      await or(call(this.mailbox.masterCategories, 'addAsync', [{ displayName: name, color }]), null);
      await call(item.categories, 'addAsync', [name]);
    } catch {
      // The server knows that it is filed.
    }
  }

  /** Whether a choice made while writing gets as far as the handler of sending. */
  get remembers() {
    return this.supports('1.12');
  }

  /** What was chosen for the message that is written. @param {Office.MessageCompose} item @returns {Promise<any>} */
  async chosen(item) {
    const text = await or(call(item.sessionData, 'getAsync', 'postroom-send'), '');
    try {
      return text ? JSON.parse(text) : null;
    } catch {
      return null;
    }
  }

  /** @param {Office.MessageCompose} item @param {any} choice */
  choose(item, choice) {
    return call(item.sessionData, 'setAsync', 'postroom-send', JSON.stringify(choice));
  }

  /** @param {Office.MessageCompose} item */
  unchoose(item) {
    return call(item.sessionData, 'removeAsync', 'postroom-send');
  }
}

/** Word, Excel and PowerPoint. */
export class Documents extends Host {
  get document() {
    return this.office.context.document;
  }

  /** The document's name, made up from the host where it was never saved. */
  async name() {
    const properties = await or(call(this.document, 'getFilePropertiesAsync'), null);
    const url = String(properties?.url || this.document?.url || '');
    const last = url.split(/[\\/]/).pop() ?? '';
    let name = last;
    try {
      name = decodeURIComponent(last);
    } catch {
      // A percent sign that is only itself.
    }
    const ending = { Word: 'docx', Excel: 'xlsx', PowerPoint: 'pptx' }[this.kind] ?? 'bin';
    return { name: name.split('?')[0] || `Document.${ending}`, saved: Boolean(last) };
  }

  /** The whole document. @param {(share: number) => void} told @returns {Promise<Blob>} */
  async file(told) {
    const kind = this.office.FileType?.Compressed ?? 'compressed';
    const file = await call(this.document, 'getFileAsync', kind, { sliceSize: SLICE });
    try {
      const parts = [];
      for (let at = 0; at < file.sliceCount; at += 1) {
        const slice = await call(file, 'getSliceAsync', at);
        parts.push(new Uint8Array(slice.data));
        told((at + 1) / file.sliceCount);
      }
      return new Blob(parts);
    } finally {
      // Office keeps two files at most.
      await or(call(file, 'closeAsync'), null);
    }
  }

  /** What stays with the document. @param {string} key @returns {any} */
  remembered(key) {
    try {
      return this.document.settings.get(key);
    } catch {
      return null;
    }
  }

  /** @param {string} key @param {any} value */
  async remember(key, value) {
    this.document.settings.set(key, value);
    await call(this.document.settings, 'saveAsync');
  }
}

/** What the page stands in; null where that is no Office. @returns {Promise<Outlook | Documents | null>} */
export async function connect() {
  const office = /** @type {any} */ (globalThis).Office;
  if (office === undefined) return null;
  const info = await office.onReady();
  if (!info?.host) return null;
  return info.host === 'Outlook' ? new Outlook(office, info.host) : new Documents(office, info.host);
}
