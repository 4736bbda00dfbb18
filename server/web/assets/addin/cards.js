// The matters that an e-mail goes to: what of it goes where is said for each by itself.

import { called } from './places.js';
import { fill, h, unique } from './view.js';

/** So many attachments are listed at once; more are a click away. */
const SHOWN = 6;
/** Pictures of this size and below that are called as Outlook calls those in signatures are taken for such. */
const SIGNATURE_MAX = 50 * 1024;

/** Whether an attachment is worth filing by itself: not a picture within the text, and no part of a signature.
 * @param {import('./host.js').Attachment} it */
export function isWorth({ name, size, inline }) {
  const signed = /\.(p7s|asc|sig)$/i.test(name);
  const logo = /^image\d{3}\.(png|jpe?g|gif)$/i.test(name) && size <= SIGNATURE_MAX;
  return !(inline || signed || logo);
}

/** @typedef {{ place: import('./places.js').Place, message: boolean, attachments: Set<number>, card: HTMLElement }} Chosen */

/** The cards. Tells `change`. */
export class Cards extends EventTarget {
  /** @type {Map<string, Chosen>} */
  #chosen = new Map();

  /** @param {{ texts: import('./view.js').Texts, attachments?: import('./host.js').Attachment[], parts?: boolean, only?: boolean }} given
   * `parts`: whether it can be said what of it goes there; `only`: whether another choice replaces the first. */
  constructor({ texts, attachments = [], parts = true, only = false }) {
    super();
    this.texts = texts;
    this.attachments = attachments;
    this.parts = parts;
    this.only = only;
    this.none = h('p', { class: 'small' }, texts.say('addin.none_chosen'));
    this.element = h('div', { class: 'cards' }, this.none);
  }

  get ids() {
    return [...this.#chosen.keys()];
  }

  get places() {
    return [...this.#chosen.values()].map((it) => it.place);
  }

  /** Chooses a matter, or gives it up again. @param {import('./places.js').Place} place @returns {boolean} whether it is chosen now */
  toggle(place) {
    if (this.#chosen.has(place.work_item)) {
      this.remove(place.work_item);
      return false;
    }
    this.add(place);
    return true;
  }

  /** @param {import('./places.js').Place} place */
  add(place) {
    if (this.#chosen.has(place.work_item)) return;
    if (this.only) for (const id of this.ids) this.#drop(id);
    const worth = this.attachments.flatMap((it, number) => (isWorth(it) ? [number] : []));
    const chosen = { place, message: true, attachments: new Set(worth), card: /** @type {any} */ (null) };
    chosen.card = this.#card(chosen);
    this.#chosen.set(place.work_item, chosen);
    this.element.append(chosen.card);
    this.#changed();
  }

  /** @param {string} id */
  #drop(id) {
    this.#chosen.get(id)?.card.remove();
    this.#chosen.delete(id);
  }

  /** @param {string} id */
  remove(id) {
    this.#drop(id);
    this.#changed();
  }

  #changed() {
    this.none.hidden = this.#chosen.size > 0;
    this.dispatchEvent(new Event('change'));
  }

  /** A matter to which nothing would go. @returns {Chosen | undefined} */
  get empty() {
    return [...this.#chosen.values()].find((it) => !it.message && it.attachments.size === 0);
  }

  /** As the server is told. `as_rules`: what the firm's rules say of attachments stands. @param {boolean} [asRules] */
  matters(asRules = !this.parts || this.attachments.length === 0) {
    /** @type {Map<string, number>} */
    const names = new Map();
    const numbered = this.attachments.map(({ name }) => {
      const nth = (names.get(name) ?? 0) + 1;
      names.set(name, nth);
      return { name, nth };
    });
    return [...this.#chosen.values()].map(({ place, message, attachments }) => ({
      work_item: place.work_item,
      message,
      attachments: asRules ? null : [...attachments].sort((a, b) => a - b).map((number) => numbered[number]),
    }));
  }

