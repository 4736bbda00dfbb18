// A message that is written: where it is filed when it was sent. The choice goes with the message by an id of its own; the server
// takes the sent message from the mailbox. Nothing of this keeps a message from being sent.

import { refusal } from './activity.js';
import { Cards, deed } from './cards.js';
import { know } from './letter.js';
import { Places, called } from './places.js';
import { Refused } from './server.js';
import { fill, h } from './view.js';

/** @param {import('./frame.js').App} app @param {any} item @param {AbortSignal} signal */
export async function showCompose(app, item, signal) {
  const { port, texts, server, frame, tell } = app;
  const title = () => h('h1', {}, texts.say('addin.compose_title'));
  if (!port.remembers) return frame.show(title(), h('p', {}, texts.say('addin.compose_old')));
  frame.show(title(), h('p', { class: 'loading' }, texts.say('addin.loading')));
  const [draft, before] = await Promise.all([port.draft(item), port.chosen(item)]);
  const known = await know(app, [draft], signal);
  if (signal.aborted) return;
  // What is never looked for would go out with a mark and be filed nowhere.
  if (!known.fetches) return frame.show(title(), h('p', {}, texts.say('addin.compose_unread', { mailbox: draft.mailbox })));
  const { suggestions, decided } = known.letters[0] ?? { suggestions: [], decided: false };
  const shared = draft.shared && h('p', { class: 'notice' }, texts.say('addin.shared', { mailbox: draft.mailbox }));
  if (before?.id) stored(before, false);
  else choose([]);

  /** @param {import('./places.js').Place[]} chosen @param {string} [id] */
  function choose(chosen, id) {
    const cards = new Cards({ texts, parts: false });
    const lower = deed({ texts, note: false, press });
    const places = new Places({ texts, server, shelf: known.shelf, suggestions, chosen: () => cards.ids, tell });
    cards.addEventListener('change', () => {
      lower.wrong('');
      places.refresh();
    });
    cards.addEventListener('emptied', () => places.input?.focus());
    places.addEventListener('pick', (event) => {
      const it = /** @type {CustomEvent} */ (event).detail;
      tell(texts.say(cards.toggle(it) ? 'addin.chosen_now' : 'addin.chosen_gone', { matter: called(it) }));
    });
    if (chosen.length === 0 && decided && suggestions[0]?.open) cards.add(suggestions[0]);
    for (const it of chosen) cards.add(it);
    lower.label(texts.say('addin.compose_file'));
    const section = h('section', { 'aria-label': texts.say('addin.chosen_title') }, cards.element, lower.form);
    frame.show(title(), shared, h('p', {}, texts.say('addin.compose_why')), h('div', { class: 'choice' }, section, places.element));

    async function press() {
      if (cards.ids.length === 0) {
        lower.wrong(texts.say('addin.choose_first'));
        places.input?.focus();
        return;
      }
      const choice = { id: id ?? crypto.randomUUID(), matters: cards.places };
      lower.button.disabled = true;
      try {
        // What was typed since the pane was opened counts.
        const { subject, mailbox } = await port.draft(item);
        const json = { mailbox, subject, matters: cards.matters(true) };
        // First the server: an id that it does not know would go out with the message and file nothing.
        await server.askUntil('PUT', `/send-intents/${choice.id}`, { json, signal }, frame.trouble);
        await port.choose(item, choice);
        if (!signal.aborted) stored(choice, true);
      } catch (error) {
        if (!signal.aborted) lower.wrong(refusal(texts, error));
      }
      lower.button.disabled = false;
    }
  }

  /** What will happen, and the way back. @param {{ id: string, matters: import('./places.js').Place[] }} choice @param {boolean} now */
  function stored(choice, now) {
    const matters = Array.isArray(choice.matters) ? choice.matters : [];
    const mistake = h('p', { class: 'mistake', role: 'alert' });
    const change = h('button', { type: 'button' }, texts.say('addin.compose_change'));
    const withdraw = h('button', { type: 'button', class: 'quiet' }, texts.say('addin.compose_withdraw'));
    const heading = h('h2', { tabindex: '-1' }, texts.say('addin.compose_will'));
    change.addEventListener('click', () => {
      choose(matters, choice.id);
      frame.focus();
    });
    withdraw.addEventListener('click', async () => {
      withdraw.disabled = true;
      try {
        // First the message: what has no id is not filed, whether the server hears of it or not.
        await port.unchoose(item);
        await server.ask('DELETE', `/send-intents/${choice.id}`).catch((/** @type {unknown} */ error) => {
          if (error instanceof Refused && error.status !== 404) throw error;
        });
        tell(texts.say('addin.compose_withdrawn'));
        choose([]);
        frame.focus();
      } catch (error) {
        fill(mistake, refusal(texts, error));
        withdraw.disabled = false;
      }
    });
    const list = h('ul', {}, matters.map((it) => h('li', {}, called(it))));
    const card = h('section', { class: 'card job', 'data-state': 'filed' }, heading, list, h('p', {}, texts.say('addin.compose_how')), mistake, h('p', { class: 'actions' }, change, withdraw));
    frame.show(title(), shared, card);
    if (!now) return;
    heading.focus();
    tell(texts.say('addin.compose_stored'));
  }
}
