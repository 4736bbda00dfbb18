// Matters to choose from: suggested, found, recent and bookmarked ones.

import { Refused } from './server.js';
import { fill, h, unique } from './view.js';

/** How long typing has to stop before it is searched. */
const STOPS_MS = 250;
/** Fewer letters find everything. */
const SHORTEST = 2;

/** A matter. @typedef {{ work_item: string, reference: string, title: string, client: string, open: boolean, bookmarked: boolean, reasons: string[], score?: number }} Place */

/** From any of the server's answers. @param {any} it @returns {Place} */
export function place(it) {
  const client = typeof it.client === 'object' && it.client !== null ? it.client.name || it.client.reference : it.client;
  return {
    work_item: String(it.work_item ?? it.id),
    reference: String(it.reference ?? ''),
    title: String(it.title ?? ''),
    client: String(client ?? ''),
    open: it.open !== false,
    bookmarked: Boolean(it.bookmarked),
    reasons: Array.isArray(it.reasons) ? it.reasons.map(String) : [],
  };
}

/** How a matter is called where there is little room. @param {Place} it */
export const called = (it) => (it.reference ? `${it.reference} ${it.title}`.trim() : it.title);

/** @param {Place} it @param {import('./view.js').Texts} texts */
function words(it, texts) {
  return [
    h('span', { class: 'place-name' }, h('span', { class: 'reference' }, it.reference), ' ', it.title),
    it.client && h('span', { class: 'place-client' }, it.client),
    !it.open && h('span', { class: 'tag' }, texts.say('addin.closed')),
  ];
}

/**
 * The recent and bookmarked matters, and which were bookmarked since, or are not any more: rows stay where they are while one looks.
 * @typedef {{ recent: Place[], bookmarked: Place[], marks: Map<string, boolean> }} Shelf
 */

/** The lists and the search. Tells `pick` with a matter in `detail`. */
export class Places extends EventTarget {
  /** @param {{ texts: import('./view.js').Texts, server: import('./server.js').Server, shelf: Shelf, suggestions?: Place[], chosen?: () => string[], tell: (text: string) => void }} given */
  constructor({ texts, server, shelf, suggestions = [], chosen, tell }) {
    super();
    this.texts = texts;
    this.server = server;
    this.shelf = shelf;
    this.suggestions = suggestions;
    /** Without it there is nothing to choose for: the lists are to look at and to bookmark. */
    this.chosen = chosen;
    this.tell = tell;
    this.lists = h('div', { class: 'lists' });
    this.element = h('div', { class: 'places-to-choose' }, chosen && this.#search(), this.lists);
    this.refresh();
  }

  /** @param {Place} it */
  #pick(it) {
    this.dispatchEvent(new CustomEvent('pick', { detail: it }));
  }

  /** Draws the lists anew; what had the focus has it again. */
  refresh() {
    const focused = document.activeElement?.getAttribute('data-focus');
    const here = this.lists.contains(document.activeElement);
    const known = new Set();
    // Each once, in the first list that it is in.
    const others = (/** @type {Place[]} */ list) => list.filter((it) => !known.has(it.work_item) && known.add(it.work_item));
    fill(
      this.lists,
      this.#list('suggested', others(this.suggestions)),
      this.#list('bookmarked', others(this.shelf.bookmarked)),
      this.#list('recent', others(this.shelf.recent)),
    );
    if (here && focused) /** @type {HTMLElement | null} */ (this.lists.querySelector(`[data-focus="${CSS.escape(focused)}"]`))?.focus();
  }

  /** @param {string} name @param {Place[]} list */
  #list(name, list) {
    if (list.length === 0) return null;
    const title = unique('list');
    return h(
      'section',
      { 'aria-labelledby': title, class: `list ${name}` },
      h('h2', { id: title }, this.texts.say(`addin.list_${name}`)),
      h('ul', { class: 'places-list' }, list.map((it) => this.#row(it, `${name}/${it.work_item}`))),
    );
  }

  /** @param {Place} it @param {string} focus */
  #row(it, focus) {
    const taken = this.chosen?.().includes(it.work_item) ?? false;
    const reasons = it.reasons.length > 0 && h('span', { class: 'reasons' }, it.reasons.join(' · '));
    const choose = { type: 'button', class: 'place', 'data-focus': focus, 'aria-pressed': String(taken), disabled: !it.open, onclick: () => this.#pick(it) };
    return h(
      'li',
      {},
      this.chosen ? h('button', choose, words(it, this.texts), reasons) : h('span', { class: 'place' }, words(it, this.texts)),
      this.#star(it, focus),
    );
  }

  /** @param {Place} it @param {string} focus */
  #star(it, focus) {
    const on = this.shelf.marks.get(it.work_item) ?? this.shelf.bookmarked.some((other) => other.work_item === it.work_item);
    const label = this.texts.say('addin.bookmark', { matter: called(it) });
    const attributes = { type: 'button', class: 'star', 'data-focus': `star/${focus}`, 'aria-pressed': String(on), 'aria-label': label, title: label, onclick: () => this.#bookmark(it, !on) };
    return h('button', attributes, h('span', { 'aria-hidden': 'true' }, on ? '★' : '☆'));
  }

  /** Shown at once, and taken back where the server does not want it. @param {Place} it @param {boolean} on */
  async #bookmark(it, on) {
    this.shelf.marks.set(it.work_item, on);
    this.refresh();
    try {
      await this.server.ask(on ? 'PUT' : 'DELETE', `/work-items/${encodeURIComponent(it.work_item)}/bookmark`);
      this.tell(this.texts.say(on ? 'addin.bookmarked_now' : 'addin.bookmark_gone', { matter: called(it) }));
    } catch (error) {
      this.shelf.marks.set(it.work_item, !on);
      this.refresh();
      this.tell(error instanceof Refused ? error.message : this.texts.say('addin.error_not_now'));
    }
  }