  /** @param {Chosen} chosen */
  #card(chosen) {
    const { texts } = this;
    const title = unique('card');
    const name = called(chosen.place);
    const remove = h('button', { type: 'button', class: 'quiet remove', 'aria-label': texts.say('addin.remove', { matter: name }), title: texts.say('addin.remove', { matter: name }) }, '×');
    remove.addEventListener('click', () => {
      const next = /** @type {HTMLElement | null} */ (chosen.card.nextElementSibling ?? chosen.card.previousElementSibling);
      this.remove(chosen.place.work_item);
      // The focus must not get lost with the card.
      const other = /** @type {HTMLElement | null} */ (next?.querySelector('button'));
      if (other) other.focus();
      else this.dispatchEvent(new Event('emptied'));
    });
    return h(
      'section',
      { class: 'card chosen', 'aria-labelledby': title },
      h('div', { class: 'chosen-head' }, h('h2', { id: title }, h('span', { class: 'reference' }, chosen.place.reference), ' ', chosen.place.title), remove),
      chosen.place.client && h('p', { class: 'small' }, chosen.place.client),
      this.parts && this.#parts(chosen, title),
    );
  }

  /** @param {Chosen} chosen @param {string} title */
  #parts(chosen, title) {
    const { texts } = this;
    const box = (/** @type {boolean} */ on, /** @type {(on: boolean) => void} */ set, /** @type {(string | Node)[]} */ ...words) => {
      const input = h('input', { type: 'checkbox', checked: on });
      input.addEventListener('change', () => {
        set(input.checked);
        this.dispatchEvent(new Event('change'));
      });
      return { input, label: h('label', { class: 'check' }, input, h('span', {}, ...words)) };
    };
    const message = box(chosen.message, (on) => (chosen.message = on), texts.say('addin.part_message')).label;
    if (this.attachments.length === 0) return h('div', { role: 'group', 'aria-labelledby': title }, message);
    const summary = h('summary', {});
    const count = () => {
      summary.textContent = texts.say('addin.part_attachments', { chosen: chosen.attachments.size, all: this.attachments.length });
    };
    const boxes = this.attachments.map((it, number) => {
      const set = (/** @type {boolean} */ on) => {
        if (on) chosen.attachments.add(number);
        else chosen.attachments.delete(number);
        count();
      };
      const tail = h('span', { class: 'small' }, ` ${texts.size(it.size)}${it.inline ? `, ${texts.say('addin.part_inline')}` : ''}`);
      return box(chosen.attachments.has(number), set, it.name || texts.say('addin.part_nameless'), tail);
    });
    const all = (/** @type {boolean} */ on) => {
      chosen.attachments = new Set(on ? this.attachments.keys() : []);
      for (const { input } of boxes) input.checked = on;
      count();
      this.dispatchEvent(new Event('change'));
    };
    count();
    const many = this.attachments.length > SHOWN;
    return h(
      'div',
      { role: 'group', 'aria-labelledby': title },
      message,
      h(
        'details',
        { open: !many },
        summary,
        this.attachments.length > 2 &&
          h(
            'p',
            { class: 'actions all-or-none' },
            h('button', { type: 'button', class: 'quiet', onclick: () => all(true) }, texts.say('addin.all')),
            h('button', { type: 'button', class: 'quiet', onclick: () => all(false) }, texts.say('addin.none')),
          ),
        h('ul', { class: 'attachments' }, boxes.map(({ label }) => h('li', {}, label))),
      ),
    );
  }
}

/** The form's lower part: a note, one button, and what is wrong. Ctrl and Enter press the button from everywhere within.
 * @param {{ texts: import('./view.js').Texts, note?: boolean, press: (note: string) => void }} given */
export function deed({ texts, note = true, press }) {
  const id = unique('note');
  const words = h('textarea', { id, rows: '2', maxlength: '1000' });
  const button = h('button', { type: 'submit' });
  const mistake = h('p', { class: 'mistake', role: 'alert' });
  const form = h(
    'form',
    { class: 'deed', novalidate: true },
    note && h('details', { class: 'note' }, h('summary', {}, texts.say('addin.note')), h('label', { for: id, class: 'hidden' }, texts.say('addin.note')), words),
    h('div', { class: 'bar' }, mistake, button),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    press(words.value.trim());
  });
  return {
    form,
    /** @param {string} text */
    label: (text) => fill(button, text),
    /** @param {string} text */
    wrong: (text) => fill(mistake, text),
    button,
  };
}