  /** The field that searches while one types: a combobox with a list. */
  #search() {
    const { texts } = this;
    const [id, listId] = [unique('search'), unique('found')];
    const list = h('ul', { id: listId, role: 'listbox', class: 'found', hidden: true, 'aria-label': texts.say('addin.search') });
    const state = h('p', { class: 'small', role: 'status' });
    const input = h('input', {
      id,
      type: 'text',
      role: 'combobox',
      autocomplete: 'off',
      spellcheck: 'false',
      maxlength: '200',
      placeholder: texts.say('addin.search_example'),
      'aria-autocomplete': 'list',
      'aria-expanded': 'false',
      'aria-controls': listId,
    });
    /** @type {Place[]} */
    let found = [];
    let at = -1;
    let timer = 0;
    let asked = new AbortController();

    const close = () => {
      list.hidden = true;
      at = -1;
      input.setAttribute('aria-expanded', 'false');
      input.removeAttribute('aria-activedescendant');
    };
    const take = (/** @type {Place} */ it) => {
      if (!it.open) return;
      close();
      input.value = '';
      state.textContent = '';
      this.#pick(it);
    };
    const mark = (/** @type {number} */ next) => {
      at = next;
      for (const [number, option] of [...list.children].entries()) {
        option.setAttribute('aria-selected', String(number === at));
        if (number === at) option.scrollIntoView({ block: 'nearest' });
      }
      if (at >= 0) input.setAttribute('aria-activedescendant', list.children[at].id);
      else input.removeAttribute('aria-activedescendant');
    };
    const show = () => {
      const option = (/** @type {Place} */ it) =>
        h('li', { id: unique('option'), role: 'option', 'aria-selected': 'false', 'aria-disabled': it.open ? false : 'true', onclick: () => take(it) }, words(it, texts));
      // The focus stays in the field.
      fill(list, found.map(option));
      for (const it of list.children) it.addEventListener('mousedown', (event) => event.preventDefault());
      list.hidden = found.length === 0;
      input.setAttribute('aria-expanded', String(found.length > 0));
      at = -1;
      input.removeAttribute('aria-activedescendant');
      state.textContent = found.length === 0 ? texts.say('addin.found_none') : texts.count('addin.found', found.length);
    };
    const search = async () => {
      asked.abort();
      asked = new AbortController();
      const { signal } = asked;
      const text = input.value.trim();
      if (text.length < SHORTEST) {
        close();
        state.textContent = '';
        return;
      }
      try {
        const path = `/work-items?search=${encodeURIComponent(text)}&limit=20`;
        const answer = await this.server.askUntil('GET', path, { signal }, (trouble) => {
          state.textContent = trouble ? texts.say('addin.search_waits') : '';
        });
        if (signal.aborted) return;
        found = answer.items.map(place);
        show();
      } catch (error) {
        if (!signal.aborted) state.textContent = error instanceof Refused ? error.message : texts.say('addin.error_not_now');
      }
    };
    input.addEventListener('input', () => {
      clearTimeout(timer);
      timer = /** @type {any} */ (setTimeout(search, STOPS_MS));
    });
    input.addEventListener('blur', close);
    input.addEventListener('keydown', (event) => {
      const { key } = event;
      if (key === 'Escape' && !list.hidden) {
        event.preventDefault();
        close();
      } else if ((key === 'ArrowDown' || key === 'ArrowUp') && found.length > 0 && input.value.trim().length >= SHORTEST) {
        event.preventDefault();
        if (list.hidden) show();
        mark((at + (key === 'ArrowDown' ? 1 : at < 0 ? 0 : -1) + found.length) % found.length);
      } else if (key === 'Enter' && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        // With one found there is nothing to choose between.
        const only = !list.hidden && found.length === 1 ? 0 : at;
        if (only >= 0) take(found[only]);
      }
    });
    this.input = input;
    return h('div', { class: 'search' }, h('label', { for: id }, texts.say('addin.search')), input, list, state);
  }
}
